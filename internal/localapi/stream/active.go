package stream

import (
	"slices"

	"shieldwall/internal/domain"
)

// active holds the decisions in force, reachable by ID, value, address, partition and end. A decision is never
// changed while it is in here; readers take copies with them.
type active struct {
	entries     slab
	byID        roll
	byAddress   places            // decisions about one address in its usual spelling: the first of a chain
	byText      map[string]*group // all others
	byRange     trie              // the groups that are about addresses
	byPartition map[partition]*roll
	byEnd       endings
}

// group is the decisions about one value that is no address in its usual spelling.
type group struct {
	value      string
	covers     domain.IPRange // invalid when the value is no address
	first      ref
	nextInNode *group // in the trie
}

func newActive() *active {
	a := &active{
		byText:      map[string]*group{},
		byPartition: map[partition]*roll{},
	}
	a.byEnd.of = &a.entries
	a.byAddress = newPlaces(&a.entries)
	return a
}

// add puts a decision in force, in the place of another one with its ID.
func (a *active) add(record Record) {
	a.remove(record.id)
	r := a.entries.put(record)
	a.byID.insert(&a.entries, r)
	a.link(r)
	a.rollOf(record.partition()).insert(&a.entries, r)
	a.byEnd.push(r)
}

// remove ends a decision and returns it; false when it is not in force.
func (a *active) remove(id int64) (Record, bool) {
	r := a.byID.find(&a.entries, id)
	if r == nobody {
		return Record{}, false
	}
	e := a.entries.at(r)
	ended := e.Record
	a.unlink(e)
	a.byEnd.remove(r)
	e.gone = true
	a.byID.noteGone(&a.entries)
	key := ended.partition()
	if a.byPartition[key].noteGone(&a.entries); len(a.byPartition[key].refs) == 0 {
		delete(a.byPartition, key)
	}
	return ended, true
}

// lookUp returns the entry with an ID, nil without one.
func (a *active) lookUp(id int64) *entry {
	r := a.byID.find(&a.entries, id)
	if r == nobody {
		return nil
	}
	return a.entries.at(r)
}

func (a *active) rollOf(key partition) *roll {
	r := a.byPartition[key]
	if r == nil {
		r = &roll{}
		a.byPartition[key] = r
	}
	return r
}

// link puts an entry into the chain of its value, behind the first one.
func (a *active) link(r ref) {
	e := a.entries.at(r)
	first := a.first(&e.Record)
	if first == nobody {
		a.begin(&e.Record, r)
		return
	}
	head := a.entries.at(first)
	e.prev, e.next = first, head.next
	if e.next != nobody {
		a.entries.at(e.next).prev = r
	}
	head.next = r
}

func (a *active) unlink(e *entry) {
	if e.next != nobody {
		a.entries.at(e.next).prev = e.prev
	}
	if e.prev != nobody {
		a.entries.at(e.prev).next = e.next
	} else {
		a.begin(&e.Record, e.next)
	}
	e.prev, e.next = nobody, nobody
}

// first returns the first entry about what the record is about.
func (a *active) first(about *Record) ref {
	if about.isAddress() {
		return a.byAddress.get(about.address)
	}
	return a.firstAbout(about.spelled.value)
}

// firstAbout returns the first entry about a value.
func (a *active) firstAbout(value string) ref {
	if address, ok := addressOf(value); ok {
		return a.byAddress.get(address)
	}
	if g := a.byText[value]; g != nil {
		return g.first
	}
	return nobody
}

// begin makes an entry the first one about what the record is about; nobody ends the chain.
func (a *active) begin(about *Record, first ref) {
	switch {
	case !about.isAddress():
		a.beginGroup(about.spelled.value, first)
	case first == nobody:
		a.byAddress.remove(about.address)
	default:
		a.byAddress.set(about.address, first)
	}
}

func (a *active) beginGroup(value string, first ref) {
	g := a.byText[value]
	switch {
	case first == nobody:
		delete(a.byText, value)
		if g.covers.IsValid() {
			a.byRange.remove(g.covers, g)
		}
	case g != nil:
		g.first = first
	default:
		g = &group{value: value, first: first}
		a.byText[value] = g
		if covers, err := domain.ParseIPRange(value); err == nil {
			g.covers = covers
			a.byRange.insert(covers, g)
		}
	}
}

// nextEnd returns when the next decision ends, in µs; false when there is none.
func (a *active) nextEnd() (int64, bool) {
	if len(a.byEnd.refs) == 0 {
		return 0, false
	}
	return a.byEnd.until(0), true
}

