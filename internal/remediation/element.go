package remediation

import (
	"cmp"
	"net/netip"
	"time"

	"shieldwall/internal/domain"
)

// Set names elements that a backend keeps together and counts together.
type Set struct {
	Group  string // see Filter.Group; the origin, unless the backend groups otherwise
	IPv6   bool
	Ranges bool // elements are disjoint ranges, not single addresses
}

func compareSets(a, b Set) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), compareBools(a.IPv6, b.IPv6), compareBools(a.Ranges, b.Ranges))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Element is an address (First equals Last) or a range, and the time when it ceases to be enforced.
type Element struct {
	domain.IPRange
	Until time.Time
}

// Elements are the contents of one set: when each ceases to be enforced. The zero time is never.
type Elements map[domain.IPRange]time.Time

// Enforced is what a backend enforces.
type Enforced struct {
	Sets       map[Set]Elements
	Incomplete bool // something around the sets is missing or differs: a table, a chain, a rule, a counter
}

// live counts the elements that are in force at now.
func (e Elements) live(now time.Time) int {
	count := 0
	for _, until := range e {
		if until.IsZero() || until.After(now) {
			count++
		}
	}
	return count
}

func (e Enforced) live(now time.Time) int {
	count := 0
	for _, elements := range e.Sets {
		count += elements.live(now)
	}
	return count
}

// apply brings e to the state that plan leads to.
func (e Enforced) apply(plan Plan) {
	for _, change := range plan.Changes {
		elements := e.Sets[change.Set]
		if elements == nil {
			elements = make(Elements, len(change.Add))
			e.Sets[change.Set] = elements
		}
		for _, gone := range change.Remove {
			delete(elements, gone.IPRange)
		}
		for _, list := range [][]Element{change.Refresh, change.Add} {
			for _, element := range list {
				elements[element.IPRange] = element.Until
			}
		}
	}
}

// Text writes r as administrators do: an address, a prefix, or first-last when it is neither.
func Text(r domain.IPRange) string {
	if r.First == r.Last {
		return r.First.String()
	}
	for bits := range r.First.BitLen() {
		prefix := netip.PrefixFrom(r.First, bits).Masked()
		whole, err := domain.ParseIPRange(prefix.String())
		if err == nil && whole == r {
			return prefix.String()
		}
	}
	return r.First.String() + "-" + r.Last.String()
}
