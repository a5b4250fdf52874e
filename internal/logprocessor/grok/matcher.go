package grok

import (
	"regexp/syntax"
	"sync"
)

// matcher finds the matches of one expression. It is safe for concurrent use.
type matcher struct {
	outlook
	slots int // two for each capture
	// program returns nil when only the simulation will do. It is compiled when a subject is worth it.
	program  func() *program
	simulate func() *simulation
}

// newMatcher makes the matcher of a tree in which Cap of a capture is a number below captures. The tree is asked
// for again should the simulation ever be needed.
func newMatcher(tree func() *syntax.Regexp, captures int, w *workshop) *matcher {
	m := newPlainMatcher(tree, captures)
	l := newLowerer(w)
	n := l.lower(tree())
	m.outlook = newOutlook(n, w)
	if !l.loopsOverEmpty {
		m.program = sync.OnceValue(func() *program { return compile(n, m.slots, w) })
	}
	return m
}

// newPlainMatcher makes a matcher that simulates from the first byte on.
func newPlainMatcher(tree func() *syntax.Regexp, captures int) *matcher {
	slots := 2 * captures
	return &matcher{
		slots:    slots,
		program:  func() *program { return nil },
		simulate: sync.OnceValue(func() *simulation { return newSimulation(tree(), slots) }),
	}
}

// find looks for the leftmost match of subject from its prospect on, and leaves its captures in m.
func (f *matcher) find(m *machine, subject string, from int) bool {
	m.start(subject, f.slots)
	p := f.program()
	if p == nil {
		return f.simulate().search(m, from)
	}
	for _, slot := range p.loose {
		m.captures[slot] = -1
	}
	result, at := m.search(p, &f.outlook, from)
	if result == gaveUp {
		return f.simulate().search(m, at)
	}
	return result == matched
}
