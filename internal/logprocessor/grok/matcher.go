package grok

import (
	"regexp/syntax"
	"sync"
)

// matcher finds the matches of one expression. It is safe for concurrent use.
type matcher struct {
	literal  needle   // every match contains it
	slots    int      // two for each capture
	program  *program // nil when only the simulation will do
	simulate func() *simulation
}

// newMatcher makes the matcher of a tree in which Cap of a capture is a number below captures. The tree is asked
// for again should the simulation ever be needed.
func newMatcher(tree func() *syntax.Regexp, captures int, w *workshop) *matcher {
	slots := 2 * captures
	l := newLowerer(w)
	n := l.lower(tree())
	m := &matcher{
		literal:  newNeedle(requiredText(n)),
		slots:    slots,
		simulate: sync.OnceValue(func() *simulation { return newSimulation(tree(), slots) }),
	}
	if !l.loopsOverEmpty {
		m.program = compile(n, slots, w)
	}
	if m.program != nil && m.program.prefix == m.literal {
		m.literal = needle{} // the search begins by looking for it
	}
	return m
}

// newPlainMatcher makes a matcher that simulates from the first byte on.
func newPlainMatcher(tree func() *syntax.Regexp, captures int) *matcher {
	slots := 2 * captures
	return &matcher{slots: slots, simulate: sync.OnceValue(func() *simulation { return newSimulation(tree(), slots) })}
}

// prospect returns the first place at which a match of subject could begin, and false when there can be none: it
// looks for texts only.
func (f *matcher) prospect(subject string) (from int, ok bool) {
	if f.program != nil {
		if from = f.program.candidate(subject, 0); from < 0 {
			return 0, false
		}
	}
	return from, f.literal.find(subject[from:]) >= 0
}

// find looks for the leftmost match of subject from its prospect on, and leaves its captures in m.
func (f *matcher) find(m *machine, subject string, from int) bool {
	m.start(subject, f.slots)
	if f.program == nil {
		return f.simulate().search(m, from)
	}
	for _, slot := range f.program.loose {
		m.captures[slot] = -1
	}
	result, at := m.search(f.program, from)
	if result == gaveUp {
		return f.simulate().search(m, at)
	}
	return result == matched
}
