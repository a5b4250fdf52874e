package stream

import (
	"slices"
	"time"

	"shieldwall/internal/domain"
)

// overlap is how much of the time before the last answer is told again: clocks of replicas differ.
const overlap = 2 * time.Second

// Answer is what a bouncer must cease and begin to enforce, each by ascending ID. The decisions are shared:
// they must not be changed.
type Answer struct {
	New     []*domain.Decision
	Deleted []*domain.Decision
	Cursor  int64 // to ask the next Delta with
	Repeats bool  // all that it tells was told before, or lies so near the last answer that it may have been
}

// IsEmpty reports whether the answer tells nothing.
func (a *Answer) IsEmpty() bool { return len(a.New)+len(a.Deleted) == 0 }

// Query returns the decisions that match and are active at now, by ID, duplicates included.
func (x *Index) Query(filter Filter, now time.Time) []*domain.Decision {
	x.expire(now)
	x.mu.RLock()
	defer x.mu.RUnlock()
	return decisionsOf(x.active.find(&filter, now))
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
	answer.Repeats = cursor == x.seq && !x.lastExpiry.After(since)
	return answer
}

// window is the part of the past that an answer is about: from these positions on.
type window struct {
	changes, expired int
}

func (x *Index) startup(filter *Filter, now time.Time) Answer {
	answer, _ := x.removals(window{}, newView(x.active, filter, now))
	answer.New = decisionsOf(newView(x.active, filter, now).reduced(x.active.find(filter, now)))
	answer.Cursor = x.seq
	return answer
}

func (x *Index) delta(w window, filter *Filter, now time.Time) Answer {
	if w.changes == x.changes.len() && w.expired == x.expired.len() {
		return Answer{Cursor: x.seq}
	}
	v := newView(x.active, filter, now)
	answer, uncovered := x.removals(w, v)
	added := map[int64]*entry{}
	for i := w.changes; i < x.changes.len(); i++ {
		if c := x.changes.at(i); !c.removed {
			v.announce(added, x.active.byID[c.decision.ID])
		}
	}
	for s := range uncovered {
		x.active.each(s, filter, now, func(e *entry) { v.announce(added, e) })
	}
	for _, e := range added {
		answer.New = append(answer.New, &e.decision)
	}
	slices.SortFunc(answer.New, byDecisionID)
	answer.Cursor = x.seq
	return answer
}

// removals returns what ended in the window and was not covered by something that lasts at least as long,
// and what it was about: a bouncer deletes by that, so what is still active must be told again.
func (x *Index) removals(w window, v *view) (Answer, map[subject]struct{}) {
	ended := map[int64]*domain.Decision{}
	uncovered := map[subject]struct{}{}
	remove := func(d *domain.Decision, heldUntil time.Time) {
		if !v.filter.matches(d) {
			return
		}
		s := subjectOf(d)
		if !heldUntil.After(v.end(s)) {
			return
		}
		ended[d.ID] = d
		uncovered[s] = struct{}{}
	}
	for i := w.changes; i < x.changes.len(); i++ {
		if c := x.changes.at(i); c.removed {
			remove(endedBy(c.decision, v.now), c.heldUntil)
		}
	}
	for i := w.expired; i < x.expired.len(); i++ {
		d := x.expired.at(i).decision
		remove(d, d.Until)
	}
	answer := Answer{Deleted: make([]*domain.Decision, 0, len(ended))}
	for _, d := range ended {
		answer.Deleted = append(answer.Deleted, d)
	}
	slices.SortFunc(answer.Deleted, byDecisionID)
	return answer, uncovered
}

// endedBy returns d with an end that is not after now, whatever the log says about a removed decision.
func endedBy(d *domain.Decision, now time.Time) *domain.Decision {
	if !isActive(d, now) {
		return d
	}
	ended := *d
	ended.Until = now
	return &ended
}

// view is the active decisions as one filter sees them at one instant.
type view struct {
	active *active
	filter *Filter
	now    time.Time
	ends   map[subject]time.Time
}

func newView(a *active, filter *Filter, now time.Time) *view {
	return &view{active: a, filter: filter, now: now, ends: map[subject]time.Time{}}
}

// end returns when the last active decision about s ends, zero without one.
func (v *view) end(s subject) time.Time {
	end, known := v.ends[s]
	if !known {
		end = v.active.longest(s, v.filter, v.now)
		v.ends[s] = end
	}
	return end
}

// shows reports whether a bouncer is told of e, which matches and is active.
func (v *view) shows(e *entry) bool {
	if v.filter.KeepDuplicates || e.prev == nil && e.next == nil {
		return true
	}
	return e.decision.Until.Equal(v.end(subjectOf(&e.decision)))
}

func (v *view) announce(added map[int64]*entry, e *entry) {
	if e != nil && isActive(&e.decision, v.now) && v.filter.matches(&e.decision) && v.shows(e) {
		added[e.decision.ID] = e
	}
}

// reduced returns those of found that a bouncer is told of.
func (v *view) reduced(found []*entry) []*entry {
	return slices.DeleteFunc(found, func(e *entry) bool { return !v.shows(e) })
}

func decisionsOf(entries []*entry) []*domain.Decision {
	if len(entries) == 0 {
		return nil
	}
	decisions := make([]*domain.Decision, len(entries))
	for i, e := range entries {
		decisions[i] = &e.decision
	}
	return decisions
}

func byDecisionID(a, b *domain.Decision) int {
	switch {
	case a.ID < b.ID:
		return -1
	case a.ID > b.ID:
		return 1
	}
	return 0
}
