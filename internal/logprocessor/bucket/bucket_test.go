package bucket_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func leaky(capacity int, leakspeed time.Duration) *bucket.Config {
	return &bucket.Config{
		Kind: bucket.Leaky, Capacity: capacity, Leakspeed: leakspeed,
		Lifetime: time.Duration(capacity+1) * leakspeed, Keep: capacity,
	}
}

func replayed(offset time.Duration) bucket.Input {
	return input(event.New(event.Line{}, event.TimeMachine), start.Add(offset))
}

// input is an event at a time, and as a bucket keeps it.
func input(evt *event.Event, at time.Time) bucket.Input {
	return bucket.Input{Kept: event.NewPacker(event.Everything()).Pack(evt), Clock: evt.ExpectMode, At: at, Time: evt.Time}
}

// pour returns results that stay.
func pour(store *bucket.Store, key bucket.Key, config *bucket.Config, in bucket.Input) []bucket.Result {
	return slices.Clone(store.Family(key.Scenario, config).Pour(key.Group, in))
}

// pourAll returns the outcome of the last input at each offset.
func pourAll(config *bucket.Config, offsets ...time.Duration) bucket.Outcome {
	store := bucket.NewStore(start)
	var last bucket.Outcome
	for _, offset := range offsets {
		results := pour(store, bucket.Key{}, config, replayed(offset))
		last = results[len(results)-1].Outcome
	}
	return last
}

func TestLeakArithmetic(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, test := range []struct {
		name    string
		config  *bucket.Config
		offsets []time.Duration
		want    bucket.Outcome
	}{
		{"capacity is not an overflow", leaky(2, 10*s), []time.Duration{0, 0}, bucket.Kept},
		{"capacity and one is", leaky(2, 10*s), []time.Duration{0, 0, 0}, bucket.Overflow},
		{"a full leak makes room", leaky(2, 10*s), []time.Duration{0, 0, 10 * s}, bucket.Kept},
		{"a nanosecond less does not", leaky(2, 10*s), []time.Duration{0, 0, 9999999999}, bucket.Overflow},
		{"a gap of the lifetime keeps the bucket", leaky(2, 10*s), []time.Duration{0, 30 * s, 30 * s, 30 * s}, bucket.Overflow},
		{"an older event overflows too", leaky(2, 10*s), []time.Duration{5 * s, 5 * s, 0}, bucket.Overflow},
	} {
		if got := pourAll(test.config, test.offsets...); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestReplayedBucketEndsAfterItsLifetime(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, 10*time.Second)
	pour(store, bucket.Key{}, config, replayed(0))
	if results := pour(store, bucket.Key{}, config, replayed(30*time.Second)); len(results) != 1 || results[0].Created {
		t.Errorf("gap of the lifetime: %+v", results)
	}
	results := pour(store, bucket.Key{}, config, replayed(60*time.Second+100*time.Millisecond))
	if len(results) != 2 || results[0].Outcome != bucket.Underflow || !results[1].Created {
		t.Errorf("longer gap: %+v", results)
	}
}

func TestQueueKeepsTheNewest(t *testing.T) {
	t.Parallel()
	config := leaky(5, time.Second)
	config.Keep = 2
	store := bucket.NewStore(start)
	var last bucket.Result
	for i := range 6 {
		last = pour(store, bucket.Key{}, config, input(event.New(event.Line{Raw: fmt.Sprint(i)}, event.TimeMachine), start))[0]
	}
	if last.Outcome != bucket.Overflow || last.State.Total != 6 || len(last.State.Kept) != 3 {
		t.Fatalf("got %v, total %d, queue %d", last.Outcome, last.State.Total, len(last.State.Kept))
	}
	for i, kept := range last.State.Kept {
		if evt := kept.Unpack(); evt.Line.Raw != fmt.Sprint(3+i) {
			t.Errorf("queue[%d] is event %s", i, evt.Line.Raw)
		}
	}
}

func TestDistinctAndCancel(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, time.Second)
	values := func(value string, cancel bool) bucket.Result {
		in := replayed(0)
		in.Distinct, in.Differs, in.Cancel = value, true, cancel
		return pour(store, bucket.Key{}, config, in)[0]
	}
	for _, test := range []struct {
		value  string
		cancel bool
		want   bucket.Outcome
	}{
		{"a", false, bucket.Kept},
		{"a", true, bucket.Ignored},
		{"b", false, bucket.Kept},
		{"c", false, bucket.Overflow},
		{"a", false, bucket.Kept},
		{"b", true, bucket.Canceled},
		{"a", false, bucket.Kept},
	} {
		got := values(test.value, test.cancel)
		if got.Outcome != test.want || got.Outcome == bucket.Overflow && got.State.Total != 3 {
			t.Errorf("%s: got %+v, want %v", test.value, got, test.want)
		}
	}
	if store.Len() != 1 {
		t.Errorf("%d buckets", store.Len())
	}
}

