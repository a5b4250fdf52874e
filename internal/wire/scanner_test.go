package wire_test

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

func drawAlert(t *rapid.T) wire.Alert {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	meta := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wire.MetaItem {
		return wire.MetaItem{Key: rapid.String().Draw(t, "key"), Value: rapid.String().Draw(t, "value")}
	}), 0, 3)
	simulated := rapid.Bool().Draw(t, "simulated")
	alert := wire.Alert{
		Capacity: rapid.Int32().Draw(t, "capacity"), EventsCount: rapid.Int32().Draw(t, "events_count"),
		Kind: text("kind"), Leakspeed: text("leakspeed"), Message: text("message"), Meta: meta.Draw(t, "meta"),
		Remediation: rapid.Bool().Draw(t, "remediation"), Scenario: text("scenario"), ScenarioHash: text("hash"),
		ScenarioVersion: text("version"), Simulated: simulated, StartAt: text("start"), StopAt: text("stop"), UUID: text("uuid"),
		Labels: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "labels"),
		Source: &wire.Source{
			Scope: text("scope"), Value: text("value"), AsName: text("as"), IP: text("ip"), Cn: text("cn"),
			Latitude: rapid.Float32Range(-90, 90).Draw(t, "latitude"), Longitude: rapid.Float32().Draw(t, "longitude"),
		},
		Events: []wire.Event{},
	}
	for range rapid.IntRange(0, 3).Draw(t, "events") {
		alert.Events = append(alert.Events, wire.Event{Meta: meta.Draw(t, "meta"), Timestamp: text("timestamp")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "decisions") {
		alert.Decisions = append(alert.Decisions, wire.Decision{
			Duration: text("duration"), Origin: text("origin"), Scenario: text("scenario"), Scope: text("scope"),
			Type: text("type"), Value: text("value"), Simulated: &simulated,
		})
	}
	return alert
}

// TestDecodingIsThatOfTheStandardLibrary reads what the standard library has written, in pieces of any size.
func TestDecodingIsThatOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		alerts := rapid.SliceOfN(rapid.Custom(drawAlert), 1, 3).Draw(t, "alerts")
		var body bytes.Buffer
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(rapid.Bool().Draw(t, "escape"))
		if rapid.Bool().Draw(t, "indent") {
			encoder.SetIndent(" ", "\t")
		}
		if err := encoder.Encode(alerts); err != nil {
			t.Fatal(err)
		}
		text := body.String()
		if rapid.Bool().Draw(t, "unknown") {
			text = strings.Replace(text, `"capacity"`, `"unknown":[{"a":[1.5e3,"\"",null,true]},[]],"capacity"`, 1)
		}
		var want []wire.Alert
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		var from io.Reader = strings.NewReader(text)
		if rapid.Bool().Draw(t, "slow") {
			from = iotest.OneByteReader(from)
		}
		got, err := wire.DecodeAlerts(from)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for i := range want { // what is empty may be nil or not
			equal(t, got[i].Meta, want[i].Meta)
			equal(t, got[i].Labels, want[i].Labels)
			got[i].Meta, want[i].Meta, got[i].Labels, want[i].Labels = nil, nil, nil, nil
			for j := range want[i].Events {
				equal(t, got[i].Events[j].Meta, want[i].Events[j].Meta)
				got[i].Events[j].Meta, want[i].Events[j].Meta = nil, nil
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func equal[T comparable](t *rapid.T, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestBrokenJSONIsRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`x`:                         "invalid character 'x' looking for beginning of value",
		``:                          "EOF",
		` `:                         "EOF",
		`[`:                         "unexpected EOF",
		`[{`:                        "unexpected EOF",
		`[{"a`:                      "unexpected EOF",
		`[{"a"`:                     "unexpected EOF",
		`[{"a":`:                    "unexpected EOF",
		`[{"a":1`:                   "unexpected EOF",
		`[{"a":tru`:                 "unexpected EOF",
		`[{"a":"\`:                  "unexpected EOF",
		`[{"a":trux}]`:              "invalid character 'x' in literal true (expecting 'e')",
		`[{a:1}]`:                   "invalid character 'a' looking for beginning of object key string",
		`[{"a" 1}]`:                 "invalid character '1' after object key",
		`[{"a":1 "b":2}]`:           `invalid character '"' after object key:value pair`,
		`[{"a":[1 2]}]`:             "invalid character '2' after array element",
		`[{"a":1},]`:                "invalid character ']' looking for beginning of value",
		`[{"a":1,}]`:                "invalid character '}' looking for beginning of object key string",
		`[{"a":01}]`:                "invalid number 01",
		`[{"a":"\x"}]`:              "invalid character 'x' in string escape code",
		"[{\"a\":\"\n\"}]":          `invalid character '\n' in string literal`,
		`[{"capacity":"1"}]`:        "a text where a number is wanted",
		`[{"capacity":1.5}]`:        "1.5 where a whole number of 32 bits is wanted",
		`[{"capacity":3000000000}]`: "3000000000 where a whole number of 32 bits is wanted",
		`[{"events":{}}]`:           "an object where an array is wanted",
		`[{"source":[]}]`:           "an array where an object is wanted",
		`[{"scenario":1}]`:          "a number where a text is wanted",
		`[{"simulated":"true"}]`:    "a text where a boolean is wanted",
		`[1]`:                       "a number where an object is wanted",
		`{}`:                        "the body is not an array of alerts",
		`nul`:                       "unexpected EOF",
	} {
		_, err := wire.DecodeAlerts(strings.NewReader(body))
		if !fault.Is(err, fault.Invalid) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}

// FuzzScanner compares what is JSON with the opinion of the standard library.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("[" + fullAlert + "]"))
	f.Add([]byte(`[{"a":[1.5e3,"\"\ud83d\ude00é",null,true,{}]}]`))
	f.Add([]byte(`[{"a":-0},null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := wire.DecodeAlerts(bytes.NewReader(body))
		var document any
		wrong := json.NewDecoder(bytes.NewReader(body)).Decode(&document)
		if err == nil && wrong != nil {
			t.Fatalf("accepted, although %v", wrong)
		}
	})
}
