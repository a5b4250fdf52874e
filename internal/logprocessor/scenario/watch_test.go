package scenario_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/event"
)

// watchable are conditions that are rewritten.
var watchable = []string{
	`len(queue.Queue) >= 4`,
	`len(queue.Queue) >= 3 && MedianInterval(map(queue.Queue[-3:], {#.Time})) >= duration("4s")`,
	`MedianInterval(map(queue.Queue[-3:], {#.Time})) >= duration("4s")`, // too few times at first
	`let f = filter(queue.Queue, {#.Meta.user == 'root'}); len(f) >= 2 && AverageInterval(map(f[-4:], {#.Time})) < duration("3s")`,
	`any(queue.Queue, {.Meta.user == 'root'}) and count(queue.Queue, .Meta.path startsWith "/a") > 2`,
	`none(queue.Queue, {.Meta.user == 'root'}) && len(queue.Queue) == 5 || all(queue.Queue, {.Meta.user in ["root", "bob"]}) && len(queue.Queue) > 3`,
	`len(queue.Queue) >= 2 and queue.Queue[0].Meta.user == queue.Queue[-1].Meta.user && queue.Queue[-2].Meta.path != evt.Meta.path`,
	`queue.Queue[2].Meta.user == "root"`, // not there at first
}

// TestWatchedConditionsAreThoseOfTheQueue pours the same events with and without shortcuts, with a restart of the
// engine in between.
func TestWatchedConditionsAreThoseOfTheQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := with(conditional, "condition: '"+strings.ReplaceAll(rapid.SampledFrom(watchable).Draw(rt, "condition"), "'", "''")+"'", "leakspeed: 20s")
		if rapid.Bool().Draw(rt, "bounded") {
			text = with(text, "cache_size: 3")
		}
		quick, plain := newBench(), newBench()
		plain.plain = true
		quick.use(t, text)
		plain.use(t, text)
		at := time.Duration(0)
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			at += time.Duration(rapid.IntRange(0, 8).Draw(rt, "gap")) * time.Second
			evt := fmt.Sprintf("%s user=%s path=%s", at, rapid.SampledFrom([]string{"root", "bob", "eve"}).Draw(rt, "user"),
				rapid.SampledFrom([]string{"/a", "/ab", "/b"}).Draw(rt, "path"))
			if rapid.IntRange(0, 9).Draw(rt, "reload") == 0 {
				quick.use(t, text)
			}
			if got, want := told(rt, quick.pour(timed(evt))), told(rt, plain.pour(timed(evt))); got != want {
				rt.Fatalf("%s\nafter %s:\n got %s\nwant %s", text, evt, got, want)
			}
		}
	})
}

// timed is a replayed event that knows its time, as dates parsers see to.
func timed(text string) *event.Event {
	evt := replayed(text)
	at, err := time.Parse(time.RFC3339Nano, evt.MarshaledTime)
	if err != nil {
		panic(err)
	}
	evt.Time = at
	return evt
}

func told(t *rapid.T, overflows []*event.Event) string {
	out := ""
	for _, evt := range overflows {
		text, err := json.Marshal(evt.Overflow.APIAlerts)
		if err != nil {
			t.Fatal(err)
		}
		out += string(text)
	}
	return out
}
