package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"shieldwall/internal/domain/fault"
)

// Folder is a hub in a folder: a mirror, or a copy of a hub with its data files in data, or in data beside it.
type Folder struct {
	dir      string
	hub      *os.Root
	beside   *os.Root // the data folder beside the hub, nil without one
	manifest Manifest
}

// OpenFolder finds the hub in dir: there, in the folder of the branch, or in the only folder that is there. None is of kind
// fault.NotFound.
func OpenFolder(dir, branch string) (*Folder, error) {
	found, err := findHub(dir, branch)
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: found}
	if f.hub, err = os.OpenRoot(found); err != nil {
		return nil, fmt.Errorf("opening the hub: %w", err)
	}
	if beside, err := os.OpenRoot(filepath.Join(found, "..", "data")); err == nil {
		f.beside = beside
	}
	text, err := f.read(ManifestName, maxManifest)
	if err == nil {
		f.manifest, err = DecodeManifest(text)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func findHub(dir, branch string) (string, error) {
	candidates := []string{dir, filepath.Join(dir, branch)}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) == 1 {
		only := filepath.Join(dir, entries[0].Name())
		candidates = append(candidates, only, filepath.Join(only, branch))
	}
	for _, candidate := range candidates {
		if info, err := os.Stat(filepath.Join(candidate, IndexName)); err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
	}
	return "", fault.Errorf(fault.NotFound, "%s is no hub: it has no %s", dir, IndexName)
}

// String names the folder.
func (f *Folder) String() string { return f.dir }

// Close ends the use of the folder.
func (f *Folder) Close() error {
	err := f.hub.Close()
	if f.beside != nil {
		err = errors.Join(err, f.beside.Close())
	}
	return err
}

// Index returns the text of the index, nil when its hex SHA-256 is digest.
func (f *Folder) Index(_ context.Context, digest string) ([]byte, error) {
	text, err := f.read(IndexName, maxIndex)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) == digest {
		return nil, nil
	}
	return text, nil
}

// Item returns the file at path.
func (f *Folder) Item(_ context.Context, path string) ([]byte, error) { return f.read(path, maxItem) }

func (f *Folder) read(name string, limit int64) ([]byte, error) {
	file, err := f.hub.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the hub: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	return bounded(file, limit, name)
}

// Data calls save with a data file unless the copy that is held is the same.
func (f *Folder) Data(_ context.Context, wanted File, held Held, save func(Body) error) error {
	mirrored, known := f.manifest[wanted.URL]
	if same, err := held.unchanged(mirrored.Digest); same || err != nil {
		return err
	}
	file, err := f.open(wanted, mirrored, known)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("reading the hub: %w", err)
	}
	if !known && !held.Modified.IsZero() && !info.ModTime().After(held.Modified) {
		return nil
	}
	return save(Body{Reader: &capped{file, maxData, wanted.Dest}, Modified: info.ModTime(), Digest: mirrored.Digest})
}

func (f *Folder) open(wanted File, mirrored Mirrored, known bool) (fs.File, error) {
	if known {
		return f.hub.Open(mirrored.Path)
	}
	file, err := f.hub.Open(path.Join("data", wanted.Dest))
	if errors.Is(err, fs.ErrNotExist) && f.beside != nil {
		file, err = f.beside.Open(wanted.Dest)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Errorf(fault.NotFound, "%s has no data file %s (%s)", f.dir, wanted.Dest, wanted.URL)
	}
	return file, err
}
