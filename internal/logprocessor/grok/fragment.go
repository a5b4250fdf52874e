package grok

import (
	"regexp/syntax"
	"strconv"
	"strings"

	"shieldwall/internal/domain/fault"
)

// fragment is a pattern parsed on its own: every reference is a hole in the tree. So a definition is parsed once,
// however many patterns refer to it, and a pattern is checked without parsing what it refers to.
type fragment struct {
	parts []part
	tree  *syntax.Regexp
	lost  map[int]bool // parts whose hole is not in the tree, see parseInline
}

// parseFragment checks and parses a pattern.
func parseFragment(pattern string) (*fragment, error) {
	f := &fragment{parts: split(pattern)}
	tree, err := f.parse(syntax.Perl, nil)
	if err != nil {
		return nil, err
	}
	f.tree = tree
	f.lost = f.lostHoles()
	return f, nil
}

// parse parses with the flags that hold where the fragment is used. The parts of inline are replaced by a text,
// every other reference by a hole.
func (f *fragment) parse(flags syntax.Flags, inline map[int]string) (*syntax.Regexp, error) {
	var text strings.Builder
	for i, p := range f.parts {
		replacement, replaced := inline[i]
		switch {
		case p.name == "":
			text.WriteString(p.text)
		case replaced:
			text.WriteString(replacement)
		default:
			text.WriteString("(?P<" + holeName + strconv.Itoa(i) + ">x)")
		}
	}
	tree, err := syntax.Parse(text.String(), flags)
	if err != nil {
		return nil, fault.Mark(fault.Invalid, err)
	}
	return tree, nil
}

// lostHoles returns the references that the parser did not read as groups.
func (f *fragment) lostHoles() map[int]bool {
	found := map[int]bool{}
	eachHole(f.tree, func(i int) { found[i] = true })
	var lost map[int]bool
	for i, p := range f.parts {
		if p.name != "" && !found[i] {
			if lost == nil {
				lost = map[int]bool{}
			}
			lost[i] = true
		}
	}
	return lost
}

const holeName = "grok_"

// hole returns the index of the part that belongs into this place of the tree, and the flags that hold there.
// The x inside the hole is what the parser noted them on.
func (f *fragment) hole(tree *syntax.Regexp) (i int, flags syntax.Flags, ok bool) {
	i, ok = holeIndex(tree)
	if !ok || i >= len(f.parts) || f.parts[i].name == "" {
		return 0, 0, false
	}
	const inherited = syntax.FoldCase | syntax.DotNL | syntax.OneLine | syntax.NonGreedy
	return i, syntax.Perl&^inherited | tree.Sub[0].Flags&inherited, true
}

func holeIndex(tree *syntax.Regexp) (int, bool) {
	if tree.Op != syntax.OpCapture {
		return 0, false
	}
	number, ours := strings.CutPrefix(tree.Name, holeName)
	if !ours {
		return 0, false
	}
	i, err := strconv.Atoi(number)
	return i, err == nil && i >= 0
}

func eachHole(tree *syntax.Regexp, visit func(i int)) {
	if i, ok := holeIndex(tree); ok {
		visit(i)
	}
	for _, sub := range tree.Sub {
		eachHole(sub, visit)
	}
}
