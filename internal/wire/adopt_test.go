package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

const plenty = 1 << 30

// TestAdoptedAlertsAreThoseOfJSON is what lets alerts go without it.
func TestAdoptedAlertsAreThoseOfJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alerts := rapid.SliceOfN(rapid.Custom(drawOddAlert), 0, 4).Draw(t, "alerts")
		before, err := json.Marshal(alerts)
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := wire.DecodeAlerts(bytes.NewReader(before))
		got, err := wire.Adopt(alerts, plenty)
		if (err == nil) != (wantErr == nil) || err == nil && !sameAlerts(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v, %v", got, err, want, wantErr)
		}
		for i := range got { // what the Local API does to them
			got[i].Source.Scope, got[i].Decisions = "changed", []wire.Decision{{Type: "ban"}}
		}
		if after, err := json.Marshal(alerts); err != nil || !bytes.Equal(before, after) {
			t.Fatalf("the writer's alerts became %s, %v\nfrom %s", after, err, before)
		}
	})
}

// drawOddAlert returns one that a log processor would make, or one that lacks something, or nil.
func drawOddAlert(t *rapid.T) *wire.Alert {
	alert := drawAlert(t)
	if rapid.Bool().Draw(t, "as a log processor has it") {
		alert.Decisions = nil
	}
	switch rapid.IntRange(0, 20).Draw(t, "oddity") {
	case 0:
		return nil
	case 1:
		alert.Source = nil
	case 2:
		alert.Events = nil
	case 3:
		alert.Events = []wire.Event{{Timestamp: "t"}}
	case 4:
		alert.Message = "\xff\xfe and \xed\xa0\x80"
	case 5:
		alert.Meta = []wire.MetaItem{}
	case 6:
		alert.CreatedAt, alert.ID, alert.MachineID = "2026", 7, "somebody else"
	case 7:
		alert.Message = "NUL \x00"
	}
	return &alert
}

func sameAlerts(got, want []wire.Alert) bool {
	return len(got) == len(want) && (len(got) == 0 || reflect.DeepEqual(got, want))
}

func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	whole := func() *wire.Alert { return &wire.Alert{Source: &wire.Source{}, Events: []wire.Event{}} }
	nowhere, long, broad := whole(), whole(), whole()
	nowhere.Source.Latitude = float32(math.NaN())
	long.Message = strings.Repeat("x", 101)
	broad.Labels = make([]string, 500_000)
	for name, test := range map[string]struct {
		alert *wire.Alert
		kind  fault.Kind
	}{
		"a place that is no number": {nowhere, fault.Invalid},
		"too much text":             {long, fault.TooLarge},
		"too many elements":         {broad, fault.Invalid},
	} {
		if _, err := wire.Adopt([]*wire.Alert{whole(), test.alert}, 100); !fault.Is(err, test.kind) {
			t.Errorf("%s: %v, want %v", name, err, test.kind)
		}
	}
	var incomplete *wire.ValidationError
	if _, err := wire.Adopt([]*wire.Alert{{Source: &wire.Source{}}}, plenty); !errors.As(err, &incomplete) {
		t.Errorf("an alert without events: %v", err)
	}
}
