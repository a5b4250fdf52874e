package parser

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/platform/yamlfile"
)

// Item is one installed parser or postoverflow file.
type Item struct {
	Path  string // named in errors
	Stage string // directory below parsers/ or postoverflows/
	Text  []byte // YAML, one node a document
}

// nodeSpec is a node as written.
type nodeSpec struct {
	Format        string           `yaml:"format"`
	Name          string           `yaml:"name"`
	Description   string           `yaml:"description"`
	Author        string           `yaml:"author"`
	References    []string         `yaml:"references"`
	Debug         bool             `yaml:"debug"`     // accepted; the log level decides
	Profiling     bool             `yaml:"profiling"` // accepted without effect, as published
	Stage         string           `yaml:"stage"`     // ignored: the directory decides
	OnSuccess     string           `yaml:"onsuccess"`
	Filter        string           `yaml:"filter"`
	Nodes         []nodeSpec       `yaml:"nodes"`
	PatternSyntax patternSyntax    `yaml:"pattern_syntax"`
	Grok          grokSpec         `yaml:"grok"`
	Statics       []staticSpec     `yaml:"statics"`
	Stash         []stashSpec      `yaml:"stash"`
	Whitelist     whitelistSpec    `yaml:"whitelist"`
	Data          []datafile.Entry `yaml:"data"`
}

type grokSpec struct {
	Name       string       `yaml:"name"`
	Pattern    string       `yaml:"pattern"`
	ApplyOn    string       `yaml:"apply_on"`
	Expression string       `yaml:"expression"`
	Statics    []staticSpec `yaml:"statics"`
}

type staticSpec struct {
	Value      string `yaml:"value"`
	Expression string `yaml:"expression"`
	Method     string `yaml:"method"`
	Parsed     string `yaml:"parsed"`
	Meta       string `yaml:"meta"`
	Enriched   string `yaml:"enriched"`
	Target     string `yaml:"target"`
}

type stashSpec struct {
	Name     string `yaml:"name"`
	Key      string `yaml:"key"`
	Value    string `yaml:"value"`
	TTL      string `yaml:"ttl"`
	Size     int    `yaml:"size"`
	Strategy string `yaml:"strategy"`
}

type whitelistSpec struct {
	Reason      string   `yaml:"reason"`
	IPs         []string `yaml:"ip"`
	CIDRs       []string `yaml:"cidr"`
	Expressions []string `yaml:"expression"`
}

func (w *whitelistSpec) empty() bool { return len(w.IPs)+len(w.CIDRs)+len(w.Expressions) == 0 }

// patternSyntax keeps the order in which patterns are written: later ones may use earlier ones.
type patternSyntax []namedPattern

type namedPattern struct {
	name, pattern string
}

// UnmarshalYAML reads a mapping of names to patterns.
func (p *patternSyntax) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: pattern_syntax must be a mapping of names to patterns", node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.ShortTag() != "!!str" {
			return fmt.Errorf("line %d: pattern_syntax: %s must be a string", value.Line, key.Value)
		}
		var pattern string
		if err := value.Decode(&pattern); err != nil { // an alias has its text elsewhere
			return err
		}
		*p = append(*p, namedPattern{key.Value, pattern})
	}
	return nil
}

// validate checks what can be checked without compiling anything.
func (n *nodeSpec) validate() error {
	switch n.OnSuccess {
	case "", "continue", "next_stage":
	default:
		return yamlfile.In("onsuccess", fmt.Errorf("'%s' is not one of next_stage, continue", n.OnSuccess))
	}
	if err := n.Grok.validate(); err != nil {
		return yamlfile.In("grok", err)
	}
	if !n.Grok.present() && len(n.Nodes) == 0 && len(n.Statics) == 0 && n.Whitelist.empty() {
		return errors.New("node is empty: it needs grok, nodes, statics or a whitelist")
	}
	for i := range n.Statics {
		if err := n.Statics[i].validate(); err != nil {
			return yamlfile.In("statics", yamlfile.Entry(i, err))
		}
	}
	return nil
}

// expressions returns all that is evaluated in a node, apart from its children, once an event has entered it.
func (n *nodeSpec) expressions() []string {
	all := append([]string{n.Grok.Expression}, n.Whitelist.Expressions...)
	for _, s := range slices.Concat(n.Statics, n.Grok.Statics) {
		all = append(all, s.Expression)
	}
	for _, s := range n.Stash {
		all = append(all, s.Key, s.Value)
	}
	return all
}

func (g *grokSpec) present() bool { return g.Name != "" || g.Pattern != "" }

func (g *grokSpec) validate() error {
	hasSubject := g.ApplyOn != "" || g.Expression != ""
	switch {
	case g.present() && !hasSubject:
		return errors.New("apply_on or expression is required")
	case !g.present() && (hasSubject || len(g.Statics) > 0):
		return errors.New("pattern or name is required")
	}
	return nil
}

// validate applies to the statics of nodes only; those of grok blocks are not checked, as published.
func (s *staticSpec) validate() error {
	if s.Value == "" && s.Expression == "" {
		return errors.New("value or expression is required")
	}
	if s.Method == "" && s.Parsed == "" && s.Meta == "" && s.Target == "" {
		return errors.New("one of method, parsed, meta, target is required")
	}
	return nil
}

var errUnsupported = errors.New("is not supported")

// title is what a document says that it is for.
func (n *nodeSpec) title() string { return cmp.Or(n.Name, n.Description, n.Author) }

// anonymous documents carry nothing that says what they are for; they are left out, as published.
func (n *nodeSpec) anonymous() bool { return n.title() == "" }

// SupportedFormat reports whether a document's format version is one that this program reads: 1.0 to 3.0.
// A document without one is of the first.
func SupportedFormat(version string) bool {
	if version == "" {
		return true
	}
	var numbers []uint64
	for part := range strings.SplitSeq(version, ".") {
		number, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return false
		}
		numbers = append(numbers, number)
	}
	for len(numbers) > 0 && numbers[len(numbers)-1] == 0 { // 3.0.0 is 3
		numbers = numbers[:len(numbers)-1]
	}
	return slices.Compare(numbers, []uint64{1}) >= 0 && slices.Compare(numbers, []uint64{3}) <= 0
}
