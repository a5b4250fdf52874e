package explain

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/event"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	before := event.Event{
		Stage: "s00-raw", Line: event.Line{Raw: "x"},
		Parsed: map[string]string{"kept": "1", "gone": "2", "changed": "old"},
	}
	after := event.Event{
		Stage: "s01-parse", Line: event.Line{Raw: "x"}, Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Parsed:      map[string]string{"kept": "1", "changed": "new", "empty": ""},
		Unmarshaled: map[string]any{"doc": map[string]any{"list": []any{"a", nil}, "n": 1.5}},
	}
	want := []change{
		{create, "evt.Parsed.empty", "", ""},
		{create, "evt.Unmarshaled.doc.list[0]", "", "a"},
		{create, "evt.Unmarshaled.doc.list[1]", "", "<nil>"},
		{create, "evt.Unmarshaled.doc.n", "", "1.5"},
		{update, "evt.Parsed.changed", "old", "new"},
		{update, "evt.Stage", "s00-raw", "s01-parse"},
		{update, "evt.Time", "", "2026-01-02T03:04:05.000000006Z"},
		{remove, "evt.Parsed.gone", "2", ""},
	}
	if got := diff(before, after); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A difference leads from the one event to the other, and back it is its own mirror.
func TestDiffLeadsFromOneToTheOther(t *testing.T) {
	t.Parallel()
	texts := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.SampledFrom([]string{"", "x", "y"}), 0, 4)
	events := rapid.Custom(func(t *rapid.T) event.Event {
		return event.Event{
			Stage: rapid.SampledFrom([]string{"", "s00", "s01"}).Draw(t, "stage"), Whitelisted: rapid.Bool().Draw(t, "whitelisted"),
			Parsed: texts.Draw(t, "parsed"), Meta: texts.Draw(t, "meta"), Enriched: texts.Draw(t, "enriched"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after := events.Draw(t, "before"), events.Draw(t, "after")
		reached := values(before)
		for _, c := range diff(before, after) {
			if c.verb == remove {
				delete(reached, c.path)
			} else {
				reached[c.path] = c.new
			}
		}
		if !maps.Equal(reached, values(after)) {
			t.Fatalf("the difference leads to %v, not to %v", reached, values(after))
		}
		if len(diff(before, after)) != len(diff(after, before)) || len(diff(before, before)) != 0 {
			t.Fatal("the way back is longer")
		}
	})
}
