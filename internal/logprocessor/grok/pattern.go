package grok

import (
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"shieldwall/internal/domain/fault"
)

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	fields []string
	groups []int // the group of each field
	text   *regexp.Regexp
	bytes  func() *regexp.Regexp // for subjects that are not UTF-8, compiled when the first one comes
}

// Compile expands and compiles a pattern. The kind of the error is NotFound when a reference has no definition
// (the message names it), TooLarge when the expansion passes the bound, and Invalid for a reference cycle or a
// malformed regular expression.
func (l *Library) Compile(pattern string) (*Pattern, error) {
	x, err := newExpander(l).expand(split(pattern))
	if err != nil {
		return nil, fmt.Errorf("compiling %q: %w", pattern, err)
	}
	source := x.render(slices.Collect(maps.Keys(x.source)))
	text, err := regexp.Compile(source)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "compiling %q: %w", pattern, err)
	}
	p := &Pattern{text: text, bytes: sync.OnceValue(func() *regexp.Regexp { return compileStrict(source) })}
	for i, name := range text.SubexpNames() {
		field, ours := strings.CutPrefix(name, prefix)
		if _, known := x.source[field]; ours && known {
			p.fields = append(p.fields, field)
			p.groups = append(p.groups, i)
		}
	}
	return p, nil
}

// Fields returns the distinct field names, in the order in which the occurrences that count stand in the text.
// The slice belongs to the pattern: read only.
func (p *Pattern) Fields() []string {
	return p.fields
}

// Match reports whether the pattern occurs in subject and stores what its leftmost occurrence captured in
// values, one for each of Fields and "" where a field took no part. It panics when values is shorter, and
// leaves values alone when it returns false. A pattern without fields never matches: it could say nothing.
func (p *Pattern) Match(subject string, values []string) bool {
	if len(p.fields) == 0 {
		return false
	}
	found := p.find(subject)
	if found == nil {
		return false
	}
	for i, group := range p.groups {
		values[i] = ""
		if start := found[2*group]; start >= 0 {
			values[i] = subject[start:found[2*group+1]]
		}
	}
	return true
}

func (p *Pattern) find(subject string) []int {
	if utf8.ValidString(subject) {
		return p.text.FindStringSubmatchIndex(subject)
	}
	if strict := p.bytes(); strict != nil {
		return strict.FindStringSubmatchIndex(strings.ReplaceAll(subject, "\uFFFD", standIn))
	}
	return nil
}

// standIn takes the place of U+FFFD while a subject that is not UTF-8 is matched. Go's regexp reads an invalid
// byte as U+FFFD, and RE2 lets nothing match it; so the strict expression matches U+FFFD nowhere, and the
// stand-in, of the same width and the same Unicode classes, wherever the pattern means U+FFFD.
const standIn = "\uFFFC"

const standInRune = '\uFFFC'

// compileStrict compiles an expression for subjects that are not UTF-8. It returns nil, which matches nothing,
// when that cannot be done; printing a tree that regexp accepted has never led there.
func compileStrict(source string) *regexp.Regexp {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil
	}
	forbidInvalid(tree)
	strict, err := regexp.Compile(tree.String())
	if err != nil {
		return nil
	}
	return strict
}

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
