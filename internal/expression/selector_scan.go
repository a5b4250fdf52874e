package expression

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"shieldwall/internal/expression/multimatch"
)

// scan searches a subject for the literals of all filters.
type scan struct {
	subject  *subject
	literals *multimatch.Set
	owners   [][]int   // the filters of each literal
	unless   []doubted // the filters that certain bytes may make true without a literal
	doubts   doubts    // all of these bytes
}

// doubted are filters that nothing is known of where doubtful bytes are.
type doubted struct {
	doubts  doubts
	filters marks
}

// look adds what is found in the text of an environment to what is found.
func (c *scan) look(s *search, known *findings) {
	text := s.text(c.subject)
	if len(text) < memorable {
		s.found.add(c.search(text, s))
		return
	}
	slot, hash := known.slot(text)
	if slot.text != text {
		found := c.search(text, s)
		s.found.add(found)
		slot.keep(text, found, hash)
		return
	}
	s.found.add(slot.found)
}

// search returns the filters that something is found of. It reuses the marks.
func (c *scan) search(text string, s *search) marks {
	clear(s.fresh)
	if text == "" {
		return s.fresh
	}
	if here := c.doubts.in(text); here != 0 {
		for i := range c.unless {
			if c.unless[i].doubts&here != 0 {
				s.fresh.add(c.unless[i].filters)
			}
		}
	}
	s.scan = c
	c.literals.Each(text, s.mark)
	return s.fresh
}

// in returns those of the bytes that a text has.
func (d doubts) in(text string) (here doubts) {
	if d&beyondASCII != 0 && !isASCII(text) {
		here |= beyondASCII
	}
	if d&percent != 0 && strings.IndexByte(text, '%') >= 0 {
		here |= percent
	}
	if d&plus != 0 && strings.IndexByte(text, '+') >= 0 {
		here |= plus
	}
	return here
}

// draft is a scan in the making.
type draft struct {
	about  *subject
	owners map[string][]int
	unless map[doubts][]int
}

func newDraft(about *subject) *draft {
	return &draft{about: about, owners: map[string][]int{}, unless: map[doubts][]int{}}
}

func (d *draft) add(f fact, filter int) {
	d.owners[f.literal] = append(d.owners[f.literal], filter)
	if f.unless != 0 {
		d.unless[f.unless] = append(d.unless[f.unless], filter)
	}
}

func (d *draft) scan(filters int) scan {
	texts := slices.Sorted(maps.Keys(d.owners))
	s := scan{subject: d.about, literals: multimatch.New(texts, true)}
	for _, text := range texts {
		s.owners = append(s.owners, slices.Compact(d.owners[text]))
	}
	for _, bytes := range slices.Sorted(maps.Keys(d.unless)) {
		doubted := doubted{doubts: bytes, filters: newMarks(filters)}
		for _, filter := range d.unless[bytes] {
			doubted.filters.set(filter)
		}
		s.unless = append(s.unless, doubted)
		s.doubts |= bytes
	}
	return s
}

func byName(a, b *subject) int { return cmp.Compare(a.name, b.name) }
