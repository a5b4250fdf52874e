package enrich_test

import (
	"strings"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
)

var instant = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func methods() map[string]enrich.Method {
	return enrich.Registry(enrich.Deps{Now: func() time.Time { return instant }})
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, layout, want string }{
		{"Feb 12 14:10:21", "", "2026-02-12T14:10:21Z"},
		{"Feb  2 14:10:21", "", "2026-02-02T14:10:21Z"},
		{"02/Mar/2026:06:00:00 +0200", "", "2026-03-02T06:00:00+02:00"},
		{"2026-03-02T06:00:00.5Z", "", "2026-03-02T06:00:00.5Z"},
		{"2026/03/02 06:00:00", "", "2026-03-02T06:00:00Z"},
		{"02.03.2026 06:00", "02.01.2006 15:04", "2026-03-02T06:00:00Z"},
		{"2026-03-02", "02.01.2006", "2026-03-02T00:00:00Z"},
		{"", "", "2026-11-21T10:00:00Z"},
		{"not a date", "", "2026-11-21T10:00:00Z"},
		{"0", "", "2026-11-21T10:00:00Z"},
		{"2026-03-02T06:00:00+24:00", "", "2026-11-21T10:00:00Z"},
	} {
		evt := event.New(event.Line{}, event.Live)
		evt.StrTimeFormat = test.layout
		err := methods()["ParseDate"](test.text, evt)
		if got := evt.Enriched["MarshaledTime"]; err != nil || got != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.text, got, err, test.want)
		}
		if !evt.Time.IsZero() {
			t.Errorf("%q: evt.Time was set in live mode", test.text)
		}
	}
}

// TestParseDateRemembers asks one method for dates that an earlier answer must not stand in for.
func TestParseDateRemembers(t *testing.T) {
	t.Parallel()
	now := instant
	parse := enrich.Registry(enrich.Deps{Now: func() time.Time { return now }})["ParseDate"]
	for _, test := range []struct {
		text, layout string
		year         int // of the clock
		want         string
	}{
		{"Feb 12 14:10:21", "", 2026, "2026-02-12T14:10:21Z"},
		{"Feb 12 14:10:21", "", 2026, "2026-02-12T14:10:21Z"},
		{"Feb 12 14:10:21", "", 2027, "2027-02-12T14:10:21Z"},
		{"01/02/2026 00:00:00", "", 2027, "2026-01-02T00:00:00Z"},
		{"01/02/2026 00:00:00", "02/01/2006 15:04:05", 2027, "2026-02-01T00:00:00Z"},
		{"01/02/2026 00:00:00", "", 2027, "2026-01-02T00:00:00Z"},
		{"nonsense", "", 2027, "2027-11-21T10:00:00Z"},
		{"nonsense", "", 2028, "2028-11-21T10:00:00Z"},
	} {
		now = instant.AddDate(test.year-instant.Year(), 0, 0)
		evt := event.New(event.Line{}, event.TimeMachine)
		evt.StrTimeFormat = test.layout
		if err := parse(test.text, evt); err != nil || evt.Enriched["MarshaledTime"] != test.want {
			t.Errorf("%q in %d: got %v, %v, want %s", test.text, test.year, evt.Enriched, err, test.want)
		}
	}
}

func TestParseDateReadsUnixSeconds(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{}, event.Live)
	if err := methods()["ParseDate"]("1772431200.123", evt); err != nil {
		t.Fatal(err)
	}
	parsed, err := time.Parse(time.RFC3339, evt.Enriched["MarshaledTime"])
	if err != nil || parsed.Unix() != 1772431200 {
		t.Errorf("got %v, %v", evt.Enriched, err)
	}
}

// TestParseDateTellsOfFarYears: milliseconds since 1970 are read as seconds, and no clock is set by them.
func TestParseDateTellsOfFarYears(t *testing.T) {
	t.Parallel()
	evt, parse := event.New(event.Line{}, event.TimeMachine), methods()["ParseDate"]
	for range 2 {
		err := parse("1696431282553", evt)
		if got := evt.Enriched["MarshaledTime"]; err != nil || !strings.HasPrefix(got, "55727-10-") || !evt.Time.IsZero() {
			t.Errorf("got %s, %v, evt.Time %v", got, err, evt.Time)
		}
	}
}

func TestParseDateSetsTimeInReplayOnly(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{}, event.TimeMachine)
	if err := methods()["ParseDate"]("2026-03-02", evt); err != nil {
		t.Fatal(err)
	}
	if evt.Time.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("evt.Time is %v", evt.Time)
	}
	if err := methods()["ParseDate"]("nonsense", evt); err != nil {
		t.Fatal(err)
	}
	if evt.Time.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("nonsense moved evt.Time to %v", evt.Time)
	}
}

func TestUnmarshalJSON(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{Raw: `{"a":{"b":1}}`}, event.Live)
	if err := methods()["UnmarshalJSON"]("ignored", evt); err != nil {
		t.Fatal(err)
	}
	if inner, ok := evt.Unmarshaled["a"].(map[string]any); !ok || inner["b"] != 1.0 {
		t.Errorf("got %v", evt.Unmarshaled)
	}
	for _, raw := range []string{`[1]`, `{`, ``, `null`} {
		if err := methods()["UnmarshalJSON"]("x", event.New(event.Line{Raw: raw}, event.Live)); err == nil {
			t.Errorf("%q was accepted", raw)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("Feb 12 14:10:21", "")
	f.Add("1772431200", "2006")
	f.Fuzz(func(t *testing.T, text, layout string) {
		evt := event.New(event.Line{}, event.TimeMachine)
		evt.StrTimeFormat = layout
		err := methods()["ParseDate"](text, evt)
		if err != nil || evt.Enriched["MarshaledTime"] == "" {
			t.Errorf("got %v, %v", evt.Enriched, err)
		}
	})
}
