package expression

import (
	"math/bits"
	"sync"
)

// Selector finds which of many filters are true for an environment. It looks at what filters have in common, a
// field that has to have one of some values, a literal that has to be in a text, and evaluates only those that may
// be true, and of these only what is not settled by then. It is safe for concurrent use.
type Selector struct {
	filters []*Bool
	rests   []rest // of the filters
	root    *crossing
	scans   []scan
	dialect *dialect  // of the subjects; nil: there are none
	spare   sync.Pool // of *search
}

// rest is what has to be evaluated of a filter that has come through.
type rest struct {
	holds func(env any, l *locals) bool // nil: nothing, it is true, unless whole
	whole bool                          // the filter is asked itself
}

// NewSelector plans the evaluation of filters that are asked of the same environments. Data files that they name
// should be loaded before.
func NewSelector(filters []*Bool) *Selector {
	s := newPlanner(filters).selector()
	s.spare.New = func() any { return newSearch(s) }
	return s
}

// Select appends the indexes of the filters that are true for env to into, in ascending order. failed (may be
// nil) is told of those that cannot be evaluated. Filters that change something do so before later ones are looked
// at.
func (s *Selector) Select(env any, into []int, failed func(i int, err error)) []int {
	if s == nil { // nobody has asked for anything
		return into
	}
	search, ok := s.spare.Get().(*search)
	if !ok {
		search = newSearch(s)
	}
	search.env = env
	into = search.run(into, failed)
	search.reset()
	s.spare.Put(search)
	return into
}

// marks has a bit for each filter.
type marks []uint64

func newMarks(filters int) marks { return make(marks, (filters+63)/64) }

func (m marks) set(filter int) { m[filter/64] |= 1 << (filter % 64) }

func (m marks) add(others marks) {
	for i, word := range others {
		m[i] |= word
	}
}

// search is one Select.
type search struct {
	*Selector
	env        any
	locals     locals
	candidates marks
	waiting    marks  // candidates if what they need is found
	found      marks  // the filters that something was found of
	scanned    []bool // by scan
	known      []findings
	scan       *scan // the one under way
	fresh      marks // what it finds
	mark       func(literal int) bool
	current    int  // the filter under way
	blind      bool // nothing is settled: every filter is asked itself
}

func newSearch(s *Selector) *search {
	fresh := &search{
		Selector: s, candidates: newMarks(len(s.filters)), waiting: newMarks(len(s.filters)), found: newMarks(len(s.filters)),
		scanned: make([]bool, len(s.scans)), known: make([]findings, len(s.scans)), fresh: newMarks(len(s.filters)),
	}
	for i := range fresh.known {
		fresh.known[i] = newFindings()
	}
	if s.dialect != nil {
		fresh.locals.memo = newMemo(s.dialect)
	}
	fresh.mark = func(literal int) bool {
		for _, filter := range fresh.scan.owners[literal] {
			fresh.fresh.set(filter)
		}
		return true
	}
	return fresh
}

func (s *search) run(into []int, failed func(i int, err error)) []int {
	s.look()
	for {
		var stuck bool
		if into, stuck = s.runDirect(into); !stuck {
			return into
		}
		filter := s.filters[s.current]
		is, err := filter.Eval(s.env)
		switch {
		case err != nil && failed != nil:
			failed(s.current, err)
		case err == nil && is:
			into = append(into, s.current)
		}
		if filter.acts {
			s.lookAgain()
		}
	}
}

// runDirect evaluates candidates until it is stuck at one that needs care, which is the current one then.
func (s *search) runDirect(into []int) (selected []int, stuck bool) {
	selected = into
	defer func() {
		if recover() != nil {
			stuck = true
		}
	}()
	for word := range s.candidates {
		for s.candidates[word] != 0 {
			s.current = word*64 + bits.TrailingZeros64(s.candidates[word])
			s.candidates[word] &= s.candidates[word] - 1
			rest := &s.rests[s.current]
			if rest.whole || s.blind {
				return selected, true
			}
			if rest.holds == nil || rest.holds(s.env, &s.locals) {
				selected = append(selected, s.current)
			}
		}
	}
	return selected, false
}

// look marks the candidates. Where not even that is possible, all are: evaluating them says why.
func (s *search) look() {
	defer func() {
		if recover() != nil {
			s.blind = true
			for i := range s.filters {
				s.candidates.set(i)
			}
		}
	}()
	s.root.look(s)
	for i, word := range s.waiting {
		s.candidates[i] |= word & s.found[i]
	}
}

// lookAgain marks the candidates behind a filter that may have changed what they look at.
func (s *search) lookAgain() {
	s.forget()
	s.look()
	behind := s.current + 1
	for i := range s.candidates[:s.current/64+1] {
		s.candidates[i] &= ^uint64(0) << min(behind-i*64, 64)
	}
}

func (s *search) forget() {
	if s.locals.memo != nil {
		s.locals.memo.forget()
	}
	clear(s.candidates)
	clear(s.waiting)
	clear(s.found)
	clear(s.scanned)
	s.blind = false
}

// reset lets go of the environment.
func (s *search) reset() {
	s.forget()
	s.env, s.scan = nil, nil
	s.locals = locals{memo: s.locals.memo}
}

func (s *search) text(of *subject) string { return of.text(s.env, &s.locals) }

// crossing is where the ways of filters part: by the values that a subject has to have. Filters that ask for no
// value of it are further on.
type crossing struct {
	subject *subject // nil at the last crossing of a way
	ways    map[string]*crossing
	noText  *crossing // the way of the empty text
	further *crossing
	end     *end
}

// end is a group of filters that nothing more is known of but what has to be in their texts.
type end struct {
	always  marks
	waiting marks // for what the scans find
	scans   []int
}

func (c *crossing) look(s *search) {
	for ; c.subject != nil; c = c.further {
		way := c.noText
		if text := s.text(c.subject); text != "" {
			way = c.ways[text]
		}
		if way != nil {
			way.look(s)
		}
	}
	c.end.look(s)
}

func (e *end) look(s *search) {
	s.candidates.add(e.always)
	s.waiting.add(e.waiting)
	for _, i := range e.scans {
		if !s.scanned[i] {
			s.scanned[i] = true
			s.scans[i].look(s, &s.known[i])
		}
	}
}
