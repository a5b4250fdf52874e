package journalctl

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

const stamp = `"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1700000000000000"`

func TestEntries(t *testing.T) {
	t.Parallel()
	for encoded, want := range map[string][]string{
		`"MESSAGE":"hello  ","_HOSTNAME":"host","SYSLOG_IDENTIFIER":"sshd","_PID":"42"`: {"Nov 14 22:13:20 host sshd[42]: hello  "},
		`"MESSAGE":"hello","_SOURCE_REALTIME_TIMESTAMP":"1699999990000000"`:             {"Nov 14 22:13:10 unknown: hello"},
		`"MESSAGE":"hello","_HOSTNAME":"host","_COMM":"cron","SYSLOG_PID":"43"`:         {"Nov 14 22:13:20 host cron[43]: hello"},
		`"MESSAGE":"hello","SYSLOG_IDENTIFIER":["a","b"],"_PID":"1","SYSLOG_PID":"2"`:   {"Nov 14 22:13:20 b[1]: hello"},
		`"MESSAGE":[98,105,110,255],"SYSLOG_IDENTIFIER":"a"`:                            {"Nov 14 22:13:20 a: bin\xff"},
		`"MESSAGE":["x",[121,122]],"SYSLOG_IDENTIFIER":"a"`:                             {"Nov 14 22:13:20 a: yz"},
		`"MESSAGE":"one\ntwo\n\n three\n","SYSLOG_IDENTIFIER":"a"`: {
			"Nov 14 22:13:20 a: one", "                   two", "                    three",
		},
		`"MESSAGE":"\nforged","SYSLOG_IDENTIFIER":"a"`:                     {"Nov 14 22:13:20 a: ", "                   forged"},
		`"MESSAGE":"\u001b[31mred\u001b[0m\tx","SYSLOG_IDENTIFIER":"a\nb"`: {"Nov 14 22:13:20 a b: red        x"},
		`"MESSAGE":null`: nil,
		`"MESSAGE":[]`:   nil,
		`"_PID":"1"`:     nil,
	} {
		got, err := parseEntry([]byte("{"+stamp+","+encoded+"}"), short, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", encoded, err)
			continue
		}
		if got.cursor != "s=1;i=2" || !got.at.Equal(time.Unix(1700000000, 0)) || !slices.Equal(got.lines, want) {
			t.Errorf("%s\nbecame %q\nwant   %q", encoded, got.lines, want)
		}
	}
}

func TestLongMessageIsCut(t *testing.T) {
	t.Parallel()
	got, err := parseEntry([]byte(`{`+stamp+`,"MESSAGE":"`+strings.Repeat("x", maxMessage+1)+`"}`), cat, time.UTC)
	if err != nil || !got.cut || len(got.lines) != 1 || len(got.lines[0]) != maxMessage {
		t.Errorf("cut %v, %d lines, %v", got.cut, len(got.lines), err)
	}
}

func TestEntriesRefused(t *testing.T) {
	t.Parallel()
	for encoded, want := range map[string]string{
		``:                                      "reading an entry",
		`{}`:                                    "no cursor",
		`{"__CURSOR":"x"}`:                      "reading the time",
		`{` + stamp + `,"MESSAGE":7}`:           "neither a text nor a list",
		`{` + stamp + `,"MESSAGE":[256]}`:       "256 is no byte",
		`{` + stamp + `,"MESSAGE":["a",[-1]]}`:  "-1 is no byte",
		`{` + stamp + `,"MESSAGE":["a",["b"]]}`: "neither a text nor a list of bytes",
		`{` + stamp + `,"MESSAGE":[null,[{}, 1]]}`: "neither a text nor a list of bytes",
	} {
		if _, err := parseEntry([]byte(encoded), short, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", encoded, err, want)
		}
	}
}

// FuzzParseEntry: whatever comes, the lines of an entry hold no newline, only the first begins with something else than a
// blank, and nothing panics.
func FuzzParseEntry(f *testing.F) {
	f.Add([]byte(`{`+stamp+`,"MESSAGE":"one\ntwo","_HOSTNAME":"h","_PID":"1"}`), true)
	f.Add([]byte(`{`+stamp+`,"MESSAGE":[1,2,[3]],"SYSLOG_IDENTIFIER":["a",[98,10]]}`), false)
	f.Fuzz(func(t *testing.T, encoded []byte, header bool) {
		shape := cat
		if header {
			shape = short
		}
		e, err := parseEntry(encoded, shape, time.UTC)
		if err != nil {
			return
		}
		for i, line := range e.lines {
			if strings.Contains(line, "\n") || header && i > 0 && line[0] != ' ' {
				t.Errorf("line %d of %q is %q", i, encoded, line)
			}
		}
		if again, err := json.Marshal(e.cursor); err != nil || len(again) == 0 {
			t.Errorf("cursor %q cannot be saved: %v", e.cursor, err)
		}
	})
}
