package bucket_test

import (
	"fmt"
	"slices"
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
func overflowsOnEvidence(state *bucket.State, _ bucket.Latest) bool {
	if state.Evidence == nil {
		state.Evidence = make([]bool, 1)
	}
	before := state.Evidence[0]
	state.Evidence[0] = state.Total >= 2
	return before && state.Total >= 4
}

// story is what a store told, kept for later.
type story struct {
	buckets  []bucket.Change
	silences []bucket.Silence
	turned   int64
}

func (s *story) add(changes bucket.Changes) {
	for change := range changes.Buckets {
		change.Added, change.Seen, change.Evidence = slices.Clone(change.Added), slices.Clone(change.Seen), slices.Clone(change.Evidence)
		s.buckets = append(s.buckets, change)
	}
	s.silences = append(s.silences, changes.Silences...)
	s.turned = changes.Turned
}

// restarted returns a store that was told what the other one told, from Everything on.
func restarted(t *rapid.T, told story) *bucket.Store {
	store := bucket.NewStore(start.Add(time.Hour)) // its wheel must not believe this
	for _, change := range told.buckets {
		if err := store.Apply(change); err != nil {
			t.Fatal(err)
		}
	}
	for _, silence := range told.silences {
		store.Hush(silence)
	}
	store.Turn(told.turned)
	configs := shapes()
	store.Retain(func(scenario string) *bucket.Config { return configs[scenario] })
	return store
}

// describe shows everything about results, down to which events they hold.
func describe(results []bucket.Result) string {
	text := ""
	for _, r := range results {
		text += fmt.Sprintf("%v %v %v created=%v\n", r.Key, r.Outcome, r.At.Sub(start), r.Created)
		if r.State == nil {
			continue
		}
		text += fmt.Sprintf(" %v-%v total=%d evidence=%v queue=", r.State.First.Sub(start), r.State.Last.Sub(start), r.State.Total, r.State.Evidence)
		for _, evt := range r.State.Kept {
			text += evt.Unpack().Line.Raw + " "
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
		told := story{}
		told.add(moved.Everything())
		configs, number, now := shapes(), 0, start
		pourOnce := func(store *bucket.Store, key bucket.Key, in bucket.Input) (results []bucket.Result, silent []bool) {
			results = pour(store, key, configs[key.Scenario], in)
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
				in := input(event.New(event.Line{Raw: fmt.Sprint(number)}, clock), now)
				in.Now = now
				if clock == event.TimeMachine {
					in.At = now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "ago")) * time.Second)
				}
				if value := rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "distinct"); value != "" {
					in.Distinct, in.Differs = value, true
				}
				in.Cancel = rapid.IntRange(0, 9).Draw(t, "cancel") == 0
				want, wantSilent := pourOnce(steady, key, in)
				got, gotSilent := pourOnce(moved, key, in)
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
			"tell": func(*rapid.T) { told.add(moved.Changes()) },
			"tell everything": func(*rapid.T) {
				told = story{}
				told.add(moved.Everything())
			},
			"restart": func(t *rapid.T) {
				told.add(moved.Changes())
				moved, told = restarted(t, told), story{}
				told.add(moved.Everything())
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
	before := bucket.Key{Group: "before"}
	pour(store, before, config, live(0))
	if store.Changed() || len(slices.Collect(store.Changes().Buckets)) != 0 {
		t.Error("notes are taken before Everything")
	}
	if got := slices.Collect(store.Everything().Buckets); len(got) != 1 || !got[0].New || len(got[0].Added) != 1 {
		t.Errorf("everything: %+v", got)
	}
	pour(store, before, config, live(0))
	got := slices.Collect(store.Changes().Buckets)
	if len(got) != 1 || got[0].New || got[0].Kept != 1 || len(got[0].Added) != 1 || got[0].Total != 2 || store.Changed() {
		t.Errorf("one more event: %+v", got)
	}
	pour(store, bucket.Key{Scenario: "untold"}, &bucket.Config{Kind: bucket.Trigger}, live(0))
	if store.Changed() {
		t.Error("a bucket that nobody knows is gone")
	}
	store.Expire(start.Add(time.Minute))
	if got := slices.Collect(store.Changes().Buckets); len(got) != 1 || !got[0].Gone {
		t.Errorf("after its end: %+v", got)
	}
}

func TestApplyRefusesNonsense(t *testing.T) {
	t.Parallel()
	evt := live(0).Kept
	for name, changes := range map[string][]bucket.Change{
		"change of nothing":      {{Total: 1, Added: []event.Packed{evt}}},
		"more kept than there":   {{New: true, Total: 1, Kept: 1}},
		"negative":               {{New: true, Total: 1, Kept: -1}},
		"more events than total": {{New: true, Total: 1, Added: []event.Packed{evt, evt}}},
		"no event ever":          {{New: true}},
		"change after its end":   {{New: true, Total: 1, Added: []event.Packed{evt}}, {Gone: true}, {Total: 2, Kept: 1}},
	} {
		var err error
		for store := bucket.NewStore(start); err == nil && len(changes) > 0; changes = changes[1:] {
			err = store.Apply(changes[0])
		}
		if err == nil {
			t.Errorf("%s: applied", name)
		}
	}
}
