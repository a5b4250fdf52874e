package remediation

import (
	"maps"
	"slices"
	"time"

	"shieldwall/internal/domain"
)

const (
	// tolerance is the difference between two ends that is not worth a change: durations on the wire are
	// rounded to the second, so the same end arrives up to a second apart.
	tolerance = 1500 * time.Millisecond
	// grace is how long after its end an element may still be found in a backend that drops it by itself.
	grace = time.Second
)

// Plan is what has to change so that the desired is enforced. Applying a plan twice does no harm.
type Plan struct {
	Repair  bool     // complete what is around the sets
	Changes []Change // at most one a set, in the order of sets
}

// Change is what has to change in one set.
type Change struct {
	Set     Set
	Create  bool      // the set is absent
	Add     []Element // absent so far
	Refresh []Element // present, with another end
	Remove  []Element // present, and not to be enforced
}

// IsEmpty reports whether there is nothing to do.
func (p Plan) IsEmpty() bool { return !p.Repair && len(p.Changes) == 0 }

// counts returns the number of elements to add, to refresh and to remove.
func (p Plan) counts() (added, refreshed, removed int) {
	for _, change := range p.Changes {
		added += len(change.Add)
		refreshed += len(change.Refresh)
		removed += len(change.Remove)
	}
	return added, refreshed, removed
}

// Compare returns the plan that makes enforced equal to desired, as far as it is in force at now.
func Compare(desired *Desired, enforced Enforced, now time.Time) Plan {
	sets := map[Set]bool{}
	for set := range desired.sets {
		sets[set] = true
	}
	for set := range enforced.Sets {
		sets[set] = true
	}
	plan := Plan{Repair: enforced.Incomplete}
	for _, set := range slices.SortedFunc(maps.Keys(sets), compareSets) {
		c := newComparison(set, enforced, now)
		c.whole(desired)
		plan.add(c.change)
	}
	return plan
}

// touched are the values about which something was decided.
type touched map[Set]map[domain.IPRange]bool

func (t touched) add(set Set, value domain.IPRange) {
	if t[set] == nil {
		t[set] = map[domain.IPRange]bool{}
	}
	t[set][value] = true
}

// compareTouched is Compare for the values that were touched; everything else is known to be equal. A set
// of ranges is compared whole, because one range decides how others are cut.
func compareTouched(desired *Desired, enforced Enforced, values touched, now time.Time) Plan {
	var plan Plan
	for _, set := range slices.SortedFunc(maps.Keys(values), compareSets) {
		c := newComparison(set, enforced, now)
		if set.Ranges {
			c.whole(desired)
		} else {
			c.values(desired, values[set])
		}
		plan.add(c.change)
	}
	return plan
}

func (p *Plan) add(change Change) {
	if len(change.Add)+len(change.Refresh)+len(change.Remove) > 0 {
		p.Changes = append(p.Changes, change)
	}
}

// comparison finds the change for one set.
type comparison struct {
	present Elements
	now     time.Time
	change  Change
}

func newComparison(set Set, enforced Enforced, now time.Time) *comparison {
	present, exists := enforced.Sets[set]
	return &comparison{present: present, now: now, change: Change{Set: set, Create: !exists}}
}

func (c *comparison) whole(desired *Desired) {
	wanted := make(map[domain.IPRange]bool, len(c.present))
	for element := range desired.elements(c.change.Set, c.now) {
		wanted[element.IPRange] = true
		c.want(element)
	}
	for value, until := range c.present {
		if !wanted[value] {
			c.refuse(value, until)
		}
	}
}

func (c *comparison) values(desired *Desired, values map[domain.IPRange]bool) {
	for value := range values {
		until := desired.until(c.change.Set, value)
		if until.After(c.now) {
			c.want(Element{value, until})
		} else if present, ok := c.present[value]; ok {
			c.refuse(value, present)
		}
	}
}

// want plans that element is enforced until its end. One that is present is refreshed even when its end has
// passed: the backend's clock may be a little behind, and its own expiry must not take the new one along.
func (c *comparison) want(element Element) {
	present, ok := c.present[element.IPRange]
	switch {
	case !ok:
		c.change.Add = append(c.change.Add, element)
	case present.IsZero() || present.Sub(element.Until).Abs() > tolerance:
		c.change.Refresh = append(c.change.Refresh, element)
	}
}

// refuse plans that value is not enforced, unless the backend has dropped it by itself.
func (c *comparison) refuse(value domain.IPRange, until time.Time) {
	if until.IsZero() || c.now.Sub(until) <= grace {
		c.change.Remove = append(c.change.Remove, Element{value, until})
	}
}
