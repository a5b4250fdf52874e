package expression

import (
	"cmp"
	"maps"
	"slices"

	"shieldwall/internal/expression/multimatch"
)

// planner makes the plan of a Selector.
type planner struct {
	filters []*Bool
	dialect *dialect // of the subjects
}

const (
	fewFilters = 4 // are evaluated as fast as looked up
	farthest   = 4 // crossings, one behind the other
)

// crossing plans for filters whose values of the subjects in settled are known.
func (p *planner) crossing(filters []int, settled []*subject) *crossing {
	about := p.mostAsked(filters, settled)
	if about == nil || len(settled) == farthest {
		return &crossing{end: p.end(filters)}
	}
	p.dialect = about.dialect
	var further []int
	byValue := map[string][]int{}
	for _, filter := range filters {
		asked := p.filters[filter].facts.about(about)
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
		for _, clause := range p.filters[filter].facts {
			if of := clause.wholeOf(); of != nil && !slices.Contains(settled, of) {
				asked[of] = true
			}
		}
		for of := range asked {
			asking[of]++
		}
	}
	subjects := slices.SortedFunc(maps.Keys(asking), func(a, b *subject) int {
		return cmp.Or(cmp.Compare(asking[b], asking[a]), cmp.Compare(a.name, b.name))
	})
	if len(subjects) == 0 || asking[subjects[0]] < fewFilters {
		return nil
	}
	return subjects[0]
}

// end plans searches where enough filters search the same text.
func (p *planner) end(filters []int) *end {
	e := &end{}
	wanted := map[int]clause{}
	searches := map[*subject]int{}
	for _, filter := range filters {
		clause := p.filters[filter].facts.literals()
		if clause == nil {
			e.always = append(e.always, filter)
			continue
		}
		wanted[filter] = clause
		for _, fact := range clause {
			searches[fact.about]++
		}
	}
	drafts := map[*subject]*draft{}
	for _, filter := range slices.Sorted(maps.Keys(wanted)) {
		clause := wanted[filter]
		if slices.ContainsFunc(clause, func(f fact) bool { return searches[f.about] < fewFilters }) {
			e.always = append(e.always, filter)
			continue
		}
		for _, fact := range clause {
			if drafts[fact.about] == nil {
				drafts[fact.about] = &draft{about: fact.about, owners: map[string][]int{}}
			}
			drafts[fact.about].add(fact, filter)
		}
	}
	byName := func(a, b *subject) int { return cmp.Compare(a.name, b.name) }
	for _, about := range slices.SortedFunc(maps.Keys(drafts), byName) {
		p.dialect = about.dialect
		e.scans = append(e.scans, drafts[about].scan())
	}
	return e
}

// literals returns the clause that tells most of what has to be in texts, nil without any. What texts have to be is
// settled before, or too rare to be looked up.
func (f facts) literals() clause {
	inTexts := slices.DeleteFunc(slices.Clone(f), func(c clause) bool { return c.wholeOf() != nil })
	return inTexts.bestParts()
}

// draft is a scan in the making.
type draft struct {
	about  *subject
	owners map[string][]int
	ascii  []int
}

func (d *draft) add(f fact, filter int) {
	d.owners[f.literal] = append(d.owners[f.literal], filter)
	if f.ascii && !slices.Contains(d.ascii, filter) {
		d.ascii = append(d.ascii, filter)
	}
}

func (d *draft) scan() scan {
	texts := slices.Sorted(maps.Keys(d.owners))
	s := scan{subject: d.about, literals: multimatch.New(texts, true), ascii: d.ascii}
	for _, text := range texts {
		s.owners = append(s.owners, slices.Compact(d.owners[text]))
	}
	return s
}
