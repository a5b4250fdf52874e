package parser

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
	"shieldwall/internal/platform/yamlfile"
)

// Deps is what loading needs. Patterns is used up: items add their own patterns to it.
type Deps struct {
	Log         *slog.Logger
	Expressions *expression.Library
	Patterns    *grok.Library
	Data        *datafile.Set
	DataDir     string
	Stash       *stash.Stash
	Methods     map[string]enrich.Method
	Metrics     *Metrics
}

// Set is a loaded collection of parsers.
type Set struct {
	stages  []stage // by name
	next    map[string]string
	counted []*node // by their number
	log     *slog.Logger
	metrics *Metrics
	plain   bool // events keep their texts in maps, which is slower
}

type stage struct {
	name  string
	nodes []*node // in the order of loading
	route *route  // nil: the nodes are asked one after the other
}

// Load compiles items, in the byte order of their paths. Data files that cannot be read are logged; every
// other problem is an error that names the file.
func Load(items []Item, deps Deps) (*Set, error) {
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	set := &Set{next: map[string]string{}, log: deps.Log, metrics: deps.Metrics, plain: deps.Expressions.IsPlain()}
	byStage := map[string][]*node{}
	for _, item := range items {
		if extension := filepath.Ext(item.Path); extension != ".yaml" && extension != ".yml" {
			deps.Log.Warn("ignoring a parser whose name ends neither in .yaml nor .yml", "file", item.Path)
			continue
		}
		nodes, err := loadItem(item, deps)
		if err != nil {
			return nil, err
		}
		byStage[item.Stage] = append(byStage[item.Stage], nodes...)
	}
	for name, nodes := range byStage {
		if len(nodes) > 0 {
			set.stages = append(set.stages, stage{name: name, nodes: nodes})
		}
	}
	slices.SortFunc(set.stages, func(a, b stage) int { return strings.Compare(a.name, b.name) })
	for i, s := range set.stages {
		set.number(s.nodes)
		if !set.plain {
			set.stages[i].route = newRoute(s.nodes)
		}
		set.next[s.name] = set.stages[min(i+1, len(set.stages)-1)].name
	}
	return set, nil
}

// number gives nodes with a name the place of their counters.
func (s *Set) number(nodes []*node) {
	for _, n := range nodes {
		n.number = -1
		if n.name != "" {
			n.number = len(s.counted)
			s.counted = append(s.counted, n)
		}
		s.number(n.children)
	}
}

