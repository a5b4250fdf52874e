package dump_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

func write(t *testing.T, recorder *dump.Recorder) (parsers, pours, overflows string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "results")
	if err := recorder.Write(dir); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, name := range []string{dump.ParserFile, dump.PourFile, dump.OverflowFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts[0], texts[1], texts[2]
}

func line(raw string) *event.Event {
	return event.New(event.Line{
		Raw: raw, Src: "/x.log", Module: "file", Process: true,
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Labels: map[string]string{"type": "syslog"},
	}, event.TimeMachine)
}

func TestEmptyRun(t *testing.T) {
	t.Parallel()
	parsers, pours, overflows := write(t, dump.NewRecorder())
	if parsers != "success:\n    \"\": []\n" || pours != "{}\n" || overflows != "[]\n" {
		t.Errorf("got %q, %q, %q", parsers, pours, overflows)
	}
}

func TestParserDump(t *testing.T) {
	t.Parallel()
	recorder := dump.NewRecorder()
	evt := line("hello")
	evt.Process = false
	recorder.Parsed("s00-raw", "a/first", evt, false)
	evt.Parsed["program"], evt.Parsed["pid"] = "sshd", ""
	recorder.Parsed("s00-raw", "a/second", evt, true)
	evt.Parsed["program"] = "changed later"
	recorder.Parsed("s00-raw", "a/first", line("again"), true)
	got, _, _ := write(t, recorder)
	want := `s00-raw:
    a/first:
        - idx: 1
          evt:
            ExpectMode: 1
            Line:
                Raw: hello
                Src: /x.log
                time: 2026-01-02T03:04:05Z
                Labels:
                    type: syslog
                process: true
                Module: file
          success: false
        - idx: 1
          evt:
            ExpectMode: 1
            Line:
                Raw: again
                Src: /x.log
                time: 2026-01-02T03:04:05Z
                Labels:
                    type: syslog
                process: true
                Module: file
            Process: true
          success: true
    a/second:
        - idx: 2
          evt:
            ExpectMode: 1
            Line:
                Raw: hello
                Src: /x.log
                time: 2026-01-02T03:04:05Z
                Labels:
                    type: syslog
                process: true
                Module: file
            Parsed:
                pid: ""
                program: sshd
          success: true
success:
    "": []
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOverflowDumpKeepsSourcesShared(t *testing.T) {
	t.Parallel()
	source := &wire.Source{Scope: "Ip", Value: "192.0.2.1", IP: "192.0.2.1"}
	alert := &wire.Alert{Scenario: "a/s", Source: source}
	evt := line("")
	evt.Type = event.Overflow
	evt.Overflow = event.RuntimeAlert{
		Mapkey: "key", Sources: map[string]*wire.Source{"192.0.2.1": source}, Alert: alert, APIAlerts: []*wire.Alert{alert},
	}
	recorder := dump.NewRecorder()
	recorder.Overflowed(evt)
	source.Value = "rewritten later"
	_, _, got := write(t, recorder)
	if strings.Contains(got, "rewritten") || strings.Count(got, "value: 192.0.2.1") != 3 {
		t.Errorf("got\n%s", got)
	}
	for _, key := range []string{"MapKey: key", "eventscount: 0", "asnumber: \"\"", "decisions: []", "remediation: false"} {
		if !strings.Contains(got, key) {
			t.Errorf("%q is missing in\n%s", key, got)
		}
	}
}
