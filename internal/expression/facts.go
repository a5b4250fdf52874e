package expression

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"shieldwall/internal/expression/datafile"
)

// fact is that a literal is, or is part of, the text of a subject.
type fact struct {
	about   *subject
	literal string
	lines   lines // instead of a literal: one of these; nil: none
	whole   bool  // it is the text; otherwise it is part of it, whatever the case of ASCII letters
	unless  doubts
}

// lines are the literals of a file, which may be loaded after what asks for it is compiled. ok is false if there is
// no file, or nothing to be said of it.
type lines func() (literals []string, ok bool)

// clause is some facts, of which at least one is true if the condition is. If none is, evaluating the condition
// yields false, cannot fail and changes nothing.
type clause []fact

// facts are clauses, all of which hold.
type facts []clause

const (
	maxClauses = 6
	maxFacts   = 400 // of a clause
)

// factOfEqual is about left == right where one of them is constant.
func factOfEqual(left, right *form) facts {
	if left.constant != nil {
		left, right = right, left
	}
	literal, ok := right.constant.(string)
	if !ok {
		return nil
	}
	return factsOf(left.subject.is(literal))
}

func factOfOneOf(needle *form, set map[string]struct{}) facts {
	var all clause
	for _, literal := range slices.Sorted(maps.Keys(set)) {
		one := needle.subject.is(literal)
		if one == nil {
			return nil
		}
		all = append(all, one...)
	}
	return factsOf(all)
}

func factOfFound(left, right *form) facts {
	literal, ok := right.constant.(string)
	if !ok {
		return nil
	}
	return factsOf(left.subject.has(literal))
}

func factOfMatch(left *form, pattern string) facts {
	var all clause
	for _, literal := range datafile.Required(pattern) {
		one := left.subject.has(literal)
		if one == nil {
			return nil
		}
		all = append(all, one...)
	}
	return factsOf(all)
}

func factsOf(c clause) facts {
	if len(c) == 0 || len(c) > maxFacts {
		return nil
	}
	return facts{c}
}

// is returns the clause that the text of the subject is a literal, nil when there is none.
func (s *subject) is(literal string) clause {
	switch {
	case s == nil:
		return nil
	case s.of != nil:
		return s.has(literal)
	}
	return clause{{about: s, literal: literal, whole: true}}
}

// has returns the clause that a literal is part of the text.
func (s *subject) has(literal string) clause {
	if s == nil || literal == "" {
		return nil
	}
	about, unless := s.behind()
	return clause{{about: about, literal: lowerASCII(literal), unless: unless}}
}

// hasLine returns the clause that one of the lines of a file is part of the text.
func (s *subject) hasLine(of lines) clause {
	if s == nil {
		return nil
	}
	about, unless := s.behind()
	return clause{{about: about, lines: of, unless: unless}}
}

// behind returns the text that a subject is made from, and what must not be in it lest the two have different
// literals. What is there in the wrong case is left to the evaluation.
func (s *subject) behind() (of *subject, unless doubts) {
	for ; s.of != nil; s = s.of {
		unless |= s.unless
	}
	return s, unless
}

