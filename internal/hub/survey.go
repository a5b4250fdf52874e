package hub

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Holding is what is known of one item: what a hub offers, and what lies here.
type Holding struct {
	Ref

	Stage       string // of parsers and postoverflows
	Description string
	Needs       []Ref  // the items that a collection consists of
	Offer       *Offer // nil for a local item

	LocalPath    string // of an installed item, in the configuration folder
	LocalVersion string // of the file that lies here, "?" when it is of no published version, "" without a file
	LocalHash    string // hex SHA-256 of that file

	Downloaded bool // the file lies in the hub folder
	Installed  bool
	Local      bool // not from a hub
	UpToDate   bool
	Tainted    bool
	TaintedBy  []Ref    // the items to blame, itself among them
	BelongsTo  []string // all collections that name the item, sorted
}

// Outdated reports whether there is a newer version of what is installed.
func (h *Holding) Outdated() bool { return h.Installed && !h.UpToDate && !h.Tainted && !h.Local }

// FileName returns the name of the file.
func (h *Holding) FileName() string {
	if h.Offer != nil {
		return filepath.Base(h.Offer.Path)
	}
	return filepath.Base(h.LocalPath)
}

// Edited reports whether the file itself is of no published version, whatever the items are that it names.
func (h *Holding) Edited() bool { return h.LocalVersion == "?" }

// Current reports whether the file itself is that of the latest version.
func (h *Holding) Current() bool {
	return h.Offer != nil && h.LocalHash != "" && h.LocalHash == h.Offer.Digest()
}

// Holdings are all items that a hub offers or that are installed.
type Holdings struct {
	byKind map[Kind]map[string]*Holding
}

// Survey reads the index, to which what comes with this program belongs in any case, and finds out what is downloaded and
// installed. What is odd but does no harm is logged. An index that cannot be used is of kind fault.Invalid.
func Survey(paths Paths, log *slog.Logger) (*Holdings, error) {
	catalog, err := ReadCatalog(paths.IndexPath)
	if err != nil {
		return nil, fmt.Errorf("invalid hub index: %w. Run 'sudo cscli hub update' to download the index again", err)
	}
	ours, err := BuiltIn()
	if err != nil {
		return nil, err
	}
	return SurveyCatalog(catalog.Join(ours), paths, log)
}

// SurveyCatalog is Survey with what is offered given, whatever the index on disk says.
func SurveyCatalog(catalog *Catalog, paths Paths, log *slog.Logger) (*Holdings, error) {
	h := &Holdings{byKind: map[Kind]map[string]*Holding{}}
	scanner := newScanner(paths, catalog.index(), log)
	for _, kind := range Kinds() {
		h.byKind[kind] = make(map[string]*Holding, len(catalog.offers[kind]))
		for name, offer := range catalog.offers[kind] {
			holding, err := h.downloaded(offer, paths)
			if err != nil {
				return nil, err
			}
			h.byKind[kind][name] = holding
		}
		items, err := scanner.scan(kind)
		if err != nil {
			return nil, err
		}
		for _, item := range scanner.lastOfEachName(items) {
			if err := h.installed(&item); err != nil {
				return nil, err
			}
		}
	}
	h.settle()
	h.warn(log)
	return h, nil
}

