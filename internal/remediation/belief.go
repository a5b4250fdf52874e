package remediation

import (
	"iter"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/domain"
)

// belief is what a backend is believed to hold. Of addresses, of which there may be a million, it is not a
// list of its own: after a plan was applied they are those that are desired.
type belief struct {
	Enforced // Sets is nil when nothing is known

	desired *Desired // its addresses are in force; nil: those of Enforced
}

// presence is what is in one set.
type presence interface {
	// end returns when an element ends; ok is false when there is none.
	end(value domain.IPRange) (until time.Time, ok bool)
	each() iter.Seq[Element]
}

func (e Elements) end(value domain.IPRange) (time.Time, bool) {
	until, ok := e[value]
	return until, ok
}

func (e Elements) each() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for value, until := range e {
			if !yield(Element{value, until}) {
				return
			}
		}
	}
}

// expected is what is in a set of addresses that holds what is desired.
type expected struct {
	desired *Desired
	set     Set
}

func (e expected) end(value domain.IPRange) (time.Time, bool) { return e.desired.until(e.set, value) }

func (e expected) each() iter.Seq[Element] {
	return e.desired.elements(e.set, time.UnixMilli(0)) // also what has ended just now
}

func (b belief) of(set Set) presence {
	if b.desired == nil || set.Ranges {
		return b.Sets[set]
	}
	return expected{b.desired, set}
}

func (b belief) comparison(set Set, desired *Desired, now time.Time) *comparison {
	_, exists := b.Sets[set]
	return &comparison{
		desired: desired, unseen: b.Idle[set], now: now, change: Change{Set: set, Create: !exists},
	}
}

// compare returns the plan that makes everything equal to desired.
func (b belief) compare(desired *Desired, now time.Time) Plan {
	sets := map[Set]bool{}
	for set := range desired.sets {
		sets[set] = true
	}
	for set := range b.Sets {
		sets[set] = true
	}
	plan := Plan{Repair: b.Incomplete}
	for _, set := range slices.SortedFunc(maps.Keys(sets), compareSets) {
		c := b.comparison(set, desired, now)
		c.whole(b.of(set))
		plan.add(c)
	}
	return plan
}

// compareTouched is compare for the values that were touched; everything else is known to be equal. A set of
// ranges is compared whole, because one range decides how others are cut.
func (b belief) compareTouched(desired *Desired, values touched, now time.Time) Plan {
	var plan Plan
	for _, set := range slices.SortedFunc(maps.Keys(values), compareSets) {
		c := b.comparison(set, desired, now)
		if set.Ranges {
			c.whole(b.of(set))
		} else {
			c.values(values[set])
		}
		plan.add(c)
	}
	return plan
}

// applied brings b to the state that plan has led to, in which the addresses are those that are desired.
func (b *belief) applied(plan Plan, desired *Desired) {
	for _, change := range plan.Changes {
		if b.Sets[change.Set] == nil {
			b.Sets[change.Set] = Elements{}
		}
		if change.Set.Ranges {
			b.Sets[change.Set].apply(change)
		}
	}
	for set := range b.Sets {
		if !set.Ranges {
			b.Sets[set] = nil
		}
	}
	b.desired = desired
	if plan.Repair {
		b.Incomplete, b.Closed, b.Idle = false, plan.Closed, nil
	}
}

func (e Elements) apply(change Change) {
	for _, gone := range change.Remove {
		delete(e, gone.IPRange)
	}
	for _, list := range [][]Element{change.Refresh, change.Add} {
		for _, element := range list {
			e[element.IPRange] = element.Until
		}
	}
}

// live counts the elements of a set that are in force at now.
func (b belief) live(set Set, now time.Time) int {
	count := 0
	for element := range b.of(set).each() {
		if inForce(element.Until, now) {
			count++
		}
	}
	return count
}

// bans counts all bans that are in force at now.
func (b belief) bans(now time.Time) int {
	count := 0
	for set := range b.Sets {
		if !set.Allow {
			count += b.live(set, now)
		}
	}
	return count
}
