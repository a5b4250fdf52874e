package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// Catalog is an index of a hub: all items that it offers, installed or not. It does not change.
type Catalog struct {
	entries index
	raw     map[Kind]map[string]json.RawMessage // the same entries, with everything that they say
}

// Entry says where an item lies.
type Entry struct {
	Path  string // below the hub folder
	Stage string // of parsers and postoverflows
}

// ReadCatalog reads the index file at path. A missing file is an empty catalog.
func ReadCatalog(path string) (*Catalog, error) {
	entries, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path) //nolint:gosec // the caller's hub
	if errors.Is(err, fs.ErrNotExist) {
		return &Catalog{entries: entries}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading hub index: %w", err)
	}
	c := &Catalog{entries: entries}
	if err := json.Unmarshal(text, &c.raw); err != nil {
		return nil, fmt.Errorf("reading hub index %s: %w", path, err)
	}
	return c, nil
}

// Names returns the names of all items of a kind, sorted.
func (c *Catalog) Names(kind Kind) []string { return slices.Sorted(maps.Keys(c.entries[kind])) }

// Find returns the entry of an item, false when the hub does not offer it.
func (c *Catalog) Find(kind Kind, name string) (Entry, bool) {
	entry, ok := c.entries[kind][name]
	if !ok {
		return Entry{}, false
	}
	return Entry{Path: entry.Path, Stage: entry.Stage}, true
}

// Subset returns the text of an index that offers the named items alone. Names that the hub does not offer
// are left out.
func (c *Catalog) Subset(names map[Kind][]string) ([]byte, error) {
	subset := map[Kind]map[string]json.RawMessage{}
	for kind, wanted := range names {
		subset[kind] = map[string]json.RawMessage{}
		for _, name := range wanted {
			if raw, ok := c.raw[kind][name]; ok {
				subset[kind][name] = raw
			}
		}
	}
	text, err := json.Marshal(subset)
	if err != nil {
		return nil, fmt.Errorf("encoding hub index: %w", err)
	}
	return text, nil
}
