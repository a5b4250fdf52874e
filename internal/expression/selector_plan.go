package expression

import (
	"cmp"
	"maps"
	"slices"
)

// planner makes the plan of a Selector.
type planner struct {
	filters []*Bool
	facts   []facts    // of the filters
	awaited []clause   // what has to be in the texts of each filter; nil: it does not wait for that
	asked   [][]clause // what is settled of each filter on all ways to it; nil: not reached yet
	scans   map[*subject]int
	dialect *dialect // of the subjects
}

const (
	fewFilters = 4 // are evaluated as fast as looked up
	farthest   = 4 // crossings, one behind the other
)

func newPlanner(filters []*Bool) *planner {
	p := &planner{filters: filters, asked: make([][]clause, len(filters)), scans: map[*subject]int{}}
	for _, filter := range filters {
		p.facts = append(p.facts, filter.facts.loaded())
	}
	p.await()
	return p
}

func (p *planner) selector() *Selector {
	numbers := make([]int, len(p.filters))
	for i := range numbers {
		numbers[i] = i
	}
	s := &Selector{filters: p.filters, scans: p.drawScans(), root: p.crossing(numbers, nil), dialect: p.dialect}
	for i := range p.filters {
		s.rests = append(s.rests, p.rest(i))
	}
	return s
}

// await decides which filters wait for what is found in texts: those whose texts have enough to be searched for.
func (p *planner) await() {
	searches := map[*subject]int{}
	for _, facts := range p.facts {
		clause := facts.literals()
		p.awaited = append(p.awaited, clause)
		for _, fact := range clause {
			searches[fact.about]++
		}
	}
	for i, clause := range p.awaited {
		if slices.ContainsFunc(clause, func(f fact) bool { return searches[f.about] < fewFilters }) {
			p.awaited[i] = nil
		}
	}
}

// drawScans makes one scan of each text that filters wait for.
func (p *planner) drawScans() []scan {
	drafts := map[*subject]*draft{}
	for filter, clause := range p.awaited {
		for _, fact := range clause {
			if drafts[fact.about] == nil {
				drafts[fact.about] = newDraft(fact.about)
			}
			drafts[fact.about].add(fact, filter)
		}
	}
	var scans []scan
	for _, about := range slices.SortedFunc(maps.Keys(drafts), byName) {
		p.dialect = about.dialect
		p.scans[about] = len(scans)
		scans = append(scans, drafts[about].scan(len(p.filters)))
	}
	return scans
}

// crossing plans for filters whose values of the subjects in settled are known.
func (p *planner) crossing(filters []int, settled []*subject) *crossing {
	about := p.mostAsked(filters, settled)
	if about == nil || len(settled) == farthest {
		return &crossing{end: p.end(filters, settled)}
	}
	p.dialect = about.dialect
	var further []int
	byValue := map[string][]int{}
	for _, filter := range filters {
		asked := p.facts[filter].about(about)
		if asked == nil {
			further = append(further, filter)
			continue
		}
		for _, fact := range asked {
			byValue[fact.literal] = append(byValue[fact.literal], filter)
		}
	}
	c := &crossing{subject: about, ways: make(map[string]*crossing, len(byValue))}
	below := append(slices.Clone(settled), about)
	for _, value := range slices.Sorted(maps.Keys(byValue)) {
		c.ways[value] = p.crossing(slices.Compact(byValue[value]), below)
	}
	c.noText = c.ways[""]
	c.further = p.crossing(further, settled)
	return c
}

// mostAsked returns the subject that most filters want a value of, nil when it is not worth asking.
func (p *planner) mostAsked(filters []int, settled []*subject) *subject {
	asking := map[*subject]int{}
	for _, filter := range filters {
		asked := map[*subject]bool{}
		for _, clause := range p.facts[filter] {
			if of := clause.wholeOf(); of != nil && !slices.Contains(settled, of) {
				asked[of] = true
			}
		}
		for of := range asked {
			asking[of]++
		}
	}
	subjects := slices.SortedFunc(maps.Keys(asking), func(a, b *subject) int {
		return cmp.Or(cmp.Compare(asking[b], asking[a]), byName(a, b))
	})
	if len(subjects) == 0 || asking[subjects[0]] < fewFilters {
		return nil
	}
	return subjects[0]
}

// end notes what is settled of the filters that get there.
func (p *planner) end(filters []int, settled []*subject) *end {
	e := &end{always: newMarks(len(p.filters)), waiting: newMarks(len(p.filters))}
	for _, filter := range filters {
		p.settle(filter, settled)
		if p.awaited[filter] == nil {
			e.always.set(filter)
			continue
		}
		e.waiting.set(filter)
		for _, fact := range p.awaited[filter] {
			e.scans = append(e.scans, p.scans[fact.about])
		}
	}
	slices.Sort(e.scans)
	e.scans = slices.Compact(e.scans)
	return e
}

// settle notes which clauses of a filter are true on one more way to it.
func (p *planner) settle(filter int, settled []*subject) {
	asked := []clause{}
	for _, of := range settled {
		if clause := p.facts[filter].about(of); clause != nil {
			asked = append(asked, clause)
		}
	}
	if before := p.asked[filter]; before != nil {
		asked = slices.DeleteFunc(asked, func(c clause) bool {
			return !slices.ContainsFunc(before, func(b clause) bool { return &b[0] == &c[0] })
		})
	}
	p.asked[filter] = asked
}

// rest returns what is left of a filter when it is known what is settled. Conditions that nothing can go wrong with may
// change places: those that compare texts come first.
func (p *planner) rest(number int) rest {
	var first, then []conjunct
	filter := p.filters[number]
	isSafe := true
	for _, part := range filter.parts {
		isSafe = isSafe && part.safe
		switch {
		case slices.ContainsFunc(p.asked[number], part.isClause):
		case part.exact && isSafe:
			first = append(first, part)
		default:
			then = append(then, part)
		}
	}
	switch left := append(first, then...); {
	case len(filter.parts) == 0:
		return rest{whole: true}
	case len(left) == 0:
		return rest{}
	default:
		return rest{holds: together(left)}
	}
}
