package parser

import (
	"maps"
	"slices"
	"strings"

	"shieldwall/internal/logprocessor/enrich"
)

// Fields returns what each parser may fill in of an event, by the name of the parser: "evt.Meta.source_ip", sorted.
func (s *Set) Fields() map[string][]string {
	found := map[string]map[string]bool{}
	for _, stage := range s.stages {
		for _, n := range stage.nodes {
			if found[n.name] == nil {
				found[n.name] = map[string]bool{}
			}
			n.collectFields(found[n.name])
		}
	}
	fields := make(map[string][]string, len(found))
	for name, set := range found {
		fields[name] = slices.Sorted(maps.Keys(set))
	}
	return fields
}

// collectFields adds the fields of a node and its children.
func (n *node) collectFields(set map[string]bool) {
	statics := n.statics
	if n.grok != nil {
		statics = slices.Concat(statics, n.grok.statics)
		for _, name := range n.grok.pattern.Fields() {
			set["evt.Parsed."+name] = true
		}
	}
	for i := range statics {
		for _, field := range statics[i].fields() {
			set["evt."+field] = true
		}
	}
	for _, child := range n.children {
		child.collectFields(set)
	}
}

// fields returns where a static puts what it has.
func (s *static) fields() []string {
	if method, found := strings.CutPrefix(s.what, "method "); found {
		return enrich.Fields(method)
	}
	for _, family := range []string{"Parsed", "Meta", "Enriched"} {
		if key, found := strings.CutPrefix(s.what, strings.ToLower(family)+"."); found {
			return []string{family + "." + key}
		}
	}
	return []string{strings.TrimPrefix(s.what, "evt.")}
}
