package grok

import (
	"regexp"
	"strings"

	"shieldwall/internal/domain/fault"
)

// maxExpansion bounds, in bytes, a pattern with all its references in line. The largest published pattern
// stays below a tenth of it; a few lines of doubling definitions would otherwise take all memory.
const maxExpansion = 1 << 18

var reference = regexp.MustCompile(`%\{(\w+)(?::(\w+))?\}`)

// part is a stretch of literal regular expression, or a reference when name is set.
type part struct {
	text  string
	name  string
	field string // "" when the reference does not capture
}

// split cuts a pattern into parts. What looks like a reference but is not one, such as %{NAME:field:type}, is
// left in the text and means to the regular expression what it may.
func split(pattern string) []part {
	var parts []part
	end := 0
	for _, at := range reference.FindAllStringSubmatchIndex(pattern, -1) {
		if at[0] > end {
			parts = append(parts, part{text: pattern[end:at[0]]})
		}
		p := part{name: pattern[at[2]:at[3]]}
		if at[4] >= 0 {
			p.field = pattern[at[4]:at[5]]
		}
		parts = append(parts, p)
		end = at[1]
	}
	if end < len(pattern) {
		parts = append(parts, part{text: pattern[end:]})
	}
	return parts
}

// expansion is a pattern whose references are resolved. It is shared by all that refer to it: which of its
// fields capture is decided by the one who renders it.
type expansion struct {
	nodes  []node
	size   int            // bytes of the rendered text, at most
	source map[string]int // field: the index of the node that provides it
}

type node struct {
	text  string
	to    *expansion // nil for text
	field string
}

// group is what one reference adds to the text around it, at most.
const group = len("(?P<>)") + len(prefix)

// prefix keeps the groups of fields apart from the named groups that a pattern may have of its own.
const prefix = "grok_"

type expander struct {
	library *Library
	open    map[string]bool // names being expanded, to see a cycle
	done    map[string]*expansion
}

func newExpander(l *Library) *expander {
	return &expander{library: l, open: map[string]bool{}, done: map[string]*expansion{}}
}

func (e *expander) expand(parts []part) (*expansion, error) {
	x := &expansion{source: map[string]int{}}
	for _, p := range parts {
		n := node{text: p.text, field: p.field}
		x.size += len(p.text)
		if p.name != "" {
			to, err := e.named(p.name)
			if err != nil {
				return nil, err
			}
			n.to = to
			x.size += to.size + len(p.field) + group
		}
		if x.size > maxExpansion {
			return nil, fault.Errorf(fault.TooLarge, "expands to more than %d bytes", maxExpansion)
		}
		x.nodes = append(x.nodes, n)
	}
	x.chooseSources()
	return x, nil
}

func (e *expander) named(name string) (*expansion, error) {
	if x := e.done[name]; x != nil {
		return x, nil
	}
	if e.open[name] {
		return nil, fault.Errorf(fault.Invalid, "pattern %s refers to itself", name)
	}
	d, ok := e.library.definitions[name]
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "pattern %s is not defined", name)
	}
	e.open[name] = true
	x, err := e.expand(d.parts)
	if err != nil {
		return nil, err
	}
	delete(e.open, name)
	e.done[name] = x
	return x, nil
}

// chooseSources decides who provides a field that occurs several times: the last in the text, but a field that
// the pattern names itself hides those of the definitions it refers to.
func (x *expansion) chooseSources() {
	for i, n := range x.nodes {
		if n.to == nil {
			continue
		}
		for field := range n.to.source {
			x.source[field] = i
		}
	}
	for i, n := range x.nodes {
		if n.field != "" {
			x.source[n.field] = i
		}
	}
}

// render writes the regular expression. The wanted fields become named groups, every other reference a group
// that does not capture: alternatives in a definition stay inside it.
func (x *expansion) render(wanted []string) string {
	var b strings.Builder
	x.renderTo(&b, wanted)
	return b.String()
}

func (x *expansion) renderTo(b *strings.Builder, wanted []string) {
	for i, n := range x.nodes {
		if n.to == nil {
			b.WriteString(n.text)
			continue
		}
		inner, captures := x.assigned(i, wanted)
		if captures {
			b.WriteString("(?P<" + prefix + n.field + ">")
		} else {
			b.WriteString("(?:")
		}
		n.to.renderTo(b, inner)
		b.WriteString(")")
	}
}

// assigned returns the wanted fields that node i provides from inside, and whether it captures its own.
func (x *expansion) assigned(i int, wanted []string) (inner []string, captures bool) {
	for _, field := range wanted {
		switch {
		case x.source[field] != i:
		case field == x.nodes[i].field:
			captures = true
		default:
			inner = append(inner, field)
		}
	}
	return inner, captures
}
