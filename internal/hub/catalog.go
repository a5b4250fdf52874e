package hub

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/content"
	"shieldwall/internal/domain/fault"
)

// Catalog is an index of a hub: all items that it offers, installed or not. It does not change.
type Catalog struct {
	offers map[Kind]map[string]*Offer
}

// Entry says where an item lies.
type Entry struct {
	Path  string // below the hub folder
	Stage string // of parsers and postoverflows
}

// Ref names an item.
type Ref struct {
	Kind Kind
	Name string
}

// String returns "kind:name", as messages name items.
func (r Ref) String() string { return string(r.Kind) + ":" + r.Name }

// Offer is an item as a hub offers it.
type Offer struct {
	Ref

	Entry

	Version     string // the latest
	Description string
	Needs       []Ref // the items that a collection consists of, in the published order of kinds
	BuiltIn     bool  // comes with this program

	versions map[string]indexVersion
	content  string // base64, "" where the index does not have the file
	raw      json.RawMessage
}

// Digest returns the hex SHA-256 of the file of the latest version, "" when the hub does not say.
func (o *Offer) Digest() string { return o.versions[o.Version].Digest }

// Raw returns everything that the index says of the item, as JSON.
func (o *Offer) Raw() json.RawMessage { return o.raw }

// Content returns the file of the latest version, nil when the index does not have it inside.
func (o *Offer) Content() ([]byte, error) {
	if o.content == "" {
		return nil, nil
	}
	text, err := base64.StdEncoding.DecodeString(o.content)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "content of %s in the hub index: %w", o, err)
	}
	return text, nil
}

func (o *Offer) entry() *indexEntry {
	return &indexEntry{Path: o.Path, Stage: o.Stage, Version: o.Version, Versions: o.versions}
}

// ReadCatalog reads the index file at path. A missing file is an empty catalog.
func ReadCatalog(path string) (*Catalog, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the caller's hub
	if errors.Is(err, fs.ErrNotExist) {
		return &Catalog{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading hub index: %w", err)
	}
	c, err := DecodeCatalog(text)
	if err != nil {
		return nil, fmt.Errorf("reading hub index %s: %w", path, err)
	}
	return c, nil
}

// DecodeCatalog reads the text of an index. An item that cannot be installed as the index has it makes the whole of it
// invalid, which is of kind fault.Invalid. The text belongs to the catalog from then on.
func DecodeCatalog(text []byte) (*Catalog, error) {
	offers, err := decodeOffers(text)
	if err != nil {
		return nil, fault.Mark(fault.Invalid, err)
	}
	for _, kind := range slices.Sorted(maps.Keys(offers)) {
		for _, name := range slices.Sorted(maps.Keys(offers[kind])) {
			if err := offers[kind][name].validate(); err != nil {
				return nil, fault.Errorf(fault.Invalid, "%s %w", Ref{kind, name}, err)
			}
		}
	}
	return &Catalog{offers}, nil
}

// BuiltIn returns the catalog of what comes with this program.
func BuiltIn() (*Catalog, error) {
	c, err := DecodeCatalog(content.Index())
	if err != nil {
		return nil, fmt.Errorf("our own index: %w", err)
	}
	for _, byName := range c.offers {
		for _, offer := range byName {
			offer.BuiltIn = true
		}
	}
	return c, nil
}

// Join returns a catalog of what either offers. Where both offer an item, the newer version counts, and that of c when
// they are equal; files of all versions are recognized.
func (c *Catalog) Join(other *Catalog) *Catalog {
	joined := map[Kind]map[string]*Offer{}
	for _, one := range []*Catalog{c, other} {
		for kind, byName := range one.offers {
			if joined[kind] == nil {
				joined[kind] = map[string]*Offer{}
			}
			for name, offer := range byName {
				joined[kind][name] = joined[kind][name].orNewer(offer)
			}
		}
	}
	return &Catalog{joined}
}

// orNewer returns the newer one of two offers of the same item, with the versions of both. o may be nil.
func (o *Offer) orNewer(other *Offer) *Offer {
	if o == nil {
		return other
	}
	if newer(other.Version, o.Version) {
		return other.orNewer(o)
	}
	joined := *o
	joined.versions = maps.Clone(other.versions)
	maps.Copy(joined.versions, o.versions)
	return &joined
}

// Names returns the names of all items of a kind, sorted.
func (c *Catalog) Names(kind Kind) []string { return slices.Sorted(maps.Keys(c.offers[kind])) }

// Find returns the entry of an item, false when the hub does not offer it.
func (c *Catalog) Find(kind Kind, name string) (Entry, bool) {
	offer, ok := c.offers[kind][name]
	if !ok {
		return Entry{}, false
	}
	return offer.Entry, true
}

// Offer returns what the hub says of an item, nil when it does not offer it.
func (c *Catalog) Offer(kind Kind, name string) *Offer { return c.offers[kind][name] }

// Text returns the text of an index with everything.
func (c *Catalog) Text() ([]byte, error) {
	all := map[Kind][]string{}
	for _, kind := range Kinds() {
		all[kind] = c.Names(kind)
	}
	return c.Subset(all)
}

// Subset returns the text of an index that offers the named items alone. Names that the hub does not offer
// are left out.
func (c *Catalog) Subset(names map[Kind][]string) ([]byte, error) {
	subset := map[Kind]map[string]json.RawMessage{}
	for kind, wanted := range names {
		subset[kind] = map[string]json.RawMessage{}
		for _, name := range wanted {
			if offer, ok := c.offers[kind][name]; ok {
				subset[kind][name] = offer.raw
			}
		}
	}
	text, err := json.Marshal(subset)
	if err != nil {
		return nil, fmt.Errorf("encoding hub index: %w", err)
	}
	return text, nil
}

func (c *Catalog) index() index {
	idx := index{}
	for kind, byName := range c.offers {
		idx[kind] = make(map[string]*indexEntry, len(byName))
		for name, offer := range byName {
			idx[kind][name] = offer.entry()
		}
	}
	return idx
}

// validate refuses what could not be installed, or would be somewhere else than in its place.
func (o *Offer) validate() error {
	switch {
	case o == nil:
		return errors.New("has no index metadata")
	case o.Path == "":
		return errors.New("has no download path")
	case o.Kind.staged() && o.Stage == "":
		return errors.New("has no stage")
	case !filepath.IsLocal(o.Path) || path.Clean(o.Path) != o.Path || strings.Contains(o.Path, `\`) || !isYAML(o.Path):
		return fmt.Errorf("has a download path that is none: '%s'", o.Path)
	case o.Stage != path.Base(o.Stage) && o.Stage != "", o.Stage == "..", o.Stage == ".":
		return fmt.Errorf("has a stage that is none: '%s'", o.Stage)
	}
	return nil
}
