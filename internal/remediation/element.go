package remediation

import (
	"cmp"
	"time"

	"shieldwall/internal/domain"
)

// Set names elements that a backend keeps together and counts together.
type Set struct {
	Group  string // see Filter.Group; the origin, unless the backend groups otherwise
	IPv6   bool
	Ranges bool // elements are disjoint ranges, not single addresses
	Allow  bool // what passes whatever is banned: Ranges, too, and no Group
}

// compareSets orders sets as they are to be filled: what passes comes first.
func compareSets(a, b Set) int {
	return cmp.Or(compareBools(b.Allow, a.Allow), cmp.Compare(a.Group, b.Group),
		compareBools(a.IPv6, b.IPv6), compareBools(a.Ranges, b.Ranges))
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

// Element is an address (First equals Last) or a range, and the time when it ceases to be enforced; the zero
// time is never.
type Element struct {
	domain.IPRange
	Until time.Time
}

// Elements are the contents of one set: when each ceases to be enforced. The zero time is never.
type Elements map[domain.IPRange]time.Time

// Enforced is what a backend enforces.
type Enforced struct {
	Sets       map[Set]Elements
	Idle       map[Set]bool // sets that no rule looks at where one should
	Incomplete bool         // something around the sets is missing or differs: a table, a chain, a rule, a counter
	Closed     bool         // the gate is, see Plan.Closed
}

// inForce reports whether something that ends at until is still enforced.
func inForce(until, now time.Time) bool { return until.IsZero() || until.After(now) }

// outlives reports whether the end a is later than b.
func outlives(a, b time.Time) bool {
	switch {
	case b.IsZero():
		return false
	case a.IsZero():
		return true
	}
	return a.After(b)
}

// Text writes r as administrators do: an address, a prefix, or first-last when it is neither.
func Text(r domain.IPRange) string {
	if r.First == r.Last {
		return r.First.String()
	}
	if prefix, ok := prefixOf(r); ok {
		return prefix.String()
	}
	return r.First.String() + "-" + r.Last.String()
}
