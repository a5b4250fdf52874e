package decisions

import (
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/wire"
)

func drawAlerts(t *rapid.T) []wire.Alert {
	decision := rapid.Custom(func(t *rapid.T) wire.Decision {
		return wire.Decision{
			Type:  rapid.SampledFrom([]string{"ban", "captcha"}).Draw(t, "type"),
			Scope: rapid.SampledFrom([]string{"Ip", "Range"}).Draw(t, "scope"),
			Value: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value"),
		}
	})
	alerts := rapid.SliceOf(rapid.Custom(func(t *rapid.T) wire.Alert {
		return wire.Alert{Simulated: rapid.Bool().Draw(t, "simulated"), Decisions: rapid.SliceOfN(decision, 0, 4).Draw(t, "decisions")}
	})).Draw(t, "alerts")
	next := int64(0)
	for i := range alerts {
		for j := range alerts[i].Decisions {
			alerts[i].Decisions[j].ID = next
			next++
		}
	}
	return alerts
}

func TestDuplicatesAreDroppedAndNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alerts := drawAlerts(t)
		unique, skipped := withoutDuplicates(alerts)
		if len(unique) != len(alerts) {
			t.Fatalf("%d alerts became %d", len(alerts), len(unique))
		}
		type subject struct {
			simulated          bool
			kind, scope, value string
		}
		first := map[subject]int64{}
		total, kept := 0, 0
		for i, alert := range alerts {
			total += len(alert.Decisions)
			kept += len(unique[i].Decisions)
			for _, d := range alert.Decisions {
				key := subject{alert.Simulated, d.Type, d.Scope, d.Value}
				if _, seen := first[key]; !seen {
					first[key] = d.ID
				}
			}
		}
		if kept+skipped != total || kept != len(first) {
			t.Fatalf("%d decisions of %d subjects: %d kept, %d skipped", total, len(first), kept, skipped)
		}
		for _, alert := range unique {
			if alert.Decisions == nil {
				t.Fatal("no list where an empty one is expected")
			}
			for _, d := range alert.Decisions {
				if first[subject{alert.Simulated, d.Type, d.Scope, d.Value}] != d.ID {
					t.Fatalf("kept %+v, not the first", d)
				}
			}
		}
	})
}
