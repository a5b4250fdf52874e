package grok

import (
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"shieldwall/internal/domain/fault"
)

const (
	// maxExpansion bounds a pattern with all its references in line, in instructions of a simple machine: about
	// the bytes of its text with repetitions written out. The largest published pattern stays below a tenth of
	// it; a few lines of doubling definitions would otherwise take all memory.
	maxExpansion = 1 << 18
	// maxDepth bounds how deep expressions nest, references included.
	maxDepth = 1000
)

// expansion is a pattern whose references are resolved. It is immutable and shared by all that refer to it: which
// of its fields capture is decided by the one who composes it.
type expansion struct {
	*fragment
	to     []*expansion   // what each part refers to, nil for text
	fields []string       // the distinct fields, in the order in which those that count stand in the text
	source map[string]int // field: the index of the part that provides it
	size   int            // instructions, at most
	depth  int
	silent func() *syntax.Regexp // the whole tree without captures
}

type expander struct {
	definitions map[string]definition
	open        map[string]bool // names being expanded, to see a cycle
	done        map[string]*expansion
}

func (e *expander) named(name string) (*expansion, error) {
	if x := e.done[name]; x != nil {
		return x, nil
	}
	if e.open[name] {
		return nil, fault.Errorf(fault.Invalid, "pattern %s refers to itself", name)
	}
	d, ok := e.definitions[name]
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "pattern %s is not defined", name)
	}
	e.open[name] = true
	x, err := e.expand(d.fragment)
	if err != nil {
		return nil, err
	}
	delete(e.open, name)
	e.done[name] = x
	return x, nil
}

func (e *expander) expand(f *fragment) (*expansion, error) {
	x := &expansion{fragment: f, to: make([]*expansion, len(f.parts)), source: map[string]int{}}
	for i, p := range f.parts {
		if p.name == "" {
			continue
		}
		to, err := e.named(p.name)
		if err != nil {
			return nil, err
		}
		x.to[i] = to
	}
	if len(f.lost) > 0 {
		if err := x.parseInline(); err != nil {
			return nil, err
		}
	}
	if err := x.measure(); err != nil {
		return nil, err
	}
	x.chooseSources()
	x.silent = sync.OnceValue(func() *syntax.Regexp { return x.graft(x.tree, nil) })
	return x, nil
}

// parseInline parses the fragment again with the text of those references in place that stand where a group is no
// group: inside a character class, or quoted. They mean there what their text means.
func (x *expansion) parseInline() error {
	tree, err := x.parse(syntax.Perl, x.inline())
	if err != nil {
		return err
	}
	own := *x.fragment
	own.tree = tree
	x.fragment = &own
	return nil
}

func (x *expansion) inline() map[int]string {
	var texts map[int]string
	for i := range x.lost {
		if texts == nil {
			texts = map[int]string{}
		}
		texts[i] = "(" + x.to[i].text() + ")"
	}
	return texts
}

// text writes the expansion out.
func (x *expansion) text() string {
	var b strings.Builder
	for i, p := range x.parts {
		if p.name == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString("(" + x.to[i].text() + ")")
		}
	}
	return b.String()
}

// chooseSources decides who provides a field that occurs several times: the last in the text, but a field that
// the pattern names itself hides those of the definitions it refers to.
func (x *expansion) chooseSources() {
	for i, to := range x.to {
		if to == nil || x.lost[i] {
			continue
		}
		for _, field := range to.fields {
			x.source[field] = i
		}
	}
	for i, p := range x.parts {
		if p.field != "" && !x.lost[i] {
			x.source[p.field] = i
		}
	}
	for i, p := range x.parts {
		if p.field != "" && x.source[p.field] == i {
			x.fields = append(x.fields, p.field)
		}
		if x.to[i] != nil {
			x.fields = append(x.fields, x.inner(i, x.to[i].fields)...)
		}
	}
}

// inner returns those of the fields that part i provides from inside what it refers to.
func (x *expansion) inner(i int, fields []string) []string {
	var inner []string
	for _, field := range fields {
		if at, known := x.source[field]; known && at == i && field != x.parts[i].field {
			inner = append(inner, field)
		}
	}
	return inner
}

// compose builds the whole tree as it has to be under the given flags. Of its groups exactly those of the fields
// in slots capture; Cap is the slot.
func (x *expansion) compose(flags syntax.Flags, slots map[string]int) *syntax.Regexp {
	if flags != syntax.Perl {
		tree, err := x.parse(flags, x.inline())
		if err != nil {
			// Flags change what is matched, not what is well-formed: it was parsed before.
			return &syntax.Regexp{Op: syntax.OpNoMatch}
		}
		return x.graft(tree, slots)
	}
	if len(slots) == 0 {
		return x.silent()
	}
	return x.graft(x.tree, slots)
}

// graft fills the holes of a tree. What has no hole in it stays shared.
func (x *expansion) graft(tree *syntax.Regexp, slots map[string]int) *syntax.Regexp {
	if i, flags, ok := x.hole(tree); ok {
		return x.fill(i, flags, slots)
	}
	if tree.Op == syntax.OpCapture {
		return x.graft(tree.Sub[0], slots) // a group of the pattern's own, which is nobody's field
	}
	var subs []*syntax.Regexp
	for i, sub := range tree.Sub {
		grafted := x.graft(sub, slots)
		if grafted != sub && subs == nil {
			subs = slices.Clone(tree.Sub)
		}
		if subs != nil {
			subs[i] = grafted
		}
	}
	if subs == nil {
		return tree
	}
	return &syntax.Regexp{Op: tree.Op, Flags: tree.Flags, Sub: subs, Min: tree.Min, Max: tree.Max}
}

func (x *expansion) fill(i int, flags syntax.Flags, slots map[string]int) *syntax.Regexp {
	inside := map[string]int{}
	for field, slot := range slots {
		if x.source[field] == i && field != x.parts[i].field {
			inside[field] = slot
		}
	}
	tree := x.to[i].compose(flags, inside)
	field := x.parts[i].field
	slot, wanted := slots[field]
	if field == "" || !wanted || x.source[field] != i {
		return tree
	}
	return &syntax.Regexp{Op: syntax.OpCapture, Cap: slot, Sub: []*syntax.Regexp{tree}}
}

// measure computes size and depth and checks their bounds.
func (x *expansion) measure() error {
	x.size, x.depth = x.extent(x.tree)
	switch {
	case x.size > maxExpansion:
		return fault.Errorf(fault.TooLarge, "expands to more than %d instructions", maxExpansion)
	case x.depth > maxDepth:
		return fault.Errorf(fault.TooLarge, "nests more than %d deep", maxDepth)
	}
	return nil
}

// extent returns the size and the depth of a tree. The size is kept from overflowing, and is then above the bound.
func (x *expansion) extent(tree *syntax.Regexp) (size, depth int) {
	if i, _, ok := x.hole(tree); ok {
		return x.to[i].size + 2, x.to[i].depth + 2
	}
	size = 1
	if tree.Op == syntax.OpLiteral {
		size = len(tree.Rune)
	}
	for _, sub := range tree.Sub {
		subSize, subDepth := x.extent(sub)
		size, depth = size+subSize, max(depth, subDepth)
	}
	if tree.Op == syntax.OpRepeat {
		size *= max(tree.Min, tree.Max, 1)
	}
	return min(size, 2*maxExpansion), depth + 1
}
