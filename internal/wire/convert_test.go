package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func decodeOne(t *testing.T, text string) wire.Alert {
	t.Helper()
	alerts, err := wire.DecodeAlerts(strings.NewReader("[" + text + "]"))
	if err != nil {
		t.Fatal(err)
	}
	return alerts[0]
}

func TestAlertToDomain(t *testing.T) {
	t.Parallel()
	document := decodeOne(t, fullAlert)
	alert, err := document.ToDomain(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	stop := time.Date(2026, 11, 21, 18, 5, 0, 0, time.UTC)
	if d := alert.Decisions[0]; d.Scope != domain.ScopeIP || d.Simulated || !d.Until.Equal(stop.Add(4*time.Hour)) {
		t.Errorf("decision %+v", d)
	}
	if !alert.StopAt.Equal(stop) || alert.Events[0].Time.Nanosecond() != 500_000_000 || alert.Source.Country != "FR" {
		t.Errorf("alert %+v", alert)
	}
}

func TestUnreadableTimesBecomeNow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	document := decodeOne(t, strings.NewReplacer("2026-11-21T18:0", "never").Replace(fullAlert))
	alert, err := document.ToDomain(now)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]time.Time{"start": alert.StartAt, "stop": alert.StopAt, "event": alert.Events[0].Time} {
		if !got.Equal(now) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestUnreadableDurationIsInvalid(t *testing.T) {
	t.Parallel()
	document := decodeOne(t, strings.Replace(fullAlert, `"duration":"4h"`, `"duration":""`, 1))
	if _, err := document.ToDomain(time.Unix(0, 0)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "decision duration ''") {
		t.Errorf("got %v", err)
	}
}

func TestEmptyAlertIsPublishedWithItsNulls(t *testing.T) {
	t.Parallel()
	const want = `{"capacity":0,"created_at":"0001-01-01T00:00:00Z","decisions":null,"events":null,"events_count":0,"labels":null,"leakspeed":"","machine_id":"N/A","message":"","scenario":"","scenario_hash":"","scenario_version":"","simulated":false,"source":{"scope":"","value":""},"start_at":"0001-01-01T00:00:00Z","stop_at":"0001-01-01T00:00:00Z"}`
	got, err := json.Marshal(wire.FromAlert(&domain.Alert{}, time.Unix(0, 0)))
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestAppendStreamedIsMarshal(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching("[ -~]*"), rapid.SampledFrom([]string{"", "\xff", "<&>\"\\", "\u2028"}))
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		decision := domain.Decision{
			ID: rapid.Int64().Draw(t, "id"), UUID: text.Draw(t, "uuid"), Origin: text.Draw(t, "origin"), Type: text.Draw(t, "type"),
			Scenario: text.Draw(t, "scenario"), Scope: domain.Scope(text.Draw(t, "scope")), Value: text.Draw(t, "value"),
			Until: now.Add(time.Duration(rapid.Int64().Draw(t, "remaining"))),
		}
		want, err := json.Marshal(wire.FromDecision(&decision, now))
		if err != nil {
			t.Fatal(err)
		}
		if got := wire.AppendStreamed(nil, &decision, now); string(got) != string(want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func BenchmarkAppendStreamed(b *testing.B) {
	now := time.Unix(1_800_000_000, 0)
	decision := domain.Decision{
		ID: 123456, UUID: "6ba7b810-9dad-41d1-80b4-00c04fd430c8", Origin: "CAPI", Type: "ban", Scenario: "acme/ssh-bf",
		Scope: domain.ScopeIP, Value: "198.51.100.77", Until: now.Add(23*time.Hour + 59*time.Minute),
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.AppendStreamed(buf[:0], &decision, now)
	}
}
