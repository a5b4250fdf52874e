package expression

import (
	"math/bits"
	"sync"

	"shieldwall/internal/expression/multimatch"
)

// Selector finds which of many filters are true for an environment. It looks at what filters have in common, a
// field that has to have one of some values, a literal that has to be in a text, and evaluates only those that may
// be true. It is safe for concurrent use.
type Selector struct {
	filters []*Bool
	root    *crossing
	dialect *dialect  // of the subjects; nil: there are none
	spare   sync.Pool // of *search
}

// NewSelector plans the evaluation of filters that are asked of the same environments.
func NewSelector(filters []*Bool) *Selector {
	numbers := make([]int, len(filters))
	for i := range numbers {
		numbers[i] = i
	}
	p := planner{filters: filters}
	s := &Selector{filters: filters, root: p.crossing(numbers, nil), dialect: p.dialect}
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

// search is one Select.
type search struct {
	*Selector
	env        any
	locals     locals
	candidates []uint64 // a bit for each filter
	current    int      // the filter under way
	scan       *scan    // the one under way
	mark       func(literal int) bool
}

func newSearch(s *Selector) *search {
	fresh := &search{Selector: s, candidates: make([]uint64, (len(s.filters)+63)/64)}
	if s.dialect != nil {
		fresh.locals.memo = newMemo(s.dialect)
	}
	fresh.mark = func(literal int) bool {
		for _, filter := range fresh.scan.owners[literal] {
			fresh.set(filter)
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
			filter := s.filters[s.current]
			if filter.direct.run == nil || filter.acts {
				return selected, true
			}
			if filter.direct.run(s.env, &s.locals) {
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
			for i := range s.filters {
				s.set(i)
			}
		}
	}()
	s.root.look(s)
}

// lookAgain marks the candidates behind a filter that may have changed what they look at.
func (s *search) lookAgain() {
	clear(s.candidates)
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
}

// reset lets go of the environment.
func (s *search) reset() {
	s.forget()
	s.env, s.scan, s.locals = nil, nil, locals{memo: s.locals.memo}
	clear(s.candidates)
}

func (s *search) set(filter int) { s.candidates[filter/64] |= 1 << (filter % 64) }

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
	always []int
	scans  []scan
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
	for _, filter := range e.always {
		s.set(filter)
	}
	for i := range e.scans {
		e.scans[i].look(s)
	}
}

// scan searches a subject for literals.
type scan struct {
	subject  *subject
	literals *multimatch.Set
	owners   [][]int // the filters of each literal
	ascii    []int   // the filters that other than ASCII characters may make true without a literal
}

func (c *scan) look(s *search) {
	text := s.text(c.subject)
	if text == "" {
		return
	}
	if len(c.ascii) > 0 && !isASCII(text) {
		for _, filter := range c.ascii {
			s.set(filter)
		}
	}
	s.scan = c
	c.literals.Each(text, s.mark)
}
