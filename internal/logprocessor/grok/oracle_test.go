package grok

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// oracle answers with Go's regexp: it is what our matcher has to agree with.
type oracle struct {
	text  *regexp.Regexp
	bytes func() *regexp.Regexp // for subjects that are not UTF-8
}

func newOracle(tb testing.TB, expression string) oracle {
	tb.Helper()
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		tb.Fatal(err)
	}
	return oracle{text: regexp.MustCompile(expression), bytes: sync.OnceValue(func() *regexp.Regexp {
		forbidInvalid(tree)
		return regexp.MustCompile(tree.String())
	})}
}

func (o oracle) find(subject string) []int {
	if utf8.ValidString(subject) {
		return o.text.FindStringSubmatchIndex(subject)
	}
	return o.bytes().FindStringSubmatchIndex(strings.ReplaceAll(subject, "\uFFFD", standIn))
}

// standIn takes the place of U+FFFD while a subject that is not UTF-8 is matched. Go's regexp reads an invalid
// byte as U+FFFD, and RE2 lets nothing match it; so the strict expression matches U+FFFD nowhere, and the
// stand-in, of the same width and the same Unicode classes, wherever the pattern means U+FFFD. What tells the two
// apart is not compared: see canCompare.
const standIn = "\uFFFC"

const standInRune = '\uFFFC'

// forbidInvalid makes every node of the tree refuse U+FFFD and treat the stand-in as if it were U+FFFD.
func forbidInvalid(tree *syntax.Regexp) {
	switch tree.Op {
	case syntax.OpLiteral:
		tree.Rune = replaceRune(tree.Rune)
	case syntax.OpCharClass:
		tree.Rune = forbidInClass(tree.Rune)
	case syntax.OpAnyChar:
		tree.Op, tree.Rune = syntax.OpCharClass, forbidInClass([]rune{0, utf8.MaxRune})
	case syntax.OpAnyCharNotNL:
		tree.Op, tree.Rune = syntax.OpCharClass, forbidInClass([]rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune})
	default: // matches no character by itself
	}
	for _, sub := range tree.Sub {
		forbidInvalid(sub)
	}
}

func replaceRune(literal []rune) []rune {
	literal = slices.Clone(literal)
	for i, r := range literal {
		if r == utf8.RuneError {
			literal[i] = standInRune
		}
	}
	return literal
}

// forbidInClass works on the sorted pairs of bounds of a character class. Neighbours are joined because the tree
// is printed next, and printing relies on it.
func forbidInClass(class []rune) []rune {
	var out []rune
	keep := func(from, to rune) {
		switch last := len(out) - 1; {
		case from > to:
		case last > 0 && out[last]+1 == from:
			out[last] = to
		default:
			out = append(out, from, to)
		}
	}
	for bounds := range slices.Chunk(class, 2) {
		from, to := bounds[0], bounds[1]
		keep(from, min(to, standInRune-1))
		if from <= utf8.RuneError && utf8.RuneError <= to {
			keep(standInRune, standInRune)
		}
		keep(max(from, utf8.RuneError+1), to)
	}
	return out
}

// canCompare reports whether the oracle can answer for an expression and a subject.
func canCompare(expression, subject string) bool {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return false
	}
	// Go's regexp searches for half a surrogate pair as if it were U+FFFD.
	if mentions(tree, func(r rune) bool { return 0xD800 <= r && r <= 0xDFFF }) {
		return false
	}
	if utf8.ValidString(subject) {
		return true
	}
	// To print a strict expression takes milliseconds for each class of characters.
	if strings.Count(expression, ".")+strings.Count(expression, "[")+strings.Count(expression, `\`) > 12 {
		return false
	}
	return !strings.Contains(subject, standIn) && !mentions(tree, func(r rune) bool { return r == standInRune })
}

// mentions reports whether one of the runes is written in the tree, other than inside a range.
func mentions(tree *syntax.Regexp, is func(r rune) bool) bool {
	if (tree.Op == syntax.OpLiteral || tree.Op == syntax.OpCharClass) && slices.ContainsFunc(tree.Rune, is) {
		return true
	}
	return slices.ContainsFunc(tree.Sub, func(sub *syntax.Regexp) bool { return mentions(sub, is) })
}

// engine is one of the ways in which our matcher works.
type engine struct {
	name string
	find func(f *matcher, m *machine, subject string) bool
}

func engines() []engine {
	return []engine{
		{"as used", func(f *matcher, m *machine, subject string) bool {
			from, ok := f.prospect(subject)
			return ok && f.find(m, subject, from)
		}},
		{"without prefilter", func(f *matcher, m *machine, subject string) bool {
			if f.program() == nil {
				return f.find(m, subject, 0)
			}
			m.start(subject, f.slots)
			return searchAll(m, f.program(), subject)
		}},
		{"with the memo from the start", func(f *matcher, m *machine, subject string) bool {
			if f.program() == nil {
				return f.find(m, subject, 0)
			}
			m.start(subject, f.slots)
			m.budget = -1
			return searchAll(m, f.program(), subject)
		}},
		{"simulation", func(f *matcher, m *machine, subject string) bool {
			m.start(subject, f.slots)
			return f.simulate().search(m, 0)
		}},
	}
}

// searchAll tries every place at which a rune begins, whatever the look-ahead of the program says.
func searchAll(m *machine, p *program, subject string) bool {
	for i := range m.captures {
		m.captures[i] = -1
	}
	for at := 0; ; at += width(subject[at:]) {
		if result := m.run(p, at); result != failed || at == len(subject) {
			return result == matched
		}
	}
}

// tested is an expression with everything that answers for it.
type tested struct {
	expression string
	oracle     oracle
	matcher    *matcher
	machine    *machine
}

// newTested puts a group around the expression, so that the whole match is a capture like the others.
func newTested(tb testing.TB, expression string) *tested {
	tb.Helper()
	whole := "(" + expression + ")"
	tree := func() *syntax.Regexp {
		tree, err := syntax.Parse(whole, syntax.Perl)
		if err != nil {
			tb.Fatal(err)
		}
		return tree
	}
	o := newOracle(tb, whole)
	return &tested{whole, o, newMatcher(tree, o.text.NumSubexp()+1, newWorkshop()), new(machine)}
}

// reporter is what *testing.T and *rapid.T have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// check compares all engines with the oracle.
func (x *tested) check(t reporter, subject string) {
	t.Helper()
	want := x.oracle.find(subject)
	for _, e := range engines() {
		var got []int
		for i := range x.machine.captures {
			x.machine.captures[i] = i // what an earlier search has left
		}
		if e.find(x.matcher, x.machine, subject) {
			got = append([]int(nil), x.machine.captures...)
			got[0], got[1] = got[2], got[3] // nothing captures group 0
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s on %q, %s: got %v, want %v", x.expression, subject, e.name, got, want)
		}
	}
}
