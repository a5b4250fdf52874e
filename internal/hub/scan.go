package hub

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/internal/platform/yamlfile"
)

// Paths say where the parts of a hub lie. All are absolute.
type Paths struct {
	HubDir    string
	IndexPath string
	ConfigDir string
	DataDir   string // of data files; only who installs needs it
}

// Item is one installed item.
type Item struct {
	Kind    Kind
	Name    string // "author/name"; of a local one, what its first document says
	Stage   string // of parsers and postoverflows
	Path    string // below the configuration folder; a link for hub items
	Text    []byte
	Version string // "" for a local item, "?" for a tainted one
	Hash    string // hex SHA-256 of Text, "" for a local item
}

// Local reports whether the item does not come from the hub.
func (i *Item) Local() bool { return i.Hash == "" }

// Inventory is what is installed.
type Inventory struct {
	byKind map[Kind][]Item
}

// Installed returns the items of a kind, in the byte order of their paths.
func (i *Inventory) Installed(kind Kind) []Item { return i.byKind[kind] }

// Names returns the names of the installed items of a kind, sorted without regard to case.
func (i *Inventory) Names(kind Kind) []string {
	names := make([]string, 0, len(i.byKind[kind]))
	for _, item := range i.byKind[kind] {
		names = append(names, item.Name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return names
}

// Scan reads the index, to which what comes with this program belongs in any case, and the installed items. Links that lead
// nowhere are logged and left out; an item that is no YAML is an error.
func Scan(paths Paths, log *slog.Logger) (*Inventory, error) {
	idx, err := readIndex(paths.IndexPath)
	if err != nil {
		return nil, err
	}
	ours, err := builtIn()
	if err != nil {
		return nil, err
	}
	idx.join(ours)
	scanner := newScanner(paths, idx, log)
	inventory := &Inventory{byKind: map[Kind][]Item{}}
	for _, kind := range Kinds() {
		items, err := scanner.scan(kind)
		if err != nil {
			return nil, err
		}
		inventory.byKind[kind] = scanner.lastOfEachName(items)
	}
	return inventory, nil
}

type scanner struct {
	paths   Paths
	hubDirs []string // the hub folder as configured, and as it really lies
	index   index
	names   map[Kind]map[string]string // of index entries, by path below the hub folder
	log     *slog.Logger
}

func newScanner(paths Paths, idx index, log *slog.Logger) *scanner {
	s := &scanner{paths: paths, hubDirs: []string{paths.HubDir}, index: idx, names: map[Kind]map[string]string{}, log: log}
	if resolved, err := filepath.EvalSymlinks(paths.HubDir); err == nil {
		s.hubDirs = append(s.hubDirs, resolved)
	}
	for kind, entries := range idx {
		s.names[kind] = make(map[string]string, len(entries))
		for name, entry := range entries {
			s.names[kind][entry.Path] = name
		}
	}
	return s
}

func (s *scanner) scan(kind Kind) ([]Item, error) {
	root := filepath.Join(s.paths.ConfigDir, string(kind))
	var items []Item
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == root:
			return nil
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && path != root:
			return filepath.SkipDir
		case entry.IsDir() || !isYAML(path):
			return nil
		}
		item, ok, err := s.item(kind, root, path)
		if ok {
			items = append(items, item)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("scanning %s: %w", root, err)
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.Path, b.Path) })
	return items, nil
}

func isYAML(path string) bool {
	extension := filepath.Ext(path)
	return extension == ".yaml" || extension == ".yml"
}

// item reads one installed file; ok is false when there is nothing to read.
func (s *scanner) item(kind Kind, root, path string) (item Item, ok bool, err error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		s.log.Warn("ignoring an installed item that cannot be followed", "path", path, "error", err)
		return Item{}, false, nil
	}
	text, err := os.ReadFile(target)
	if err != nil {
		s.log.Warn("ignoring an installed item that cannot be read", "path", path, "error", err)
		return Item{}, false, nil
	}
	relative, err := filepath.Rel(root, path)
	if err != nil {
		return Item{}, false, err
	}
	item = Item{Kind: kind, Path: path, Text: text}
	if kind.staged() {
		item.Stage, relative, _ = strings.Cut(relative, string(filepath.Separator))
	}
	if name, entry := s.published(kind, path, target); entry != nil {
		item.Name = name
		item.Hash, item.Version = identify(entry, text)
		return item, true, nil
	}
	if item.Name, err = localName(path, text); err != nil {
		return Item{}, false, err
	}
	item.Name = cmp.Or(item.Name, relative)
	return item, true, nil
}

// published finds the index entry that a link leads to. A link counts by where it points, and by where
// that is after following further links.
func (s *scanner) published(kind Kind, path, target string) (string, *indexEntry) {
	link, err := os.Readlink(path)
	if err != nil {
		return "", nil
	}
	for _, candidate := range []string{link, target} {
		for _, hubDir := range s.hubDirs {
			relative, err := filepath.Rel(hubDir, candidate)
			if err != nil {
				continue
			}
			if name, known := s.names[kind][relative]; known {
				return name, s.index[kind][name]
			}
		}
	}
	return "", nil
}

func identify(entry *indexEntry, text []byte) (hash, version string) {
	sum := sha256.Sum256(text)
	hash = hex.EncodeToString(sum[:])
	version, known := entry.versionOf(hash)
	if !known {
		version = "?"
	}
	return hash, version
}

// localName returns the name that the first document gives itself.
func localName(path string, text []byte) (string, error) {
	var document struct {
		Name string `yaml:"name"`
	}
	err := yamlfile.DecodeLenient(path, text, &document)
	return document.Name, err
}

// lastOfEachName keeps the item that was scanned last when two have the same name.
func (s *scanner) lastOfEachName(items []Item) []Item {
	byName := map[string]int{}
	for i := range items {
		if earlier, taken := byName[items[i].Name]; taken {
			s.log.Warn("two installed items have the same name, the last one counts",
				"name", items[i].Name, "ignored", items[earlier].Path, "path", items[i].Path)
		}
		byName[items[i].Name] = i
	}
	var kept []Item
	for i := range items {
		if byName[items[i].Name] == i {
			kept = append(kept, items[i])
		}
	}
	return kept
}
