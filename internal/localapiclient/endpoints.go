package localapiclient

import (
	"slices"
	"time"
)

// The times of the choice between endpoints.
const (
	firstRest   = time.Second      // how long an endpoint is left alone after its first failure
	longestRest = 30 * time.Second // and after many
	longestAsk  = 5 * time.Minute  // however long a server asks to be left alone
	firstHold   = 30 * time.Second // how long a preferred endpoint must be well before it is used again
	longestHold = 10 * time.Minute // and when it has never kept its promise
)

// endpoints decides which of several equal Local APIs to use. It knows no clock, no dice and no network: what
// happened, when, and chance are told. The one that works is used until it fails; then at once the next one
// that is not known to be ill, in the order of the list. A preferred one is used again when it has been well
// for a while without a break, and for longer each time that it breaks down again soon after.
type endpoints struct {
	known     []health
	active    int // index of the one to use
	failovers int // how often the active one has changed because it failed

	hold     time.Duration // how long a preferred one must be well to be used again
	returned time.Time     // when a preferred one was used again; zero if never, or if it has failed since
}

// health is what is known about one endpoint.
type health struct {
	failures  int       // in a row
	until     time.Time // it is left alone before, unless there is nobody else
	asked     bool      // it has asked for that itself
	wellSince time.Time // the first success after the last failure, zero without one
}

func newEndpoints(count int) endpoints {
	return endpoints{known: make([]health, count), hold: firstHold}
}

// choose returns what to use for a request that was tried already with some, and whether there is any left.
func (e *endpoints) choose(now time.Time, tried []bool) (index int, ok bool) {
	if !tried[e.active] && !e.rests(e.active, now) {
		return e.active, true
	}
	best := -1
	for i := range e.known {
		switch {
		case tried[i]:
		case !e.rests(i, now):
			return i, true
		case best < 0 || e.isBetter(i, best):
			best = i
		}
	}
	// Who asked to be left alone is asked only by a request that would reach nobody otherwise.
	return best, best >= 0 && (!e.known[best].asked || !slices.Contains(tried, true))
}

// isBetter reports whether, of two that should be left alone, one is the lesser evil.
func (e *endpoints) isBetter(one, other int) bool {
	a, b := e.known[one], e.known[other]
	if a.asked != b.asked {
		return b.asked
	}
	return a.until.Before(b.until)
}

func (e *endpoints) rests(index int, now time.Time) bool { return now.Before(e.known[index].until) }

// succeeded notes that an endpoint has answered, and reports whether it became the active one.
func (e *endpoints) succeeded(index int, now time.Time) bool {
	h := &e.known[index]
	h.failures, h.until, h.asked = 0, time.Time{}, false
	if h.wellSince.IsZero() {
		h.wellSince = now
	}
	switch {
	case index == e.active:
		return false
	case e.known[e.active].failures > 0:
		e.active = index
		e.failovers++
		return true
	case index < e.active && now.Sub(h.wellSince) >= e.hold:
		e.active, e.returned = index, now
		return true
	}
	return false
}

// failed notes that an endpoint has not answered, or has said that it cannot, and reports whether another one
// became the active one. Ask is how long it wants to be left alone, zero if it does not say; chance is in [0,1).
func (e *endpoints) failed(index int, now time.Time, ask time.Duration, chance float64) bool {
	h := &e.known[index]
	rest := min(longestRest, firstRest<<min(h.failures, 10))
	rest = rest/2 + time.Duration(chance*float64(rest/2))
	h.asked = ask > rest
	h.until = now.Add(max(rest, min(ask, longestAsk)))
	h.failures++
	h.wellSince = time.Time{}
	if index != e.active {
		return false
	}
	e.learn(now)
	for i := range e.known {
		if !e.rests(i, now) {
			e.active = i
			e.failovers++
			return true
		}
	}
	return false
}

// learn makes it harder to come back for who has broken down soon after it did, and easier after a long time.
func (e *endpoints) learn(now time.Time) {
	switch {
	case e.returned.IsZero():
		return
	case now.Sub(e.returned) < 2*e.hold:
		e.hold = min(2*e.hold, longestHold)
	default:
		e.hold = firstHold
	}
	e.returned = time.Time{}
}