func loadItem(item Item, deps Deps) ([]*node, error) {
	documents, err := yamlfile.DecodeAll[nodeSpec](item.Path, item.Text)
	if err != nil {
		return nil, err
	}
	var nodes []*node
	for i := range documents {
		document := &documents[i]
		if !SupportedFormat(document.Format) {
			line := yamlfile.Line(item.Text, i, yamlfile.In("format", errUnsupported))
			deps.Log.Error("skipping a document of an unsupported format", "file", item.Path, "line", line, "format", document.Format)
			continue
		}
		if document.anonymous() {
			deps.Log.Info("skipping a document without name, description and author", "file", item.Path)
			continue
		}
		compiler := nodeCompiler{deps: deps, path: item.Path, stage: item.Stage}
		node, err := compiler.compile(document)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %s: %w", item.Path, yamlfile.Line(item.Text, i, err), document.title(), err)
		}
		for _, err := range compiler.loadData(document) {
			deps.Log.Error("data file cannot be used", "file", item.Path, "line", yamlfile.Line(item.Text, i, err), "error", err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// nodeCompiler compiles the nodes of one file.
type nodeCompiler struct {
	deps  Deps
	path  string
	stage string
}

func (c *nodeCompiler) compile(spec *nodeSpec) (*node, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	if err := c.addPatterns(spec.PatternSyntax); err != nil {
		return nil, err
	}
	n := &node{
		name:      spec.Name,
		stage:     c.stage,
		nextStage: spec.OnSuccess == "next_stage",
		remembers: spec.memory(),
		fillsMore: setsFields(spec.Filter) || slices.ContainsFunc(spec.expressions(), setsFields),
		log:       c.deps.Log.With("parser", spec.Name),
	}
	steps := []struct {
		key string
		run func(*node, *nodeSpec) error
	}{
		{"filter", c.compileFilter},
		{"grok", c.compileGrok},
		{"stash", c.compileStash},
		{"whitelist", c.compileWhitelist},
		{"statics", c.compileStatics},
		{"nodes", c.compileChildren},
	}
	for _, step := range steps {
		if err := step.run(n, spec); err != nil {
			return nil, yamlfile.In(step.key, err)
		}
	}
	return n, nil
}

// addPatterns registers patterns for all items that are loaded after this one. The first definition of a
// name is kept, as published.
func (c *nodeCompiler) addPatterns(patterns patternSyntax) error {
	for _, p := range patterns {
		err := c.deps.Patterns.Add(p.name, p.pattern)
		if fault.Is(err, fault.Exists) {
			if known, _ := c.deps.Patterns.Lookup(p.name); known != p.pattern {
				c.deps.Log.Warn("pattern exists already, keeping the first definition", "pattern", p.name, "file", c.path)
			}
			continue
		}
		if err != nil {
			return yamlfile.In("pattern_syntax", yamlfile.In(p.name, err))
		}
	}
	return nil
}

// loadData reads the files of a node and its children. Without one the others are of use, as published.
func (c *nodeCompiler) loadData(spec *nodeSpec) []error {
	var problems []error
	for i, entry := range spec.Data {
		if err := c.deps.Data.Load(entry, c.deps.DataDir); err != nil {
			problems = append(problems, yamlfile.In("data", yamlfile.Entry(i, err)))
		}
	}
	for i := range spec.Nodes {
		for _, err := range c.loadData(&spec.Nodes[i]) {
			problems = append(problems, yamlfile.In("nodes", yamlfile.Entry(i, err)))
		}
	}
	return problems
}

func (c *nodeCompiler) compileFilter(n *node, spec *nodeSpec) error {
	if spec.Filter == "" {
		return nil
	}
	filter, err := c.deps.Expressions.CompileBool(spec.Filter, event.Env{})
	n.filter = filter
	return err
}

func (c *nodeCompiler) compileGrok(n *node, spec *nodeSpec) error {
	if !spec.Grok.present() {
		return nil
	}
	key, pattern := "pattern", spec.Grok.Pattern
	if spec.Grok.Name != "" {
		key, pattern = "name", "%{"+spec.Grok.Name+"}"
	}
	compiled, err := c.deps.Patterns.Compile(pattern)
	if err != nil {
		return yamlfile.In(key, err)
	}
	step := &grokStep{pattern: compiled, applyOn: spec.Grok.ApplyOn, text: event.ParsedField(spec.Grok.ApplyOn)}
	for _, name := range compiled.Fields() {
		step.fields = append(step.fields, event.ParsedField(name))
	}
	if spec.Grok.ApplyOn == "" {
		if step.subject, err = c.deps.Expressions.CompileAny(spec.Grok.Expression, event.Env{}); err != nil {
			return yamlfile.In("expression", err)
		}
	}
	if step.statics, err = c.statics(spec.Grok.Statics); err != nil {
		return yamlfile.In("statics", err)
	}
	n.grok = step
	return nil
}

func (c *nodeCompiler) compileStatics(n *node, spec *nodeSpec) error {
	statics, err := c.statics(spec.Statics)
	n.statics = statics
	return err
}

func (c *nodeCompiler) compileChildren(n *node, spec *nodeSpec) error {
	for i := range spec.Nodes {
		child := &spec.Nodes[i]
		if child.Name == "" {
			child.Name = "child-" + spec.Name
		}
		compiled, err := c.compile(child)
		if err != nil {
			return yamlfile.Entry(i, err)
		}
		n.children = append(n.children, compiled)
	}
	if !c.deps.Expressions.IsPlain() {
		n.siblings = newSiblings(n.children)
	}
	return nil
}
