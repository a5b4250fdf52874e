package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/wire"
)

// drawAnswer is an alert as a Local API may answer it.
func drawAnswer(t *rapid.T) wire.Alert {
	alert := drawAlert(t)
	alert.ID, alert.MachineID = rapid.Int64().Draw(t, "id"), rapid.String().Draw(t, "machine")
	alert.CreatedAt = rapid.String().Draw(t, "created")
	for i := range alert.Decisions {
		d := &alert.Decisions[i]
		d.ID, d.UUID, d.Until = rapid.Int64().Draw(t, "decision"), rapid.String().Draw(t, "uuid"), rapid.String().Draw(t, "until")
		if rapid.Bool().Draw(t, "for a bouncer") {
			d.Simulated = nil
		}
	}
	if rapid.Bool().Draw(t, "no events") {
		alert.Events = nil
	}
	if rapid.Bool().Draw(t, "no source") {
		alert.Source = nil
	}
	return alert
}

// TestAnswersAreReadAsByTheStandardLibrary reads what the standard library has written, in pieces of any size.
func TestAnswersAreReadAsByTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(rapid.SliceOfN(rapid.Custom(drawAnswer), 0, 3).Draw(t, "alerts"))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "a newer server") {
			text = bytes.Replace(text, []byte(`"scenario"`), []byte(`"more":[{"a":[1.5e3,"\"",null,true]},[]],"scenario"`), 1)
		}
		var want []wire.Alert
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		var from io.Reader = bytes.NewReader(text)
		if rapid.Bool().Draw(t, "slow") {
			from = iotest.OneByteReader(from)
		}
		got, err := wire.ReadAlerts(from)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %s\ngot  %+v, %v\nwant %+v", text, got, err, want)
		}
	})
}

func TestAnswersOfOtherServers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`null`, ` [] `, `[null]`, `[{}]`, "[{\"ID\": 7, \"decisions\": [null, {}], \"events\": [null, {\"meta\": null}]}]\n",
		`[{"source": {}, "meta": [], "labels": ["a", null], "decisions": [{"simulated": null, "id": null, "scenario": "é\n"}]}]`,
	} {
		var want []wire.Alert
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		if got, err := wire.ReadAlerts(strings.NewReader(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
}

func TestAnswersThatAreNoAlerts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"message":"x"}`:          "an object where an array is wanted",
		`[] []`:                    "unexpected '[' after the answer",
		`[{"id":"1"}]`:             "a text where a number is wanted",
		`[{"id":1.5}]`:             "1.5 where a whole number of 64 bits is wanted",
		`[{"decisions":{}}]`:       "an object where an array is wanted",
		`<html>`:                   "invalid character '<' looking for beginning of value",
		deep("[", "]", 10_002):     "a value is nested more than 10000 levels deep",
		deep(`{"a":`, "}", 10_002): "a value is nested more than 10000 levels deep",
	} {
		alerts, err := wire.ReadAlerts(strings.NewReader(body))
		if err == nil || err.Error() != want || alerts != nil {
			t.Errorf("%.40s: got %v, %v, want %s", body, alerts, err, want)
		}
	}
	if _, err := wire.ReadAlerts(strings.NewReader(deep("[", "]", 9000))); err != nil {
		t.Error(err)
	}
}

// deep is an alert with something nested in a field that nobody knows.
func deep(open, closing string, levels int) string {
	return `[{"unknown":` + strings.Repeat(open, levels) + "1" + strings.Repeat(closing, levels) + `}]`
}

// TestAnswerThatIsCut at any byte is an error, and not a shorter list.
func TestAnswerThatIsCut(t *testing.T) {
	t.Parallel()
	body := `[{"id":12,"decisions":[{"value":"192.0.2.1","id":12,"simulated":true}],"events":[{"timestamp":"x"}]},{}]`
	for length := range len(body) {
		if alerts, err := wire.ReadAlerts(strings.NewReader(body[:length])); !errors.Is(err, io.ErrUnexpectedEOF) || alerts != nil {
			t.Errorf("%s: %v, %v", body[:length], alerts, err)
		}
	}
}

// FuzzReadAlerts: what is accepted is one document of JSON, which encoding/json takes for alerts, too.
func FuzzReadAlerts(f *testing.F) {
	for _, seed := range []string{
		`[{"capacity":5,"decisions":[{"duration":"1h","id":1,"simulated":false}],"events":null,"labels":null,"source":{"scope":"Ip","latitude":48.5}}]`,
		`null`, `[] []`, `["1"`, `[{"id":9223372036854775807,"events":[{"meta":[{"key":"k"}]}]}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wire.ReadAlerts(bytes.NewReader(body))
		if err != nil {
			return
		}
		var want []wire.Alert
		if err := json.Unmarshal(body, &want); err != nil || len(got) != len(want) {
			t.Fatalf("accepted %q as %d alerts, encoding/json says %d, %v", body, len(got), len(want), err)
		}
	})
}

// tenThousand is what cscli reads to list so many decisions of an import.
func tenThousand(b *testing.B) []byte {
	b.Helper()
	now := time.Now()
	alerts := make([]wire.Alert, 100)
	for i := range alerts {
		alert := domain.Alert{ID: int64(i), Scenario: "import: 100 IPs", MachineID: "m", StartAt: now, StopAt: now, CreatedAt: now}
		for j := range 100 {
			alert.Decisions = append(alert.Decisions, domain.Decision{
				ID: int64(100*i + j), Origin: "cscli-import", Type: "ban", Scenario: "manual", Scope: domain.ScopeIP,
				Value: fmt.Sprintf("192.0.%d.%d", i, j), Until: now.Add(time.Hour),
			})
		}
		alerts[i] = wire.FromAlert(&alert, now)
	}
	text, err := json.Marshal(alerts)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func BenchmarkReadAlerts(b *testing.B) {
	text := tenThousand(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ReadAlerts(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
