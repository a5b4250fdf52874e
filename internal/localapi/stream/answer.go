package stream

import (
	"maps"
	"math"
	"slices"
	"time"
	"unique"
)

// overlap is how much of the time before the last answer is told again: clocks of replicas differ.
const overlap = 2 * time.Second

// Answer is what a bouncer must cease and begin to enforce, each by ascending ID.
type Answer struct {
	New     []Record
	Deleted []Record
	Cursor  int64 // to ask the next Delta with
	Since   int64 // cursor that it continues from; 0: it is everything that is active
	Repeats bool  // all that it tells was told before, or lies so near the last answer that it may have been
}

// IsEmpty reports whether the answer tells nothing.
func (a *Answer) IsEmpty() bool { return len(a.New)+len(a.Deleted) == 0 }

// Query returns the decisions that match and are active at now, by ID, duplicates included.
func (x *Index) Query(filter Filter, now time.Time) []Record {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.active.records(x.active.find(newView(x.active, &filter, now)))
}

// Locate returns an active decision, and the change that made it: the first that is remembered when it is older
// than that, which is too late and never too early. It reports false without such a decision.
func (x *Index) Locate(id int64, now time.Time) (record Record, revision int64, ok bool) {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := x.active.lookUp(id)
	if found == nil {
		return Record{}, 0, false
	}
	for i := x.changes.len() - 1; i >= 0; i-- {
		if c := x.changes.at(i); c.id == id && c.removal == nil {
			return found.Record, c.seq, true
		}
	}
	return found.Record, x.changesSince, true
}

// Common is what decisions are counted by.
type Common struct{ Origin, Type, Scenario string }

// Count returns how many decisions are active at now; simulated ones are none.
func (x *Index) Count(now time.Time) map[Common]int {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	byKind := map[unique.Handle[kind]]int{}
	for _, r := range x.active.byEnd.refs {
		byKind[x.active.entries.at(r).kind]++
	}
	counts := map[Common]int{}
	for handle, count := range byKind {
		if k := handle.Value(); !k.simulated {
			counts[Common{Origin: k.origin, Type: k.remediation, Scenario: k.scenario}] += count
		}
	}
	return counts
}

// Startup returns everything that matches and is active at now, and what is known to have ended recently.
func (x *Index) Startup(filter Filter, now time.Time) Answer {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.startup(&filter, now)
}

// Delta returns what changed for a bouncer whose last answer was computed at since and ended at cursor.
// It is a Startup when there was no such answer or it is too old.
func (x *Index) Delta(cursor int64, since time.Time, filter Filter, now time.Time) Answer {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	from := since.Add(-overlap)
	if cursor == 0 || cursor < x.changesSince || cursor > x.seq || from.Before(x.expiredSince) {
		return x.startup(&filter, now)
	}
	answer := x.delta(window{
		changes: x.changes.from(func(c change) bool { return c.seq > cursor }),
		expired: x.expired.from(func(e expiry) bool { return e.at.After(from) }),
	}, &filter, now)
	answer.Since = cursor
	answer.Repeats = cursor == x.seq && !x.lastExpiry.After(since)
	return answer
}

// window is the part of the past that an answer is about: from these positions on.
type window struct {
	changes, expired int
}

func (x *Index) startup(filter *Filter, now time.Time) Answer {
	v := newView(x.active, filter, now)
	answer, _ := x.removals(window{}, v)
	answer.New = x.active.records(v.reduced(x.active.find(v)))
	answer.Cursor = x.seq
	return answer
}

func (x *Index) delta(w window, filter *Filter, now time.Time) Answer {
	if w.changes == x.changes.len() && w.expired == x.expired.len() {
		return Answer{Cursor: x.seq}
	}
	v := newView(x.active, filter, now)
	answer, uncovered := x.removals(w, v)
	added := map[int64]Record{}
	for i := w.changes; i < x.changes.len(); i++ {
		if c := x.changes.at(i); c.removal == nil {
			v.announce(added, x.active.lookUp(c.id))
		}
	}
	for s := range uncovered {
		x.active.each(s, v, func(e *entry) { v.announce(added, e) })
	}
	answer.New = slices.SortedFunc(maps.Values(added), byID)
	answer.Cursor = x.seq
	return answer
}