// TestManyDistinctValues goes past what a bucket keeps in a list.
func TestManyDistinctValues(t *testing.T) {
	t.Parallel()
	store, config, pours := bucket.NewStore(start), leaky(1000, time.Hour), 0
	for range 2 {
		for i := range 300 {
			in, value := replayed(0), fmt.Sprint(i)
			in.Distinct, in.Differs = value, true
			if pour(store, bucket.Key{}, config, in)[0].Outcome == bucket.Kept {
				pours++
			}
		}
	}
	if pours != 300 {
		t.Errorf("%d of 300 values count", pours)
	}
}

func TestTriggerOverflowsOnEveryEvent(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), &bucket.Config{Kind: bucket.Trigger}
	for range 2 {
		result := pour(store, bucket.Key{}, config, replayed(0))[0]
		if result.Outcome != bucket.Overflow || result.State.Total != 1 || len(result.State.Kept) != 1 {
			t.Errorf("got %+v", result)
		}
	}
}

func TestConditionDecides(t *testing.T) {
	t.Parallel()
	config := &bucket.Config{
		Kind: bucket.Conditional, Capacity: -1, Keep: -1, Lifetime: time.Minute,
		Overflows: func(state *bucket.State, _ bucket.Latest) bool { return len(state.Queue) == 3 },
	}
	if got := pourAll(config, 0, 0); got != bucket.Kept {
		t.Errorf("two: %v", got)
	}
	if got := pourAll(config, 0, 0, 0); got != bucket.Overflow {
		t.Errorf("three: %v", got)
	}
}

func live(at time.Duration) bucket.Input {
	return input(event.New(event.Line{}, event.Live), start.Add(at))
}

func TestLiveBucketsExpireByTheWheel(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, 10*time.Second)
	pour(store, bucket.Key{Group: "idle"}, config, live(0))
	pour(store, bucket.Key{Group: "busy"}, config, live(0))
	pour(store, bucket.Key{Group: "busy"}, config, live(20*time.Second))
	if got := store.Expire(start.Add(30 * time.Second)); len(got) != 0 {
		t.Errorf("at the deadline: %+v", got)
	}
	got := store.Expire(start.Add(32 * time.Second))
	if len(got) != 1 || got[0].Key.Group != "idle" || got[0].Outcome != bucket.Underflow {
		t.Errorf("after the deadline: %+v", got)
	}
	if got := store.Expire(start.Add(52 * time.Second)); len(got) != 1 || got[0].Key.Group != "busy" || store.Len() != 0 {
		t.Errorf("after the second deadline: %+v", got)
	}
}

// backlog is an event of the past, poured at start and an offset.
func backlog(ago, poured time.Duration) bucket.Input {
	now := start.Add(poured)
	in := input(event.New(event.Line{}, event.TimeMachine), now.Add(-ago))
	in.Now = now
	return in
}

