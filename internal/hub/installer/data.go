package installer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/source"
	"shieldwall/internal/platform/atomicfile"
)

// refresh brings the data files of all installed items up to date.
func (in *Installer) refresh(ctx context.Context, holdings *hub.Holdings) (bool, error) {
	before := in.written
	for _, kind := range hub.Kinds() {
		for _, item := range holdings.Installed(kind) {
			text, err := os.ReadFile(item.LocalPath)
			if err != nil {
				return in.written > before, fmt.Errorf("reading %s: %w", item, err)
			}
			if err := in.data(ctx, item, text); err != nil {
				return in.written > before, err
			}
		}
	}
	return in.written > before, nil
}

// data brings the data files that an item names up to date, each once.
func (in *Installer) data(ctx context.Context, item *hub.Holding, text []byte) error {
	files, err := Files(text)
	if err != nil {
		return fmt.Errorf("%s: %w", item, err)
	}
	for _, file := range files {
		from := in.Source
		switch ours := item.Offer != nil && item.Offer.BuiltIn; {
		case in.seen[file.Dest], file.URL == "" && !ours:
			continue
		case file.URL == "":
			from = source.BuiltIn{}
		}
		in.seen[file.Dest] = true
		if err := in.fetch(ctx, file, from); err != nil {
			return fmt.Errorf("data of %s: %w", item, err)
		}
	}
	return nil
}

// Files returns the data files that an item names, in all of its documents. One that would lie outside of the data folder is
// of kind fault.Invalid.
func Files(text []byte) ([]source.File, error) {
	var files []source.File
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document struct {
			Data []struct {
				URL  string `yaml:"source_url"`
				Dest string `yaml:"dest_file"`
			} `yaml:"data"`
		}
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fault.Mark(fault.Invalid, err)
		}
		for _, entry := range document.Data {
			if entry.Dest == "" {
				continue
			}
			if !filepath.IsLocal(entry.Dest) {
				return nil, fault.Errorf(fault.Invalid, "the data file '%s' would lie outside of the data folder", entry.Dest)
			}
			files = append(files, source.File{URL: entry.URL, Dest: entry.Dest})
		}
	}
}

func (in *Installer) fetch(ctx context.Context, file source.File, from Source) error {
	path := filepath.Join(in.Paths.DataDir, file.Dest)
	held := held(path)
	if in.Force {
		held.Modified = time.Time{}
	}
	return from.Data(ctx, file, held, func(body source.Body) error {
		name := file.URL
		if name == "" {
			name = file.Dest
		}
		in.Tell("downloading " + name)
		if err := write(path, body, in.Progress); err != nil {
			return err
		}
		in.written++
		return nil
	})
}

func held(path string) source.Held {
	held := source.Held{Digest: func() (string, error) { return digestOf(path) }}
	if info, err := os.Stat(path); err == nil {
		held.Modified = info.ModTime()
	}
	return held
}

// write replaces the file when all of the body is there and has its digest. The file is as old as its source says.
func write(path string, body source.Body, progress func(done int64)) error {
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return fmt.Errorf("saving: %w", err)
	}
	if err := atomicfile.Copy(path, &checked{body: body, sum: sha256.New(), progress: progress}, fileMode); err != nil {
		return err
	}
	if body.Modified.IsZero() {
		return nil
	}
	return os.Chtimes(path, body.Modified, body.Modified)
}

// checked is a body whose end is an error when it has not the digest that it must have.
type checked struct {
	body     source.Body
	sum      hash.Hash
	done     int64
	progress func(done int64)
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	_, _ = c.sum.Write(p[:n]) // never fails
	if c.done += int64(n); c.progress != nil {
		c.progress(c.done)
	}
	if errors.Is(err, io.EOF) && c.body.Digest != "" && hex.EncodeToString(c.sum.Sum(nil)) != c.body.Digest {
		return n, fault.Errorf(fault.Invalid, "the data file has another digest than the hub says")
	}
	return n, err
}

// digestOf returns the hex SHA-256 of a file.
func digestOf(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // ours
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