// removals returns what ended in the window and was not covered by something that lasts at least as long (or
// was told nevertheless, to who keeps duplicates), and what it was about: a bouncer may delete by that, so what
// is still active must be told again.
func (x *Index) removals(w window, v *view) (Answer, map[subject]struct{}) {
	ended := map[int64]Record{}
	uncovered := map[subject]struct{}{}
	remove := func(r Record, heldUntil int64) {
		if !v.matches(&r) {
			return
		}
		s := r.subject()
		if !v.filter.KeepDuplicates && heldUntil <= v.end(s) {
			return
		}
		ended[r.id] = r
		uncovered[s] = struct{}{}
	}
	for i := w.changes; i < x.changes.len(); i++ {
		if c := x.changes.at(i); c.removal != nil {
			remove(endedBy(c.removal.Record, v.now), c.removal.heldUntil)
		}
	}
	for i := w.expired; i < x.expired.len(); i++ {
		r := x.expired.at(i).Record
		remove(r, r.until)
	}
	return Answer{Deleted: slices.SortedFunc(maps.Values(ended), byID)}, uncovered
}

// endedBy returns r with an end that is not after now, whatever the log says about a removed decision.
func endedBy(r Record, now int64) Record {
	r.until = min(r.until, now)
	return r
}

// view is the active decisions as one filter sees them at one instant.
type view struct {
	active *active
	filter *Filter
	now    int64 // µs since 1970
	kinds  map[unique.Handle[kind]]bool
	ends   map[subject]int64

	lastKind     unique.Handle[kind] // what was asked about last, as neighbours are of a kind
	lastSelected bool
}

func newView(a *active, filter *Filter, now time.Time) *view {
	return &view{active: a, filter: filter, now: now.UnixMicro()}
}

// matches reports whether the filter selects r, active or not.
func (v *view) matches(r *Record) bool {
	if r.kind != v.lastKind {
		v.lastKind, v.lastSelected = r.kind, v.selects(r.kind)
	}
	return v.lastSelected && v.filter.matchesValue(r)
}

func (v *view) selects(of unique.Handle[kind]) bool {
	selected, known := v.kinds[of]
	if known {
		return selected
	}
	if v.kinds == nil {
		v.kinds = map[unique.Handle[kind]]bool{}
	}
	selected = v.filter.selectsKind(of.Value())
	v.kinds[of] = selected
	return selected
}

// sees reports whether the filter selects r, and it is active.
func (v *view) sees(r *Record) bool { return r.isActive(v.now) && v.matches(r) }

// end returns when the last active decision about s ends, in µs; never is before all ends.
func (v *view) end(s subject) int64 {
	end, known := v.ends[s]
	if known {
		return end
	}
	end = never
	v.active.each(s, v, func(e *entry) { end = max(end, e.until) })
	if v.ends == nil {
		v.ends = map[subject]int64{}
	}
	v.ends[s] = end
	return end
}

const never = math.MinInt64

// shows reports whether a bouncer is told of e, which matches and is active.
func (v *view) shows(e *entry) bool {
	if v.filter.KeepDuplicates || e.prev == nobody && e.next == nobody {
		return true
	}
	return e.until == v.end(e.subject())
}

func (v *view) announce(added map[int64]Record, e *entry) {
	if e != nil && v.sees(&e.Record) && v.shows(e) {
		added[e.id] = e.Record
	}
}

// reduced returns those of found that a bouncer is told of.
func (v *view) reduced(found []ref) []ref {
	return slices.DeleteFunc(found, func(r ref) bool { return !v.shows(v.active.entries.at(r)) })
}