// firstToEnd returns the ID of the decision that ends next. There must be one.
func (a *active) firstToEnd() int64 { return a.entries.at(a.byEnd.refs[0]).id }

// find returns the decisions that match, which are in force, by ID.
func (a *active) find(v *view) []ref {
	switch {
	case v.filter.Range.IsValid():
		return a.sorted(a.findByAddress(v))
	case v.filter.Value != "":
		return a.sorted(a.appendMatching(nil, a.firstAbout(v.filter.Value), v))
	}
	return a.findInPartitions(v)
}

func (a *active) findInPartitions(v *view) []ref {
	var selected []*roll
	size := 0
	for key, r := range a.byPartition {
		if v.filter.selectsPartition(key) {
			selected = append(selected, r)
			size += len(r.refs)
		}
	}
	if len(selected) > 1 && 2*size > len(a.byID.refs) { // passing over the others is less work than merging
		return a.byID.matching(v, size)
	}
	var runs [][]ref
	for _, r := range selected {
		runs = append(runs, r.matching(v, len(r.refs)))
	}
	return a.mergeByID(runs)
}

func (a *active) findByAddress(v *view) (found []ref) {
	visit := func(g *group) { found = a.appendMatching(found, g.first, v) }
	if v.filter.Inside {
		a.byRange.inside(v.filter.Range, visit)
		return a.appendInside(found, v)
	}
	a.byRange.covering(v.filter.Range, visit)
	if v.filter.Range.First == v.filter.Range.Last {
		found = a.appendMatching(found, a.byAddress.get(v.filter.Range.First.As16()), v)
	}
	return found
}

// fewAddresses are looked up one by one: more of them than that, and it is shorter to look at all that there are.
const fewAddresses = 1024

// appendInside appends what is about one of the addresses of the filter.
func (a *active) appendInside(found []ref, v *view) []ref {
	address := v.filter.Range.First
	for range fewAddresses {
		found = a.appendMatching(found, a.byAddress.get(address.As16()), v)
		if address == v.filter.Range.Last {
			return found
		}
		address = address.Next()
	}
	found = nil
	a.byRange.inside(v.filter.Range, func(g *group) { found = a.appendMatching(found, g.first, v) })
	for _, first := range a.byAddress.slots {
		if first != nobody && v.filter.Range.Contains(a.entries.at(first).covers()) {
			found = a.appendMatching(found, first, v)
		}
	}
	return found
}

// appendMatching appends those of a chain that match.
func (a *active) appendMatching(found []ref, first ref, v *view) []ref {
	for r := first; r != nobody; r = a.entries.at(r).next {
		if v.sees(&a.entries.at(r).Record) {
			found = append(found, r)
		}
	}
	return found
}

// each calls visit for every matching decision about s.
func (a *active) each(s subject, v *view, visit func(*entry)) {
	for r := a.firstAbout(s.value); r != nobody; r = a.entries.at(r).next {
		if e := a.entries.at(r); e.concerns(s) && v.sees(&e.Record) {
			visit(e)
		}
	}
}

// records returns copies of entries.
func (a *active) records(refs []ref) []Record {
	if len(refs) == 0 {
		return nil
	}
	records := make([]Record, len(refs))
	for i, r := range refs {
		records[i] = a.entries.at(r).Record
	}
	return records
}

func (a *active) sorted(refs []ref) []ref {
	slices.SortFunc(refs, a.byIDs)
	return refs
}

func (a *active) byIDs(one, other ref) int {
	return byID(a.entries.at(one).Record, a.entries.at(other).Record)
}

// mergeByID joins sorted runs into one.
func (a *active) mergeByID(runs [][]ref) []ref {
	for len(runs) > 1 {
		var merged [][]ref
		for i := 0; i+1 < len(runs); i += 2 {
			merged = append(merged, a.mergeTwo(runs[i], runs[i+1]))
		}
		if len(runs)%2 == 1 {
			merged = append(merged, runs[len(runs)-1])
		}
		runs = merged
	}
	if len(runs) == 0 {
		return nil
	}
	return runs[0]
}

func (a *active) mergeTwo(one, other []ref) []ref {
	merged := make([]ref, 0, len(one)+len(other))
	for len(one) > 0 && len(other) > 0 {
		if a.byIDs(one[0], other[0]) <= 0 {
			merged, one = append(merged, one[0]), one[1:]
		} else {
			merged, other = append(merged, other[0]), other[1:]
		}
	}
	return append(append(merged, one...), other...)
}
