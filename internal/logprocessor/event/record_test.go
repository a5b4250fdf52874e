package event_test

import (
	"maps"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/event"
)

// places are the maps of an event, and the fields in them.
var places = []struct {
	field func(name string) event.Field
	of    func(evt *event.Event) map[string]string
}{
	{event.MetaField, func(evt *event.Event) map[string]string { return evt.Meta }},
	{event.ParsedField, func(evt *event.Event) map[string]string { return evt.Parsed }},
	{event.EnrichedField, func(evt *event.Event) map[string]string { return evt.Enriched }},
}

// TestFieldsAreMaps checks that fields of lines behave as the maps do that they stand in for, through as many lines
// as one event serves.
func TestFieldsAreMaps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var evt event.Event
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			evt.Renew(event.Line{Raw: "x"}, event.Live)
			var want [3]map[string]string
			for i := range want {
				want[i] = map[string]string{}
			}
			for range rapid.IntRange(0, 60).Draw(t, "steps") {
				in := rapid.IntRange(0, 2).Draw(t, "in")
				field := places[in].field(strconv.Itoa(rapid.IntRange(0, 50).Draw(t, "name")))
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0:
					evt.Maps()
				case 1, 2, 3:
					text, found := field.Find(&evt)
					expected, known := want[in][field.Name()]
					if text != expected || found != known {
						t.Fatalf("%s is %q, %t, want %q, %t", field.Name(), text, found, expected, known)
					}
				default:
					text := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "text")
					field.Set(&evt, text)
					want[in][field.Name()] = text
				}
			}
			evt.Maps()
			for i, place := range places {
				if got := place.of(&evt); !maps.Equal(got, want[i]) {
					t.Fatalf("got %v, want %v", got, want[i])
				}
			}
		}
	})
}

func TestFieldOfAnyEvent(t *testing.T) {
	t.Parallel()
	field := event.ParsedField("a")
	for name, evt := range map[string]*event.Event{"new": event.New(event.Line{}, event.Live), "without maps": {}} {
		if _, found := field.Find(evt); found {
			t.Errorf("%s: found before it is set", name)
		}
		field.Set(evt, "b")
		if text := field.Of(evt); text != "b" || evt.Parsed["a"] != "b" {
			t.Errorf("%s: got %q in %v", name, text, evt.Parsed)
		}
	}
}

// TestPackedFromFields checks that what is kept of an event does not depend on where it had its texts.
func TestPackedFromFields(t *testing.T) {
	t.Parallel()
	packer := event.NewPacker(event.Footprint{}.With("Parsed", "b").With("Parsed", "none").With("Enriched"))
	var evt event.Event
	for range 2 {
		evt.Renew(event.Line{}, event.Live)
		for _, place := range places {
			for _, name := range []string{"c", "a", "b"} {
				place.field(name).Set(&evt, "text of "+name)
			}
		}
		got := packer.Pack(&evt).Unpack()
		evt.Maps()
		want := packer.Pack(&evt).Unpack()
		for _, place := range places {
			if !maps.Equal(place.of(got), place.of(want)) {
				t.Errorf("got %v, want %v", place.of(got), place.of(want))
			}
		}
		if len(want.Meta) != 3 || len(want.Parsed) != 1 || len(want.Enriched) != 3 {
			t.Errorf("got %v, %v, %v", want.Meta, want.Parsed, want.Enriched)
		}
	}
}
