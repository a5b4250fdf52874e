package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"shieldwall/content"
)

// Kind is a type of item, spelled as its folder.
type Kind string

// The kinds that this program knows.
const (
	Parsers       Kind = "parsers"
	Postoverflows Kind = "postoverflows"
	Scenarios     Kind = "scenarios"
	Contexts      Kind = "contexts"
	Collections   Kind = "collections"
	AppsecConfigs Kind = "appsec-configs"
	AppsecRules   Kind = "appsec-rules"
)

// Kinds returns all kinds in the published order: a collection comes after what it may consist of.
func Kinds() []Kind {
	return []Kind{Parsers, Postoverflows, Scenarios, Contexts, AppsecConfigs, AppsecRules, Collections}
}

// Singular returns what one item of the kind is called, such as "parser".
func (k Kind) Singular() string { return strings.TrimSuffix(string(k), "s") }

// staged reports whether items of the kind lie in a folder per stage.
func (k Kind) staged() bool { return k == Parsers || k == Postoverflows }

// index is .index.json: per kind, the items by name. Only what tells versions apart is read.
type index map[Kind]map[string]*indexEntry

type indexEntry struct {
	Path     string                  `json:"path"` // below the hub folder
	Stage    string                  `json:"stage"`
	Version  string                  `json:"version"` // the latest
	Versions map[string]indexVersion `json:"versions"`
}

type indexVersion struct {
	Digest string `json:"digest"` // hex SHA-256 of the file
}

// readIndex treats a missing file as an empty hub: an installation may live on local items alone.
func readIndex(path string) (index, error) {
	text, err := os.ReadFile(path) //nolint:gosec // from the configuration
	if errors.Is(err, fs.ErrNotExist) {
		return index{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading hub index: %w", err)
	}
	idx, err := decodeIndex(text)
	if err != nil {
		return nil, fmt.Errorf("reading hub index %s: %w", path, err)
	}
	for kind, entries := range idx {
		for name, entry := range entries {
			if err := entry.validate(kind); err != nil {
				return nil, fmt.Errorf("hub index %s: %s %s: %w", path, kind, name, err)
			}
		}
	}
	return idx, nil
}

func (e *indexEntry) validate(kind Kind) error {
	switch {
	case e == nil:
		return errors.New("item is null")
	case e.Path == "":
		return errors.New("path is missing")
	case kind.staged() && e.Stage == "":
		return errors.New("stage is missing")
	}
	return nil
}

// builtIn returns the index of what comes with this program.
func builtIn() (index, error) { return decodeIndex(content.Index()) }

// join adds what another index offers. Where both know an item, the newer version counts, and files of all versions are
// recognized.
func (idx index) join(other index) {
	for kind, entries := range other {
		if idx[kind] == nil {
			idx[kind] = map[string]*indexEntry{}
		}
		for name, entry := range entries {
			idx[kind][name] = idx[kind][name].orNewer(entry)
		}
	}
}

// orNewer returns the newer one of two entries of the same item, with the versions of both. e may be nil.
func (e *indexEntry) orNewer(other *indexEntry) *indexEntry {
	if e == nil {
		return other
	}
	if newer(other.Version, e.Version) {
		return other.orNewer(e)
	}
	joined := *e
	joined.Versions = maps.Clone(other.Versions)
	maps.Copy(joined.Versions, e.Versions)
	return &joined
}

// versionOf returns the version with that digest, false when the file is of no published version.
func (e *indexEntry) versionOf(digest string) (string, bool) {
	if e.Versions[e.Version].Digest == digest {
		return e.Version, true
	}
	best := ""
	for version, published := range e.Versions {
		if published.Digest == digest && newer(version, best) {
			best = version
		}
	}
	return best, best != ""
}
