package dump_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

func errorOf[T any](_ T, err error) error { return err }

func TestReadWhatWasWritten(t *testing.T) {
	t.Parallel()
	recorder := dump.NewRecorder()
	evt := line("caf\xe9: not UTF-8")
	evt.Parsed["pid"], evt.Meta["source_ip"] = "", "192.0.2.1"
	evt.Unmarshaled["doc"] = map[string]any{"n": 4, "f": 1.5, "list": []any{"a", true, nil}}
	recorder.Parsed("s00-raw", "a/first", evt, true)
	recorder.Matched(evt, nil)
	source := &wire.Source{Scope: "Ip", Value: "192.0.2.1", Latitude: 1.5}
	overflow := &event.Event{Type: event.Overflow, Overflow: event.RuntimeAlert{
		Sources: map[string]*wire.Source{"192.0.2.1": source},
		Alert:   &wire.Alert{Scenario: "a/s", Source: source, EventsCount: 3},
	}}
	recorder.Overflowed(overflow)
	dir := t.TempDir()
	if err := recorder.Write(dir); err != nil {
		t.Fatal(err)
	}

	parsers, err := dump.ReadParsers(dir)
	if err != nil || len(parsers) != 2 || len(parsers.Stages()) != 1 {
		t.Fatalf("parsers %v, %v", parsers, err)
	}
	got := parsers["s00-raw"]["a/first"][0]
	if !got.Success || got.Idx != 1 || !reflect.DeepEqual(got.Evt.Parsed, evt.Parsed) ||
		!reflect.DeepEqual(got.Evt.Unmarshaled, evt.Unmarshaled) || got.Evt.Line.Raw != evt.Line.Raw || !got.Evt.Line.Time.Equal(evt.Line.Time) {
		t.Errorf("got %+v\nwant %+v", got.Evt, evt)
	}
	pours, err := dump.ReadPours(dir)
	if err != nil || len(pours.Reached()) != 1 || len(pours.Scenarios()) != 0 {
		t.Errorf("pours %v, %v", pours, err)
	}
	overflows, err := dump.ReadOverflows(dir)
	if err != nil || len(overflows) != 1 || overflows[0].Overflow.Alert.EventsCount != 3 || overflows[0].Overflow.Sources["192.0.2.1"].Latitude != 1.5 {
		t.Errorf("overflows %+v, %v", overflows, err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := dump.ReadParsers(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	for name, text := range map[string]string{dump.ParserFile: "s00: [1]", dump.PourFile: "{", dump.OverflowFile: "a: b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range map[string]error{
		"parsers": errorOf(dump.ReadParsers(dir)), "pours": errorOf(dump.ReadPours(dir)), "overflows": errorOf(dump.ReadOverflows(dir)),
	} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("s00-raw:\n  a/p:\n    - idx: 1\n      evt: {Line: {Raw: x, time: 2026-01-01T00:00:00Z}}\n      success: true\nsuccess: {\"\": []}\n")
	f.Add("OK:\n  - {ExpectMode: 1, Parsed: {a: b}, Unmarshaled: {a: [1, {b: c}]}}\n")
	f.Add("- Type: 1\n  Overflow: {Sources: {1.2.3.4: {ip: 1.2.3.4}}, Alert: {events: [{meta: [{key: a, value: b}]}]}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		for _, name := range []string{dump.ParserFile, dump.PourFile, dump.OverflowFile} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if parsers, err := dump.ReadParsers(dir); err == nil {
			_ = parsers.Stages()
		}
		if pours, err := dump.ReadPours(dir); err == nil {
			_, _ = pours.Reached(), pours.Scenarios()
		}
		if overflows, err := dump.ReadOverflows(dir); err == nil {
			for i := range overflows {
				_ = overflows[i].Overflow.GetSources()
			}
		}
	})
}
