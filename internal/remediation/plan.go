package remediation

import (
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
	Closed  bool     // when completing: only what belongs to a connection that exists, or is allowed, may pass
	Changes []Change // at most one a set, in the order of sets

	wanted int // elements that have to be enforced
	idle   int // of those, in a set that no rule looks at
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
	return belief{Enforced: enforced}.compare(desired, now)
}

// before is what was known of a value before it changed.
type before struct {
	until time.Time
	known bool
}

// touched are the values about which something was decided, with what was known of them before.
type touched map[Set]map[domain.IPRange]before

// add takes note of a value. What was known when it was touched first counts.
func (t touched) add(set Set, value domain.IPRange, was before) {
	if t[set] == nil {
		t[set] = map[domain.IPRange]before{}
	}
	if _, again := t[set][value]; !again {
		t[set][value] = was
	}
}

func (p *Plan) add(c *comparison) {
	p.wanted += c.wanted
	p.idle += c.idle
	if change := c.change; len(change.Add)+len(change.Refresh)+len(change.Remove) > 0 {
		p.Changes = append(p.Changes, change)
	}
}

// comparison finds the change for one set.
type comparison struct {
	desired *Desired
	unseen  bool // no rule looks at the set
	now     time.Time
	change  Change
	wanted  int
	idle    int
}

// whole compares all that is present with all that is desired.
func (c *comparison) whole(present presence) {
	wanted := func(value domain.IPRange) bool {
		until, ok := c.desired.until(c.change.Set, value)
		return ok && inForce(until, c.now)
	}
	var pieces map[domain.IPRange]bool // ranges are cut: they are not what is decided about
	if c.change.Set.Ranges {
		pieces = map[domain.IPRange]bool{}
		wanted = func(value domain.IPRange) bool { return pieces[value] }
	} else if held := c.desired.sets[c.change.Set]; held != nil && c.change.Create {
		c.change.Add = make([]Element, 0, held.count())
	}
	for element := range c.desired.elements(c.change.Set, c.now) {
		if pieces != nil {
			pieces[element.IPRange] = true
		}
		until, ok := present.end(element.IPRange)
		c.want(element, before{until, ok})
	}
	for element := range present.each() {
		if !wanted(element.IPRange) {
			c.refuse(element)
		}
	}
}

// values compares those that were touched.
func (c *comparison) values(values map[domain.IPRange]before) {
	for value, was := range values {
		until, ok := c.desired.until(c.change.Set, value)
		if ok && inForce(until, c.now) {
			c.want(Element{value, until}, was)
		} else if was.known {
			c.refuse(Element{value, was.until})
		}
	}
}

// want plans that element is enforced until its end. One that is present is refreshed even when its end has
// passed: the backend's clock may be a little behind, and its own expiry must not take the new one along.
func (c *comparison) want(element Element, present before) {
	c.wanted++
	switch {
	case !present.known || c.wasEnded(present.until):
		c.change.Add = append(c.change.Add, element)
		return
	case c.unseen:
		c.idle++
	}
	if !c.same(present.until, element.Until) {
		c.change.Refresh = append(c.change.Refresh, element)
	}
}

// wasEnded reports whether the process itself may have ended an element, which then is added again.
func (c *comparison) wasEnded(until time.Time) bool {
	return c.desired.filter.Timeless && !inForce(until, c.now)
}

// same reports whether an element that ends at present needs no refreshing to end at wanted.
func (c *comparison) same(present, wanted time.Time) bool {
	longest := c.desired.filter.Longest
	switch {
	case c.desired.filter.Timeless || present.IsZero() && wanted.IsZero():
		return true
	case present.IsZero() || wanted.IsZero():
		return false
	case longest > 0 && wanted.Sub(c.now) > longest/2 && present.Before(wanted):
		return present.Sub(c.now) > longest/2 // it cannot be given all, and is refreshed in time
	}
	return present.Sub(wanted).Abs() <= max(tolerance, c.desired.filter.Tolerance)
}

// refuse plans that something is not enforced, unless the backend has dropped it by itself.
func (c *comparison) refuse(present Element) {
	if c.desired.filter.Timeless || present.Until.IsZero() || c.now.Sub(present.Until) <= grace {
		c.change.Remove = append(c.change.Remove, present)
	}
}
