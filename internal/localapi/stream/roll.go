package stream

import (
	"slices"
	"sort"
)

// roll lists entries by ID. Those that are gone stay until they are the majority, so that removing is cheap.
type roll struct {
	refs []ref
	gone int
}

func (r *roll) insert(entries *slab, added ref) {
	e := entries.at(added)
	e.listed++
	last := len(r.refs) - 1
	if last < 0 || entries.at(r.refs[last]).id < e.id {
		r.refs = append(r.refs, added)
		return
	}
	at := sort.Search(len(r.refs), func(i int) bool { return entries.at(r.refs[i]).id > e.id })
	r.refs = slices.Insert(r.refs, at, added)
}

// noteGone takes note that one more of the entries is gone.
func (r *roll) noteGone(entries *slab) {
	r.gone++
	if r.gone <= len(r.refs)/2 {
		return
	}
	r.gone = 0
	r.refs = slices.DeleteFunc(r.refs, func(listed ref) bool {
		e := entries.at(listed)
		if !e.gone {
			return false
		}
		if e.listed--; e.listed == 0 {
			entries.drop(listed)
		}
		return true
	})
}

// find returns the entry with an ID, nobody without one.
func (r *roll) find(entries *slab, id int64) ref {
	at := sort.Search(len(r.refs), func(i int) bool { return entries.at(r.refs[i]).id >= id })
	for ; at < len(r.refs) && entries.at(r.refs[at]).id == id; at++ {
		if !entries.at(r.refs[at]).gone {
			return r.refs[at]
		}
	}
	return nobody
}

// matching returns the entries that v sees, which are about so many.
func (r *roll) matching(v *view, about int) []ref {
	found := make([]ref, 0, about)
	for _, listed := range r.refs {
		if e := v.active.entries.at(listed); !e.gone && v.sees(&e.Record) {
			found = append(found, listed)
		}
	}
	return found
}
