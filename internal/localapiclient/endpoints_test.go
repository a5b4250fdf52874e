package localapiclient

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is what endpoints are really like, and a clock.
type world struct {
	choice endpoints
	up     []bool
	now    time.Time
}

func newWorld(t *rapid.T) *world {
	count := rapid.IntRange(1, 5).Draw(t, "endpoints")
	return &world{
		choice: newEndpoints(count), now: time.Unix(1_800_000_000, 0),
		up: rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "up"),
	}
}

// request tries endpoints as a client does, and returns who answered, -1 if nobody did.
func (w *world) request(t *rapid.T) int {
	tried := make([]bool, len(w.up))
	for {
		i, ok := w.choice.choose(w.now, tried)
		if !ok {
			return -1
		}
		if tried[i] {
			t.Fatalf("%d is tried twice", i)
		}
		tried[i] = true
		if w.up[i] {
			w.choice.succeeded(i, w.now)
			return i
		}
		w.fail(t, i)
	}
}

func (w *world) fail(t *rapid.T, i int) {
	ask := time.Duration(rapid.SampledFrom([]int{0, 0, 0, 7, 3600}).Draw(t, "ask")) * time.Second
	w.choice.failed(i, w.now, ask, rapid.Float64Range(0, 0.999).Draw(t, "chance"))
}

func (w *world) probe(t *rapid.T) {
	for i := range w.choice.active + 1 {
		if w.up[i] {
			w.choice.succeeded(i, w.now)
		} else {
			w.fail(t, i)
		}
	}
}

func (w *world) check(t *rapid.T) {
	if w.choice.active < 0 || w.choice.active >= len(w.up) {
		t.Fatalf("%d is in use, of %d", w.choice.active, len(w.up))
	}
	if w.choice.hold < firstHold || w.choice.hold > longestHold {
		t.Fatalf("a preferred one must be well for %v", w.choice.hold)
	}
	for i, h := range w.choice.known {
		if rest := h.until.Sub(w.now); rest > longestAsk {
			t.Fatalf("%d is left alone for %v", i, rest)
		}
		if h.failures == 0 && w.choice.rests(i, w.now) {
			t.Fatalf("%d is left alone without a reason", i)
		}
	}
}

// Whatever happens, a request tries nobody twice, reaches somebody who is well unless that one has asked to be
// left alone, and nobody is left alone for ever.
func TestEndpointsReachWhoIsWell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ms")) * time.Millisecond)
			},
			"one changes": func(t *rapid.T) {
				i := rapid.IntRange(0, len(w.up)-1).Draw(t, "who")
				w.up[i] = !w.up[i]
			},
			"probe": w.probe,
			"request": func(t *rapid.T) {
				reachable := slices.ContainsFunc(w.indexes(), func(i int) bool { return w.up[i] && !w.choice.known[i].asked })
				if got := w.request(t); got < 0 && reachable {
					t.Fatalf("nobody is reached of %v: %+v", w.up, w.choice)
				}
			},
			"": w.check,
		})
	})
}

func (w *world) indexes() []int {
	indexes := make([]int, len(w.up))
	for i := range indexes {
		indexes[i] = i
	}
	return indexes
}

// The one that works is used until it fails, or until a preferred one has been well long enough.
func TestEndpointsStayWithTheOneThatWorks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		wellSince := make([]time.Time, len(w.up)) // as an outsider sees it
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				active := w.choice.active
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "s")) * time.Second)
				i := rapid.IntRange(0, len(w.up)-1).Draw(t, "who")
				hold, failing := w.choice.hold, w.choice.known[active].failures > 0
				if rapid.Bool().Draw(t, "well") {
					w.choice.succeeded(i, w.now)
					if wellSince[i].IsZero() {
						wellSince[i] = w.now
					}
				} else {
					w.fail(t, i)
					wellSince[i] = time.Time{}
					failing = failing || i == active
				}
				now := w.choice.active
				if now == active || failing {
					return
				}
				if now > active || now != i || w.now.Sub(wellSince[now]) < hold {
					t.Fatalf("from %d, which works, to %d, well for %v of %v", active, now, w.now.Sub(wellSince[now]), hold)
				}
			},
		})
	})
}

// When everything is well, the first of the list is used again after at most the longest time of probation.
func TestEndpointsComeBackToTheFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(0, 200).Draw(t, "events") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "s")) * time.Second)
			i := rapid.IntRange(0, len(w.up)-1).Draw(t, "who")
			if w.up[i] = rapid.Bool().Draw(t, "well"); w.up[i] {
				w.choice.succeeded(i, w.now)
			} else {
				w.fail(t, i)
			}
		}
		for i := range w.up {
			w.up[i] = true
		}
		for range int(longestHold/defaultProbeEvery) + 2 {
			w.probe(t)
			w.now = w.now.Add(defaultProbeEvery)
		}
		if got := w.request(t); got != 0 || w.choice.active != 0 {
			t.Fatalf("%d answers, %d is in use", got, w.choice.active)
		}
	})
}

// One that breaks down each time it is used again is trusted less and less: in a day it is tried some 150
// times, not 2,880.
func TestEndpointsDoNotFlap(t *testing.T) {
	t.Parallel()
	choice, now := newEndpoints(2), time.Unix(1_800_000_000, 0)
	returns := 0
	for end := now.Add(24 * time.Hour); now.Before(end); now = now.Add(defaultProbeEvery) {
		if choice.active == 0 { // a request shows what a health check does not
			choice.failed(0, now, 0, 0.5)
			choice.succeeded(1, now)
		}
		if choice.succeeded(0, now) {
			returns++
		}
	}
	if most := int(24*time.Hour/longestHold) + 6; returns > most || returns < most/2 {
		t.Errorf("%d returns, at most %d make sense", returns, most)
	}
}

func TestEndpointsHonourWhoAsksToBeLeftAlone(t *testing.T) {
	t.Parallel()
	choice, now := newEndpoints(2), time.Unix(1_800_000_000, 0)
	choice.failed(0, now, time.Minute, 0)
	choice.failed(1, now, 0, 0)
	for _, c := range []struct {
		after time.Duration
		tried []bool
		want  int
		ok    bool
	}{
		{0, []bool{false, false}, 1, true}, // failed too, but did not ask
		{0, []bool{false, true}, 0, false}, // asked
		{time.Minute, []bool{false, true}, 0, true},
		{time.Minute, []bool{true, true}, -1, false},
	} {
		if i, ok := choice.choose(now.Add(c.after), c.tried); ok != c.ok || ok && i != c.want {
			t.Errorf("after %v, tried %v: %d, %v", c.after, c.tried, i, ok)
		}
	}
	choice.failed(1, now, 2*time.Minute, 0)
	if i, ok := choice.choose(now, []bool{false, false}); !ok || i != 0 {
		t.Errorf("when all ask, a request goes to %d, %v", i, ok)
	}
}

// One that did not ask to be left alone is tried before one that did, however long it has failed.
func TestEndpointsTryWhoDidNotAsk(t *testing.T) {
	t.Parallel()
	choice, now := newEndpoints(3), time.Unix(1_800_000_000, 0)
	for range 4 {
		choice.failed(1, now, 0, 0.5)
	}
	choice.failed(0, now, 2*time.Second, 0)
	choice.failed(2, now, 0, 0)
	if i, ok := choice.choose(now, []bool{false, false, true}); !ok || i != 1 {
		t.Errorf("got %d, %v", i, ok)
	}
}
