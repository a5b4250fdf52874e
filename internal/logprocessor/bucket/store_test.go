package bucket_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// TestStoreFindsWhatIsThere, and nothing else, while tens of thousands of buckets come and go.
func TestStoreFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	store, config, now := bucket.NewStore(start), leaky(2, time.Second), start
	random, held, one := rand.New(rand.NewPCG(1, 2)), map[bucket.Key]int{}, live(0) // the events in each bucket
	for step := range 60_000 {
		groups := 1 + 20_000*(step/15_000%2) // it fills, empties, and fills again
		key := bucket.Key{Scenario: fmt.Sprint(random.IntN(2)), Group: fmt.Sprint(random.IntN(groups))}
		if random.IntN(3) == 0 {
			key.Group += strings.Repeat(" long", 10)
		}
		in := one
		in.At = now
		in.Cancel = random.IntN(10) == 0
		result := pour(store, key, config, in)[0]
		if result.Created != (held[key] == 0) || result.Key != key {
			t.Fatalf("step %d: %+v, there were %d events", step, result, held[key])
		}
		held[key]++
		if result.Outcome != bucket.Kept {
			delete(held, key)
		}
		if step%500 == 0 {
			now = now.Add(time.Second)
			for _, ended := range store.Expire(now) {
				if held[ended.Key] == 0 {
					t.Fatalf("step %d: %v was not there", step, ended.Key)
				}
				delete(held, ended.Key)
			}
		}
		if store.Len() != len(held) {
			t.Fatalf("step %d: %d buckets, want %d", step, store.Len(), len(held))
		}
	}
}

// TestForeseeChangesNothing, whether or not the buckets are there.
func TestForeseeChangesNothing(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(2, time.Second)
	family := store.Family("s", config)
	visits := []bucket.Visit{{Family: family, Group: "a", Input: &bucket.Input{}}}
	store.Foresee(visits)
	for i := range 10_000 {
		visits = append(visits, bucket.Visit{Family: family, Group: fmt.Sprint(i), Input: &bucket.Input{}})
		in, value := live(0), "value"
		if i%2 == 0 {
			in.Distinct, in.Differs = value, true
		}
		family.Pour(fmt.Sprint(i), in)
	}
	if !store.Crowded() {
		t.Error("not crowded")
	}
	for ; len(visits) > 0; visits = visits[min(50, len(visits)):] {
		store.Foresee(visits)
	}
	if store.Len() != 10_000 {
		t.Errorf("%d buckets", store.Len())
	}
}

// TestForeseenPours find their buckets, whatever became of those since they were foreseen, and by whatever store.
func TestForeseenPours(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		configs := shapes()
		foreseen, plain, other := bucket.NewStore(start), bucket.NewStore(start), bucket.NewStore(start)
		at := start
		for range rapid.IntRange(1, 10).Draw(t, "batches") {
			var visits []bucket.Visit
			var keys []bucket.Key
			for range rapid.IntRange(1, 30).Draw(t, "pours") {
				at = at.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "seconds")) * time.Second)
				scenario, in := rapid.SampledFrom([]string{"leaky", "small", "trigger", "counter"}).Draw(t, "scenario"), replayed(0)
				in.At = at
				in.Cancel = rapid.IntRange(0, 9).Draw(t, "cancels") == 0
				key := bucket.Key{Scenario: scenario, Group: rapid.SampledFrom([]string{"a", "b", "a group with a long name, which is not in the entry"}).Draw(t, "group")}
				keys = append(keys, key)
				visits = append(visits, bucket.Visit{Family: foreseen.Family(scenario, configs[scenario]), Group: key.Group, Input: &in})
			}
			seer := rapid.SampledFrom([]*bucket.Store{foreseen, other}).Draw(t, "seer")
			seen := slices.Clone(visits)
			for i, key := range keys {
				seen[i].Family = seer.Family(key.Scenario, configs[key.Scenario])
			}
			seer.Foresee(seen)
			for i, visit := range visits {
				got, key, in := describe(visit.Family.Pour(visit.Group, *visit.Input)), keys[i], visit.Input
				unforeseen := bucket.Input{Kept: in.Kept, Clock: in.Clock, At: in.At, Time: in.Time, Cancel: in.Cancel}
				if want := describe(pour(plain, key, configs[key.Scenario], unforeseen)); got != want {
					t.Fatalf("got %s, want %s", got, want)
				}
				if rapid.IntRange(0, 2).Draw(t, "elsewhere") == 0 {
					pour(other, key, configs[key.Scenario], unforeseen)
				}
			}
		}
	})
}

// TestConditionsSeeAllEvents of a bucket that holds more than are remembered unpacked.
func TestConditionsSeeAllEvents(t *testing.T) {
	t.Parallel()
	const events = 10_000
	wrong := 0
	config := &bucket.Config{
		Kind: bucket.Conditional, Capacity: -1, Keep: -1, Lifetime: time.Hour,
		Overflows: func(state *bucket.State, latest bucket.Latest) bool {
			newest := len(state.Queue) - 1
			if state.Queue[newest].Line.Raw != latest.Event().Line.Raw || state.Queue[newest/2].Line.Raw != fmt.Sprint(newest/2) || state.Total != len(state.Queue) {
				wrong++
			}
			return len(state.Queue) == events
		},
	}
	silent := *config
	silent.Overflows = nil
	store, packer := bucket.NewStore(start), event.NewPacker(event.Everything())
	family := store.Family("s", &silent)
	for i := range events {
		if i == events-5 {
			family = store.Family("s", config)
		}
		evt := event.New(event.Line{Raw: fmt.Sprint(i)}, event.Live)
		if len(family.Pour("", bucket.Input{Kept: packer.Pack(evt), Clock: evt.ExpectMode, At: start})) != 1 {
			t.Fatal("no result")
		}
	}
	if store.Len() != 0 || wrong > 0 {
		t.Errorf("%d buckets left, %d times the events were others", store.Len(), wrong)
	}
}

// TestTimesComeBack to the nanosecond and the minute of their zone.
func TestTimesComeBack(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		start.Add(123456789), start.In(time.FixedZone("", -5*3600-1800)), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		in := replayed(0)
		in.At = at
		got := pour(bucket.NewStore(start), bucket.Key{}, &bucket.Config{Kind: bucket.Trigger}, in)[0].State
		for _, back := range []time.Time{got.First, got.Last} {
			if back.Format(time.RFC3339Nano) != at.Format(time.RFC3339Nano) || back.String() != at.String() {
				t.Errorf("got %v, want %v", back, at)
			}
		}
	}
}
