package expression

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"shieldwall/internal/expression/datafile"
)

// fact is that a literal is, or is part of, the text of a subject.
type fact struct {
	about   *subject
	literal string
	whole   bool // it is the text; otherwise it is part of it, whatever the case of ASCII letters
	ascii   bool // nothing is known of a text with other characters than ASCII
}

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
		return s.folded(literal)
	}
	return clause{{about: s, literal: literal, whole: true}}
}

// has returns the clause that a literal is part of the text.
func (s *subject) has(literal string) clause {
	switch {
	case s == nil || literal == "":
		return nil
	case s.of != nil:
		return s.folded(literal)
	}
	return clause{{about: s, literal: lowerASCII(literal)}}
}

// folded is about the text behind one in lower or upper case. What is there in the wrong case is left to the
// evaluation.
func (s *subject) folded(literal string) clause {
	if literal == "" || !isASCII(literal) {
		return nil
	}
	return clause{{about: s.of, literal: lowerASCII(literal), ascii: true}}
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func lowerASCII(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
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
	shortest := len(c[0].literal)
	for i := range c {
		shortest = min(shortest, len(c[i].literal))
	}
	return shortest
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

func aheadOfBoth(left, right *form) ahead {
	result := ahead{facts: factsOfBoth(left, right)}
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
