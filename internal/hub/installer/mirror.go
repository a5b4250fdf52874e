package installer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"shieldwall/internal/hub"
	"shieldwall/internal/hub/source"
)

// MirrorConfig says what to mirror, and where.
type MirrorConfig struct {
	Catalog  *hub.Catalog
	Source   Source // of everything that does not come with this program
	Dir      string // becomes a hub folder
	Tell     func(line string)
	Progress func(done, total int) // items
}

// Mirror makes Dir a hub of all that the catalog offers, with the data files that its items name. What is there already and
// is as it should be stays. The index comes last, so that it never names what is not there. Data files that cannot be had
// are an error at the end: the mirror is of use without them.
func Mirror(ctx context.Context, config MirrorConfig) error {
	m := mirror{config, source.Manifest{}, source.Manifest{}}
	if err := m.readManifest(); err != nil {
		return err
	}
	wanted, err := m.items(ctx)
	if err != nil {
		return err
	}
	missing := m.data(ctx, wanted)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, err := m.Catalog.Text()
	if err != nil {
		return err
	}
	if err := errors.Join(m.writeManifest(), m.replace(source.IndexName, text)); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("the mirror lacks %d data files, items that need them can be installed online only: %w", len(missing), errors.Join(missing...))
	}
	return nil
}

type mirror struct {
	MirrorConfig

	before, now source.Manifest
}

func (m *mirror) path(name string) string { return filepath.Join(m.Dir, filepath.FromSlash(name)) }

func (m *mirror) readManifest() error {
	text, err := os.ReadFile(m.path(source.ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		m.before, err = source.DecodeManifest(text)
	}
	return err
}

func (m *mirror) writeManifest() error {
	text, err := json.MarshalIndent(m.now, "", " ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", source.ManifestName, err)
	}
	return m.replace(source.ManifestName, append(text, '\n'))
}

// items mirrors all items and returns the data files that they name, by URL.
func (m *mirror) items(ctx context.Context) (map[string]source.File, error) {
	wanted, done, total := map[string]source.File{}, 0, 0
	for _, kind := range hub.Kinds() {
		total += len(m.Catalog.Names(kind))
	}
	for _, kind := range hub.Kinds() {
		for _, name := range m.Catalog.Names(kind) {
			done++
			m.Progress(done, total)
			files, err := m.item(ctx, m.Catalog.Offer(kind, name))
			if err != nil {
				return nil, fmt.Errorf("mirroring %s:%s: %w", kind, name, err)
			}
			for _, file := range files {
				if file.URL != "" {
					wanted[file.URL] = file
				}
			}
		}
	}
	return wanted, nil
}

func (m *mirror) item(ctx context.Context, offer *hub.Offer) ([]source.File, error) {
	path := m.path(offer.Path)
	digest, err := digestOf(path)
	if err == nil && digest == offer.Digest() {
		text, err := os.ReadFile(path) //nolint:gosec // of the mirror
		if err != nil {
			return nil, err
		}
		return Files(text)
	}
	text, err := Text(ctx, offer, m.Source)
	if err != nil {
		return nil, err
	}
	m.Tell("downloading " + offer.String())
	if err := save(path, text); err != nil {
		return nil, err
	}
	return Files(text)
}

// replace leaves a file alone that would not change.
func (m *mirror) replace(name string, text []byte) error {
	if old, err := os.ReadFile(m.path(name)); err == nil && string(old) == string(text) {
		return nil
	}
	return save(m.path(name), text)
}

// data mirrors data files and returns why some cannot be had. An older copy of those stays.
func (m *mirror) data(ctx context.Context, wanted map[string]source.File) (missing []error) {
	for _, url := range slices.Sorted(maps.Keys(wanted)) {
		if err := m.dataFile(ctx, wanted[url]); err != nil {
			missing = append(missing, err)
			if old, ok := m.before[url]; ok {
				m.now[url] = old
			}
		}
	}
	return missing
}

func (m *mirror) dataFile(ctx context.Context, file source.File) error {
	name := source.MirrorPath(file.URL)
	path := m.path(name)
	err := m.Source.Data(ctx, file, held(path), func(body source.Body) error {
		m.Tell("downloading " + file.URL)
		return write(path, body, nil)
	})
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	digest, err := digestOf(path)
	m.now[file.URL] = source.Mirrored{Path: name, Digest: digest, Modified: info.ModTime().UTC()}
	return err
}
