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

// Fills returns all that the parsers may fill in of an event, named as in Fields. It reports false when there may be more,
// because an expression decides.
func (s *Set) Fills() (fields []string, all bool) {
	for _, some := range s.Fields() {
		fields = append(fields, some...)
	}
	return fields, !s.contains(func(n *node) bool { return n.fillsMore })
}

// setsFields reports whether an expression may write to an event.
func setsFields(expression string) bool {
	return strings.Contains(expression, "SetMeta") || strings.Contains(expression, "SetParsed")
}

// contains reports whether one of the nodes, on any level, is such a one.
func (s *Set) contains(is func(*node) bool) bool {
	return slices.ContainsFunc(s.stages, func(one stage) bool {
		return slices.ContainsFunc(one.nodes, func(n *node) bool { return n.contains(is) })
	})
}

func (n *node) contains(is func(*node) bool) bool {
	return is(n) || slices.ContainsFunc(n.children, func(child *node) bool { return child.contains(is) })
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