// downloaded returns the holding of an offer as the hub folder shows it.
func (h *Holdings) downloaded(offer *Offer, paths Paths) (*Holding, error) {
	holding := &Holding{Ref: offer.Ref, Stage: offer.Stage, Description: offer.Description, Needs: offer.Needs, Offer: offer}
	text, err := os.ReadFile(filepath.Join(paths.HubDir, offer.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return holding, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", offer, err)
	}
	holding.Downloaded = true
	holding.LocalHash, holding.LocalVersion = identify(offer.entry(), text)
	return holding, nil
}

// installed adds what the configuration folder shows.
func (h *Holdings) installed(item *Item) error {
	if !item.Local() {
		holding := h.byKind[item.Kind][item.Name]
		holding.Installed, holding.LocalPath = true, item.Path
		holding.LocalHash, holding.LocalVersion = item.Hash, item.Version
		return nil
	}
	holding := &Holding{
		Ref: Ref{item.Kind, item.Name}, Stage: item.Stage, LocalPath: item.Path, Installed: true, Local: true, UpToDate: true,
	}
	h.byKind[item.Kind][item.Name] = holding
	return holding.describe(item)
}

// describe reads what the first document of a local item says of it.
func (h *Holding) describe(item *Item) error {
	var document struct {
		Description   string   `yaml:"description"`
		Parsers       []string `yaml:"parsers"`
		Postoverflows []string `yaml:"postoverflows"`
		Scenarios     []string `yaml:"scenarios"`
		Contexts      []string `yaml:"contexts"`
		AppsecConfigs []string `yaml:"appsec-configs"`
		AppsecRules   []string `yaml:"appsec-rules"`
		Collections   []string `yaml:"collections"`
	}
	if item.Kind != Collections {
		return yaml.Unmarshal(item.Text, &struct {
			Description *string `yaml:"description"`
		}{&h.Description})
	}
	if err := yaml.Unmarshal(item.Text, &document); err != nil {
		return fmt.Errorf("%s: %w", item.Path, err)
	}
	h.Description = document.Description
	for kind, names := range map[Kind][]string{
		Parsers: document.Parsers, Postoverflows: document.Postoverflows, Scenarios: document.Scenarios, Contexts: document.Contexts,
		AppsecConfigs: document.AppsecConfigs, AppsecRules: document.AppsecRules, Collections: document.Collections,
	} {
		for _, name := range names {
			h.Needs = append(h.Needs, Ref{kind, name})
		}
	}
	slices.SortStableFunc(h.Needs, func(a, b Ref) int {
		return cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind))
	})
	return nil
}

// settle derives what a holding is from its own file, and of collections from all that they consist of.
func (h *Holdings) settle() {
	for _, kind := range Kinds() {
		for _, holding := range h.byKind[kind] {
			if holding.Local {
				continue
			}
			holding.UpToDate = holding.Current()
			if holding.Edited() {
				holding.blame(holding.Ref)
			}
		}
	}
	seen := map[*Holding]bool{}
	for _, collection := range h.All(Collections) {
		h.settleCollection(collection, seen)
	}
}

func (h *Holding) blame(ref Ref) {
	h.Tainted, h.UpToDate = true, false
	if !slices.Contains(h.TaintedBy, ref) {
		h.TaintedBy = append(h.TaintedBy, ref)
	}
}

// settleCollection sees to each collection once, after those that it names. That ends also where collections name each
// other.
func (h *Holdings) settleCollection(c *Holding, seen map[*Holding]bool) {
	if seen[c] {
		return
	}
	seen[c] = true
	for _, need := range c.Needs {
		part := h.Find(need)
		if part == nil {
			continue
		}
		if need.Kind == Collections {
			h.settleCollection(part, seen)
		}
		if !slices.Contains(part.BelongsTo, c.Name) {
			part.BelongsTo = append(part.BelongsTo, c.Name)
			slices.Sort(part.BelongsTo)
		}
		if c.Installed && !c.Local {
			c.judge(part)
		}
	}
}

// judge says of an installed collection what follows from one of its parts. What the latest version consists of is known;
// an older one may have had other parts, so that only what is there can taint it.
func (h *Holding) judge(part *Holding) {
	switch {
	case part.Installed && part.Tainted:
		for _, ref := range part.TaintedBy {
			h.blame(ref)
		}
	case !h.Current():
	case !part.Installed:
		h.blame(part.Ref)
	case !part.UpToDate:
		h.UpToDate = false
	}
}

// warn logs the parts of installed collections that nobody knows.
func (h *Holdings) warn(log *slog.Logger) {
	for _, collection := range h.Installed(Collections) {
		for _, need := range collection.Needs {
			if h.Find(need) == nil {
				log.Error("an installed collection needs an item that the hub does not have", "collection", collection.Name, "item", need.String())
			}
		}
	}
}

// Find returns an item, nil when nobody knows it.
func (h *Holdings) Find(ref Ref) *Holding { return h.byKind[ref.Kind][ref.Name] }

// All returns the items of a kind, sorted by name without regard to case.
func (h *Holdings) All(kind Kind) []*Holding {
	return slices.SortedFunc(maps.Values(h.byKind[kind]), func(a, b *Holding) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
}

// Installed returns the installed items of a kind, sorted as All.
func (h *Holdings) Installed(kind Kind) []*Holding {
	return slices.DeleteFunc(h.All(kind), func(holding *Holding) bool { return !holding.Installed })
}

// Count returns how many items of a kind there are, installed or not.
func (h *Holdings) Count(kind Kind) int { return len(h.byKind[kind]) }