func isASCII(text string) bool {
	const highest = 0x8080808080808080 // of the bits of eight bytes
	for ; len(text) >= 8; text = text[8:] {
		eight := text[:8]
		if (uint64(eight[0])|uint64(eight[1])<<8|uint64(eight[2])<<16|uint64(eight[3])<<24|
			uint64(eight[4])<<32|uint64(eight[5])<<40|uint64(eight[6])<<48|uint64(eight[7])<<56)&highest != 0 {
			return false
		}
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lowerASCII leaves all but the capital letters of ASCII as it is, invalid UTF-8 too.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, b := range lower {
		if 'A' <= b && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	return string(lower)
}

// loaded returns the facts with the lines of files in place, without those that are not known.
func (f facts) loaded() facts {
	var all facts
	for _, c := range f {
		if c = c.loaded(); c != nil {
			all = append(all, c)
		}
	}
	return all
}

func (c clause) loaded() clause {
	if !slices.ContainsFunc(c, func(f fact) bool { return f.lines != nil }) {
		return c
	}
	var all clause
	for _, f := range c {
		if f.lines == nil {
			all = append(all, f)
			continue
		}
		literals, known := f.lines()
		if !known || slices.Contains(literals, "") {
			return nil
		}
		for _, literal := range literals {
			all = append(all, fact{about: f.about, literal: lowerASCII(literal), unless: f.unless})
		}
	}
	return all
}

// literals returns the clause that tells most of what has to be in texts, nil without any. What texts have to be is
// settled before, or too rare to be looked up.
func (f facts) literals() clause {
	inTexts := slices.DeleteFunc(slices.Clone(f), func(c clause) bool { return c.wholeOf() != nil })
	return inTexts.bestParts()
}

// factsOfBoth hold of left && right. What right needs counts only if nothing can happen before it is evaluated.
func factsOfBoth(left, right *form) facts {
	all := left.ahead.facts
	if left.isSafeFlag() {
		all = slices.Concat(all, right.ahead.facts)
	}
	if len(all) <= maxClauses {
		return all
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b clause) int { return cmp.Compare(b.worth(), a.worth()) })
	return all[:maxClauses]
}

// factsOfAny hold of a || b || c: what all say about one subject, and the best that each says.
func factsOfAny(forms []form) facts {
	var all facts
	for _, first := range forms[0].ahead.facts {
		if about := first.wholeOf(); about != nil {
			all = append(all, factsOf(united(forms, func(f facts) clause { return f.about(about) }))...)
		}
	}
	all = append(all, factsOf(united(forms, facts.bestParts))...)
	return all[:min(len(all), maxClauses)]
}

// united joins a clause of each form, nil when one has none.
func united(forms []form, of func(facts) clause) clause {
	var all clause
	for i := range forms {
		one := of(forms[i].ahead.facts)
		if one == nil || len(all) > maxFacts {
			return nil
		}
		all = append(all, one...)
	}
	return all
}

// about returns the clause about all that a subject can be, nil without one.
func (f facts) about(subject *subject) clause {
	for _, c := range f {
		if c.wholeOf() == subject {
			return c
		}
	}
	return nil
}

// wholeOf returns the subject of a clause about all that a text can be, nil for other clauses.
func (c clause) wholeOf() *subject {
	for i := range c {
		if !c[i].whole || c[i].about != c[0].about {
			return nil
		}
	}
	return c[0].about
}

// worth is how much a clause tells: a literal that is short is in many texts.
func (c clause) worth() int {
	if c.wholeOf() != nil {
		return 1000 - len(c)
	}
	return c.shortest()
}

func (c clause) shortest() int {
	shortest := c[0].length()
	for i := range c {
		shortest = min(shortest, c[i].length())
	}
	return shortest
}

// length is a guess for the lines of a file.
func (f *fact) length() int {
	const ofLines = 4
	if f.lines != nil {
		return ofLines
	}
	return len(f.literal)
}

// telling is how many bytes a literal has that is worth a search.
const telling = 2

// bestParts returns the clause with the longest literals, as one about parts of texts; nil without any. One about
// whole texts is taken if there is no other: such facts are used by themselves.
func (f facts) bestParts() clause {
	var best clause
	for _, c := range f {
		switch {
		case c.shortest() < telling || best != nil && c.wholeOf() != nil:
		case best == nil || best.wholeOf() != nil || c.shortest() > best.shortest():
			best = c
		}
	}
	return best.parts()
}

func (c clause) parts() clause {
	parts := slices.Clone(c)
	for i := range parts {
		if parts[i].whole {
			parts[i].whole, parts[i].literal = false, lowerASCII(parts[i].literal)
		}
	}
	return parts
}

// factOfLines is that one of the lines of a file is part of a text.
func (d *director) factOfLines(about *subject, question datafile.Question) facts {
	return factsOf(about.hasLine(func() ([]string, bool) {
		lines, ok := d.data.Strings(question.File)
		if !ok {
			return nil, false
		}
		return question.Lines(lines), true
	}))
}

// factOfRegexps is that a text has what one of the regular expressions of a file requires.
func (d *director) factOfRegexps(about *subject, file string) facts {
	return factsOf(about.hasLine(func() ([]string, bool) {
		list, ok := d.data.Regexps(file)
		if !ok {
			return nil, false
		}
		return list.Required()
	}))
}

// factsOfElements hold of any(texts, predicate): what the predicate says of each of them.
func (d *director) factsOfElements(texts []string, predicate *ast.PredicateNode) facts {
	var all clause
	for _, text := range texts {
		best := d.askedOf(constantText(text), predicate).ahead.facts.bestParts()
		if best == nil || len(all) > maxFacts {
			return nil
		}
		all = append(all, best...)
	}
	return factsOf(all)
}

// exactly is said of a condition that is nothing but what the facts are about, when they say what a text is.
func exactly(f facts) ahead {
	return ahead{facts: f, exact: len(f) == 1 && f[0].wholeOf() != nil}
}

func aheadOfBoth(left, right *form) ahead {
	result := ahead{facts: factsOfBoth(left, right), all: slices.Concat(left.conjuncts(), right.conjuncts())}
	a, b := left.asFlag(), right.asFlag()
	switch {
	case a == nil:
		result.guard = left.ahead.guard
	case b != nil:
	case right.ahead.guard == nil:
		result.guard = a
	default:
		b = right.ahead.guard
		result.guard = func(env any, l *locals) bool { return a(env, l) && b(env, l) }
	}
	return result
}

func aheadOfAny(forms []form) ahead {
	result := ahead{facts: factsOfAny(forms)}
	guards := make([]func(any, *locals) bool, len(forms))
	complete := true
	for i := range forms {
		if guards[i] = forms[i].asFlag(); guards[i] == nil {
			guards[i] = forms[i].ahead.guard
			complete = false
		}
		if guards[i] == nil {
			return result
		}
	}
	if !complete {
		result.guard = oneIsTrue(guards)
	}
	return result
}
