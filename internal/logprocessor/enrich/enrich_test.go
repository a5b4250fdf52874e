package enrich_test

import (
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
		{"99999999999999", "", "2026-11-21T10:00:00Z"},
	} {
		evt := event.New(event.Line{}, event.Live)
		evt.StrTimeFormat = test.layout
		got, err := methods()["ParseDate"](test.text, evt)
		if err != nil || got["MarshaledTime"] != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.text, got, err, test.want)
		}
		if !evt.Time.IsZero() {
			t.Errorf("%q: evt.Time was set in live mode", test.text)
		}
	}
}

func TestParseDateReadsUnixSeconds(t *testing.T) {
	t.Parallel()
	got, err := methods()["ParseDate"]("1772431200.123", event.New(event.Line{}, event.Live))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := time.Parse(time.RFC3339, got["MarshaledTime"])
	if err != nil || parsed.Unix() != 1772431200 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestParseDateSetsTimeInReplayOnly(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{}, event.TimeMachine)
	if _, err := methods()["ParseDate"]("2026-03-02", evt); err != nil {
		t.Fatal(err)
	}
	if evt.Time.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("evt.Time is %v", evt.Time)
	}
	if _, err := methods()["ParseDate"]("nonsense", evt); err != nil {
		t.Fatal(err)
	}
	if evt.Time.Format(time.DateOnly) != "2026-03-02" {
		t.Errorf("nonsense moved evt.Time to %v", evt.Time)
	}
}

func TestUnmarshalJSON(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{Raw: `{"a":{"b":1}}`}, event.Live)
	if _, err := methods()["UnmarshalJSON"]("ignored", evt); err != nil {
		t.Fatal(err)
	}
	if inner, ok := evt.Unmarshaled["a"].(map[string]any); !ok || inner["b"] != 1.0 {
		t.Errorf("got %v", evt.Unmarshaled)
	}
	for _, raw := range []string{`[1]`, `{`, ``, `null`} {
		if _, err := methods()["UnmarshalJSON"]("x", event.New(event.Line{Raw: raw}, event.Live)); err == nil {
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
		got, err := methods()["ParseDate"](text, evt)
		if err != nil || got["MarshaledTime"] == "" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
