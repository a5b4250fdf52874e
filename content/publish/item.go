package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/hub"
)

// item is a file of content/items.
type item struct {
	Path   string // below content/items
	Stage  string // of parsers
	Digest string // hex SHA-256
	header
}

// header is what the index and the manual say of an item. It is that of the first document of its file.
type header struct {
	Name        string         `yaml:"name"`
	Description string         `yaml:"description"`
	Type        string         `yaml:"type"`
	Capacity    int            `yaml:"capacity"`
	LeakSpeed   string         `yaml:"leakspeed"`
	Labels      map[string]any `yaml:"labels"`
	References  []string       `yaml:"references"`
	Parsers     []string       `yaml:"parsers"`
	Scenarios   []string       `yaml:"scenarios"`
	Collections []string       `yaml:"collections"`
}

// readItems returns the items of a kind by their names. Documents behind the first of a file belong to it.
func readItems(root string, kind hub.Kind) (map[string]item, error) {
	items := map[string]item{}
	tree := os.DirFS(filepath.Join(root, itemsDir))
	err := fs.WalkDir(tree, string(kind), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		it, err := readItem(tree, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		if kind == hub.Parsers {
			it.Stage = path.Base(path.Dir(path.Dir(name)))
		}
		items[it.Name] = it
		return nil
	})
	return items, err
}

func readItem(tree fs.FS, name string) (item, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return item{}, err
	}
	digest := sha256.Sum256(text)
	it := item{Path: name, Digest: hex.EncodeToString(digest[:])}
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&it.header); err != nil && !errors.Is(err, io.EOF) {
		return item{}, err
	}
	return it, nil
}

// sorted returns items in the order of their names.
func sorted(items map[string]item) []item {
	list := make([]item, 0, len(items))
	for _, it := range items {
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b item) int { return strings.Compare(a.Name, b.Name) })
	return list
}
