package stream

import (
	"container/heap"
	"slices"
	"sort"
	"time"

	"shieldwall/internal/domain"
)

// active holds the decisions in force, reachable by ID, value, address, partition and end. A decision is
// never changed once it is in here: readers may keep the pointers they are given.
type active struct {
	byID        map[int64]*entry
	byValue     map[string]*group
	byAddress   trie
	byPartition map[partition]*roll
	byEnd       endings
}

// entry is one decision and where it is linked in.
type entry struct {
	decision   domain.Decision
	group      *group
	prev, next *entry // in the group
	heapIndex  int    // in byEnd
	gone       bool   // still in its roll, but no longer in force
}

// group is the decisions about one value.
type group struct {
	value      string
	covers     domain.IPRange // invalid when the value is no address
	first      *entry
	nextInNode *group // in the trie
}

func newActive() *active {
	return &active{
		byID:        map[int64]*entry{},
		byValue:     map[string]*group{},
		byPartition: map[partition]*roll{},
	}
}

// add puts d in force, in the place of another decision with its ID.
func (a *active) add(d domain.Decision) *entry {
	a.remove(d.ID)
	e := &entry{decision: d}
	a.byID[d.ID] = e
	a.groupOf(d.Value).link(e)
	a.rollOf(partitionOf(&d)).insert(e)
	heap.Push(&a.byEnd, e)
	return e
}

// remove ends a decision and returns it, nil when it is not in force.
func (a *active) remove(id int64) *entry {
	e := a.byID[id]
	if e == nil {
		return nil
	}
	delete(a.byID, id)
	a.unlink(e)
	key := partitionOf(&e.decision)
	if a.byPartition[key].remove(e); len(a.byPartition[key].entries) == 0 {
		delete(a.byPartition, key)
	}
	heap.Remove(&a.byEnd, e.heapIndex)
	return e
}

func (a *active) groupOf(value string) *group {
	if g := a.byValue[value]; g != nil {
		return g
	}
	g := &group{value: value}
	a.byValue[value] = g
	if covers, err := domain.ParseIPRange(value); err == nil {
		g.covers = covers
		a.byAddress.insert(covers, g)
	}
	return g
}

func (a *active) rollOf(key partition) *roll {
	r := a.byPartition[key]
	if r == nil {
		r = &roll{}
		a.byPartition[key] = r
	}
	return r
}

func (a *active) unlink(e *entry) {
	g := e.group
	g.unlink(e)
	if g.first != nil {
		return
	}
	delete(a.byValue, g.value)
	if g.covers.IsValid() {
		a.byAddress.remove(g.covers, g)
	}
}

// nextEnd returns when the next decision ends; false when there is none.
func (a *active) nextEnd() (time.Time, bool) {
	if len(a.byEnd) == 0 {
		return time.Time{}, false
	}
	return a.byEnd[0].decision.Until, true
}

// find returns the decisions that match and are in force at now, by ID.
func (a *active) find(filter *Filter, now time.Time) []*entry {
	switch {
	case filter.Range.IsValid():
		return a.findByAddress(filter, now)
	case filter.Value != "":
		return sorted(appendMatching(nil, a.byValue[filter.Value], filter, now))
	}
	var runs [][]*entry
	for key, r := range a.byPartition {
		if filter.selectsPartition(key) {
			runs = append(runs, r.matching(filter, now))
		}
	}
	return mergeByID(runs)
}

func (a *active) findByAddress(filter *Filter, now time.Time) []*entry {
	var found []*entry
	visit := func(g *group) { found = appendMatching(found, g, filter, now) }
	if filter.Inside {
		a.byAddress.inside(filter.Range, visit)
	} else {
		a.byAddress.covering(filter.Range, visit)
	}
	return sorted(found)
}

func appendMatching(found []*entry, g *group, filter *Filter, now time.Time) []*entry {
	if g == nil {
		return found
	}
	for e := g.first; e != nil; e = e.next {
		if isActive(&e.decision, now) && filter.matches(&e.decision) {
			found = append(found, e)
		}
	}
	return found
}

// longest returns when the last of the matching decisions about s ends, zero without one.
func (a *active) longest(s subject, filter *Filter, now time.Time) time.Time {
	var end time.Time
	a.each(s, filter, now, func(e *entry) {
		if e.decision.Until.After(end) {
			end = e.decision.Until
		}
	})
	return end
}

// each calls visit for every matching decision about s.
func (a *active) each(s subject, filter *Filter, now time.Time, visit func(*entry)) {
	g := a.byValue[s.value]
	if g == nil {
		return
	}
	for e := g.first; e != nil; e = e.next {
		if subjectOf(&e.decision) == s && isActive(&e.decision, now) && filter.matches(&e.decision) {
			visit(e)
		}
	}
}

func (g *group) link(e *entry) {
	e.group, e.next = g, g.first
	if g.first != nil {
		g.first.prev = e
	}
	g.first = e
}

func (g *group) unlink(e *entry) {
	if e.prev == nil {
		g.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
}

// roll is a partition's decisions by ID. Entries that are gone stay until they are the majority, so that
// removing is cheap.
type roll struct {
	entries []*entry
	gone    int
}

func (r *roll) insert(e *entry) {
	last := len(r.entries) - 1
	if last < 0 || r.entries[last].decision.ID < e.decision.ID {
		r.entries = append(r.entries, e)
		return
	}
	at := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].decision.ID > e.decision.ID })
	r.entries = slices.Insert(r.entries, at, e)
}

func (r *roll) remove(e *entry) {
	e.gone = true
	r.gone++
	if r.gone > len(r.entries)/2 {
		r.entries = slices.DeleteFunc(r.entries, func(e *entry) bool { return e.gone })
		r.gone = 0
	}
}

func (r *roll) matching(filter *Filter, now time.Time) []*entry {
	found := make([]*entry, 0, len(r.entries)-r.gone)
	for _, e := range r.entries {
		if !e.gone && isActive(&e.decision, now) && filter.matchesInPartition(&e.decision) {
			found = append(found, e)
		}
	}
	return found
}

// endings is a heap of decisions, the one that ends first on top.
type endings []*entry

// Len implements heap.Interface.
func (h endings) Len() int { return len(h) }

// Less implements heap.Interface.
func (h endings) Less(i, j int) bool { return h[i].decision.Until.Before(h[j].decision.Until) }

// Swap implements heap.Interface.
func (h endings) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heapIndex, h[j].heapIndex = i, j
}

// Push implements heap.Interface.
func (h *endings) Push(item any) {
	e, _ := item.(*entry)
	e.heapIndex = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *endings) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}

func sorted(entries []*entry) []*entry {
	slices.SortFunc(entries, byID)
	return entries
}

func byID(a, b *entry) int {
	switch {
	case a.decision.ID < b.decision.ID:
		return -1
	case a.decision.ID > b.decision.ID:
		return 1
	}
	return 0
}

// mergeByID joins sorted runs into one.
func mergeByID(runs [][]*entry) []*entry {
	for len(runs) > 1 {
		var merged [][]*entry
		for i := 0; i+1 < len(runs); i += 2 {
			merged = append(merged, mergeTwo(runs[i], runs[i+1]))
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

func mergeTwo(a, b []*entry) []*entry {
	merged := make([]*entry, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if byID(a[0], b[0]) <= 0 {
			merged, a = append(merged, a[0]), a[1:]
		} else {
			merged, b = append(merged, b[0]), b[1:]
		}
	}
	return append(append(merged, a...), b...)
}
