package bucket_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// shapes are scenarios of every kind, by identity.
func shapes() map[string]*bucket.Config {
	leakyOfFew := leaky(3, 4*time.Second)
	leakyOfFew.Keep = 1
	return map[string]*bucket.Config{
		"leaky":      leaky(2, 10*time.Second),
		"small":      leakyOfFew,
		"trigger":    {Kind: bucket.Trigger},
		"counter":    {Kind: bucket.Counter, Capacity: -1, Keep: -1, Lifetime: 15 * time.Second, Timed: true},
		"everlast":   {Kind: bucket.Leaky, Capacity: 4, Keep: 4, Leakspeed: time.Hour},
		"cumulative": {Kind: bucket.Bayesian, Capacity: -1, Keep: -1, Lifetime: 20 * time.Second, Overflows: overflowsOnEvidence},
	}
}

// overflowsOnEvidence remembers, in the state itself, that there was a second event.
func overflowsOnEvidence(state *bucket.State, _ *event.Event) bool {
	if state.Evidence == nil {
		state.Evidence = make([]bool, 1)
	}
	before := state.Evidence[0]
	state.Evidence[0] = state.Total >= 2
	return before && state.Total >= 4
}

// restarted returns a store that was told what the other one told, from Everything on.
func restarted(t *rapid.T, told []bucket.Changes) *bucket.Store {
	store := bucket.NewStore(start.Add(time.Hour)) // its wheel must not believe this
	for _, changes := range told {
		if err := store.Apply(changes); err != nil {
			t.Fatal(err)
		}
	}
	configs := shapes()
	store.Retain(func(scenario string) *bucket.Config { return configs[scenario] })
	return store
}

// describe shows everything about results, down to which events they hold.
func describe(results []bucket.Result) string {
	text := ""
	for _, r := range results {
		text += fmt.Sprintf("%v %v %v created=%v", r.Key, r.Outcome, r.At.Sub(start), r.Created)
		text += fmt.Sprintf(" %v-%v total=%d evidence=%v queue=", r.State.First.Sub(start), r.State.Last.Sub(start), r.State.Total, r.State.Evidence)
		for _, evt := range r.State.Queue {
			text += evt.Line.Raw + " "
		}
		text += "\n"
	}
	return text
}

// TestRestartsChangeNothing: a store that is told what happened goes on like the one that it happened to,
// whenever that is.
func TestRestartsChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steady, moved := bucket.NewStore(start), bucket.NewStore(start)
		told := []bucket.Changes{moved.Everything()}
		configs, number, now := shapes(), 0, start
		pour := func(store *bucket.Store, key bucket.Key, in bucket.Input) (results []bucket.Result, silent []bool) {
			results = store.Pour(key, configs[key.Scenario], in)
			for _, r := range results {
				if r.Outcome == bucket.Overflow {
					silent = append(silent, store.Silenced(r, 7*time.Second))
				}
			}
			return results, silent
		}
		t.Repeat(map[string]func(*rapid.T){
			"pour": func(t *rapid.T) {
				number++
				key := bucket.Key{
					Scenario: rapid.SampledFrom([]string{"leaky", "small", "trigger", "counter", "everlast", "cumulative"}).Draw(t, "scenario"),
					Group:    rapid.SampledFrom([]string{"", "a"}).Draw(t, "group"),
				}
				clock := rapid.SampledFrom([]event.Clock{event.Live, event.Live, event.TimeMachine}).Draw(t, "clock")
				in := bucket.Input{Event: event.New(event.Line{Raw: fmt.Sprint(number)}, clock), At: now, Now: now}
				if clock == event.TimeMachine {
					in.At = now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "ago")) * time.Second)
				}
				if value := rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "distinct"); value != "" {
					in.Distinct = &value
				}
				in.Cancel = rapid.IntRange(0, 9).Draw(t, "cancel") == 0
				want, wantSilent := pour(steady, key, in)
				got, gotSilent := pour(moved, key, in)
				if describe(got) != describe(want) || fmt.Sprint(gotSilent) != fmt.Sprint(wantSilent) {
					t.Fatalf("got  %s%v\nwant %s%v", describe(got), gotSilent, describe(want), wantSilent)
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 9000).Draw(t, "ms")) * time.Millisecond)
				if got, want := describe(moved.Expire(now)), describe(steady.Expire(now)); got != want {
					t.Fatalf("got  %s\nwant %s", got, want)
				}
			},
			"tell":            func(*rapid.T) { told = append(told, moved.Changes()) },
			"tell everything": func(*rapid.T) { told = []bucket.Changes{moved.Everything()} },
			"restart": func(t *rapid.T) {
				moved = restarted(t, append(told, moved.Changes()))
				told = []bucket.Changes{moved.Everything()}
			},
			"": func(t *rapid.T) {
				if moved.Len() != steady.Len() {
					t.Fatalf("%d buckets, want %d", moved.Len(), steady.Len())
				}
			},
		})
	})
}

func TestChangesTellOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	store, config := bucket.NewStore(start), leaky(5, time.Second)
	pour := func(key bucket.Key, in bucket.Input) { store.Pour(key, config, in) }
	pour(bucket.Key{Group: "before"}, live(0))
	if store.Changed() || len(store.Changes().Buckets) != 0 {
		t.Error("notes are taken before Everything")
	}
	if got := store.Everything().Buckets; len(got) != 1 || !got[0].New || len(got[0].Added) != 1 {
		t.Errorf("everything: %+v", got)
	}
	pour(bucket.Key{Group: "before"}, live(0))
	got := store.Changes().Buckets
	if len(got) != 1 || got[0].New || got[0].Kept != 1 || len(got[0].Added) != 1 || got[0].Total != 2 || store.Changed() {
		t.Errorf("one more event: %+v", got)
	}
	store.Pour(bucket.Key{Group: "untold"}, &bucket.Config{Kind: bucket.Trigger}, live(0))
	if store.Changed() {
		t.Error("a bucket that nobody knows is gone")
	}
	store.Expire(start.Add(time.Minute))
	if got := store.Changes().Buckets; len(got) != 1 || !got[0].Gone {
		t.Errorf("after its end: %+v", got)
	}
}

func TestApplyRefusesNonsense(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{}, event.Live)
	for name, changes := range map[string][]bucket.Change{
		"change of nothing":      {{Total: 1, Added: []*event.Event{evt}}},
		"more kept than there":   {{New: true, Total: 1, Kept: 1}},
		"negative":               {{New: true, Total: 1, Kept: -1}},
		"more events than total": {{New: true, Total: 1, Added: []*event.Event{evt, evt}}},
		"no event ever":          {{New: true}},
		"change after its end":   {{New: true, Total: 1, Added: []*event.Event{evt}}, {Gone: true}, {Total: 2, Kept: 1}},
	} {
		if err := bucket.NewStore(start).Apply(bucket.Changes{Buckets: changes}); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
}