// TestClocksMix pours into one bucket that nobody looks after any more.
func TestClocksMix(t *testing.T) {
	t.Parallel()
	const s = time.Second
	counter := &bucket.Config{Kind: bucket.Counter, Capacity: -1, Keep: -1, Lifetime: 10 * s, Timed: true}
	distinct := "seen"
	again := live(6 * s)
	again.Distinct, again.Differs = distinct, true
	first := backlog(2*s, 0)
	first.Distinct, first.Differs = distinct, true
	for name, test := range map[string]struct {
		store   *bucket.Store
		config  *bucket.Config
		inputs  []bucket.Input
		ends    time.Duration // by the wheel, at the latest a second later; 0: never
		outcome bucket.Outcome
		at      time.Duration // of the result; 0: when the wheel notices
	}{
		"backlog only":                 {bucket.NewStore(start), leaky(2, 10*s), []bucket.Input{backlog(time.Hour, 0)}, 30 * s, bucket.Underflow, 0},
		"backlog, the latest counts":   {bucket.NewStore(start), leaky(2, 10*s), []bucket.Input{backlog(time.Hour, 0), backlog(time.Hour, 5*s)}, 35 * s, bucket.Underflow, 0},
		"backlog, then live":           {bucket.NewStore(start), leaky(2, 10*s), []bucket.Input{backlog(20*s, 0), live(5 * s)}, 35 * s, bucket.Underflow, 0},
		"live, then backlog":           {bucket.NewStore(start), leaky(2, 10*s), []bucket.Input{live(0), backlog(time.Hour, 5*s)}, 30 * s, bucket.Underflow, 0},
		"live event that is not new":   {bucket.NewStore(start), leaky(2, 10*s), []bucket.Input{first, again}, 30 * s, bucket.Underflow, 0},
		"counter, backlog only":        {bucket.NewStore(start), counter, []bucket.Input{backlog(time.Hour, 0)}, 10 * s, bucket.Overflow, 10*s - time.Hour},
		"counter, backlog, then live":  {bucket.NewStore(start), counter, []bucket.Input{backlog(4*s, 0), live(5 * s)}, 10 * s, bucket.Overflow, 6 * s},
		"replay":                       {bucket.NewReplay(start), leaky(2, 10*s), []bucket.Input{backlog(time.Hour, 0)}, 0, 0, 0},
		"replay, then live":            {bucket.NewReplay(start), leaky(2, 10*s), []bucket.Input{backlog(20*s, 0), live(5 * s)}, 35 * s, bucket.Underflow, 0},
		"replay, live that is not new": {bucket.NewReplay(start), leaky(2, 10*s), []bucket.Input{first, again}, 0, 0, 0},
	} {
		for i, in := range test.inputs {
			if got := pour(test.store, bucket.Key{}, test.config, in); len(got) != 1 || got[0].Created != (i == 0) {
				t.Fatalf("%s: event %d: %+v", name, i, got)
			}
		}
		if test.ends == 0 {
			if got := test.store.Expire(start.Add(time.Hour)); len(got) != 0 || test.store.Len() != 1 {
				t.Errorf("%s: the wheel ends it: %+v", name, got)
			}
			continue
		}
		if got := test.store.Expire(start.Add(test.ends)); len(got) != 0 {
			t.Errorf("%s: too early: %+v", name, got)
		}
		at := cmp.Or(test.at, test.ends+s)
		got := test.store.Expire(start.Add(test.ends + s))
		if len(got) != 1 || got[0].Outcome != test.outcome || !got[0].At.Equal(start.Add(at)) || test.store.Len() != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A live event finds a bucket of the backlog only if that is younger than its lifetime.
func TestLiveEventEndsAnOldBacklog(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, 10*time.Second)
	pour(store, bucket.Key{}, config, backlog(time.Hour, 0))
	got := pour(store, bucket.Key{}, config, live(time.Second))
	if len(got) != 2 || got[0].Outcome != bucket.Underflow || !got[1].Created {
		t.Errorf("%+v", got)
	}
}

func TestClockThatIsSetRightCostsNothing(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(time.Unix(0, 0)), leaky(2, 10*time.Second)
	early := live(0)
	early.At = time.Unix(5, 0)
	pour(store, bucket.Key{Group: "early"}, config, early)
	pour(store, bucket.Key{Group: "late"}, config, live(0))
	if got := store.Expire(start.Add(20 * time.Second)); len(got) != 1 || got[0].Key.Group != "early" {
		t.Errorf("after half a century: %+v", got)
	}
	if got := store.Expire(start.Add(32 * time.Second)); len(got) != 1 || got[0].Key.Group != "late" {
		t.Errorf("later: %+v", got)
	}
}

func TestCounterOverflowsAtItsEnd(t *testing.T) {
	t.Parallel()
	config := &bucket.Config{Kind: bucket.Counter, Capacity: -1, Keep: -1, Lifetime: 10 * time.Second, Timed: true}
	store := bucket.NewStore(start)
	pour(store, bucket.Key{}, config, live(0))
	pour(store, bucket.Key{}, config, live(9*time.Second))
	got := store.Expire(start.Add(12 * time.Second))
	if len(got) != 1 || got[0].Outcome != bucket.Overflow || got[0].State.Total != 2 {
		t.Errorf("live: %+v", got)
	}
	store = bucket.NewStore(start)
	pour(store, bucket.Key{}, config, replayed(0))
	results := pour(store, bucket.Key{}, config, replayed(11*time.Second))
	if len(results) != 2 || results[0].Outcome != bucket.Overflow || results[1].Outcome != bucket.Kept {
		t.Errorf("replay: %+v", results)
	}
}

func overflow(key bucket.Key, at time.Duration) bucket.Result {
	return bucket.Result{Key: key, Outcome: bucket.Overflow, At: start.Add(at), State: &bucket.State{Clock: event.TimeMachine}}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	store := bucket.NewStore(start)
	key := bucket.Key{Scenario: "s", Group: "g"}
	for _, test := range []struct {
		at   time.Duration
		want bool
	}{{0, false}, {59 * time.Second, true}, {time.Minute, false}, {61 * time.Second, true}} {
		if got := store.Silent(overflow(key, test.at)); got != test.want { // which begins no silence
			t.Errorf("at %v: silent is %v", test.at, got)
		}
		if got := store.Silenced(overflow(key, test.at), time.Minute); got != test.want {
			t.Errorf("at %v: got %v", test.at, got)
		}
	}
	if store.Silenced(overflow(bucket.Key{Scenario: "other"}, 0), time.Minute) {
		t.Error("another key is silenced")
	}
}

func TestRetain(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, time.Second)
	for _, scenario := range []string{"keep", "drop"} {
		pour(store, bucket.Key{Scenario: scenario}, config, live(0))
	}
	store.Retain(func(scenario string) *bucket.Config {
		if scenario == "keep" {
			return config
		}
		return nil
	})
	if results := pour(store, bucket.Key{Scenario: "keep"}, config, live(0)); store.Len() != 1 || results[0].Created {
		t.Errorf("%d buckets, created %v", store.Len(), results[0].Created)
	}
}

// TestLeakyLaw checks the two sides of the leaky bucket's promise on random traffic: it never overflows
// below capacity+1 events in its window, and always does when more than capacity plus what could have
// leaked arrived since its first event.
func TestLeakyLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 8).Draw(t, "capacity")
		leakspeed := time.Duration(rapid.IntRange(1, 20).Draw(t, "leakspeed")) * time.Second
		store, config := bucket.NewStore(start), leaky(capacity, leakspeed)
		at, first, poured := time.Duration(0), time.Duration(0), 0
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			at += time.Duration(rapid.IntRange(0, 30).Draw(t, "gap")) * time.Second / 2
			results := pour(store, bucket.Key{}, config, replayed(at))
			result := results[len(results)-1]
			if result.Created {
				first, poured = at, 0
			}
			poured++
			leaked := float64(at-first) / float64(leakspeed)
			switch result.Outcome {
			case bucket.Overflow:
				if poured < capacity+1 {
					t.Fatalf("overflow after %d events, capacity %d", poured, capacity)
				}
			default:
				if float64(poured) > float64(capacity)+leaked+1e-6 {
					t.Fatalf("no overflow after %d events, capacity %d, leaked at most %f", poured, capacity, leaked)
				}
			}
		}
	})
}
