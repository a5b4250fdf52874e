package parser_test

import (
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/event"
)

func TestGrok(t *testing.T) {
	t.Parallel()
	subject := func(value any) func(*event.Event) {
		return func(evt *event.Event) { evt.Unmarshaled["x"] = value }
	}
	runRows(t, []row{
		{
			name:  "inline, anywhere in the line",
			files: "grok: {pattern: 'world %{NUMBER:n}', apply_on: Line.Raw}",
			want:  []string{"parsed.n=42"},
		},
		{
			name:  "by name",
			files: "pattern_syntax: {OWN: 'hello %{WORD:who}'}\ngrok: {name: OWN, apply_on: Line.Raw}",
			want:  []string{"parsed.who=world"},
		},
		{
			name:  "the name wins over the pattern",
			files: "pattern_syntax: {OWN: 'hello %{WORD:who}'}\ngrok: {name: OWN, pattern: '%{NUMBER:n}', apply_on: Line.Raw}",
			want:  []string{"parsed.who=world"},
		},
		{
			name:   "on something parsed",
			files:  "grok: {pattern: '%{WORD:w}', apply_on: message}",
			before: func(evt *event.Event) { evt.Parsed["message"] = "other text" },
			want:   []string{"parsed.message=other text", "parsed.w=other"},
		},
		{
			name:   "on something parsed that is empty",
			files:  "grok: {pattern: '^(%{WORD:w})?$', apply_on: message}",
			before: func(evt *event.Event) { evt.Parsed["message"] = "" },
			want:   []string{"parsed.message=", "parsed.w="},
		},
		{
			name:  "on something that was not parsed",
			files: "grok: {pattern: '^(%{WORD:w})?', apply_on: message}", drop: true,
		},
		{
			name:  "on an expression",
			files: "grok: {pattern: '%{WORD:w}', expression: 'Upper(evt.Line.Raw)'}",
			want:  []string{"parsed.w=HELLO"},
		},
		{
			name:  "apply_on wins over the expression",
			files: "grok: {pattern: '%{WORD:w}', apply_on: Line.Raw, expression: 'Upper(evt.Line.Raw)'}",
			want:  []string{"parsed.w=hello"},
		},
		{
			name: "on an int", files: "grok: {pattern: '^%{NOTSPACE:w}$', expression: 'evt.Unmarshaled.x'}", before: subject(12),
			want: []string{"parsed.w=12", "unmarshaled.x=12"},
		},
		{
			name: "on a float", files: "grok: {pattern: '^%{NOTSPACE:w}$', expression: 'evt.Unmarshaled.x'}", before: subject(1.5),
			want: []string{"parsed.w=1.500000", "unmarshaled.x=1.5"},
		},
		{
			name: "anything else is the empty text", files: "grok: {pattern: '^(%{WORD:w})?$', expression: 'evt.Unmarshaled.x'}", before: subject(true),
			want: []string{"parsed.w=", "unmarshaled.x=true"}, log: "level=",
		},
		{
			name:  "an expression that fails does not match",
			files: "grok: {pattern: '^(%{WORD:w})?', expression: 'evt.Unmarshaled.a.b.c'}", drop: true, log: "level=WARN",
		},
		{
			name: "no match leaves everything as it was", files: "grok: {pattern: 'x %{WORD:w}', apply_on: Line.Raw}\nstatics: [{meta: m, value: v}]",
			before: func(evt *event.Event) { evt.Parsed["w"] = "old" },
			want:   []string{"parsed.w=old"}, drop: true,
		},
		{
			name: "a match replaces, with nothing too", files: "grok: {pattern: '^%{WORD:w}(,%{WORD:none})?', apply_on: Line.Raw}",
			before: func(evt *event.Event) { evt.Parsed["w"], evt.Parsed["none"], evt.Parsed["else"] = "old", "old", "old" },
			want:   []string{"parsed.else=old", "parsed.none=", "parsed.w=hello"},
		},
		{
			name: "a pattern without fields never matches", files: "grok: {pattern: 'hello', apply_on: Line.Raw}", drop: true,
		},
		{
			name: "names of the regular expression are no fields", files: "grok: {pattern: '(?P<w>hello)', apply_on: Line.Raw}", drop: true,
		},
		{
			name: "the last of a repeated field wins, matched or not", files: "grok: {pattern: '(%{IP:ip}|%{WORD:ip}) end', apply_on: Line.Raw}", line: "1.1.1.1 end",
			want: []string{"parsed.ip="},
		},
	})
}

// own is a parser that needs the pattern OWN and stores what it captures.
const own = "grok: {pattern: '%{OWN:own}', apply_on: Line.Raw}\n"

func TestPatternSyntax(t *testing.T) {
	t.Parallel()
	defined := func(pattern string) string { return "pattern_syntax: {OWN: '" + pattern + "'}\n" }
	runRows(t, []row{
		{
			name:  "later patterns of a file build on earlier ones",
			files: "pattern_syntax: {PART: 'w[a-z]+', OWN: '%{PART}'}\n" + own,
			want:  []string{"parsed.own=world"},
		},
		{
			name:  "files that load later see it, in other stages too",
			files: "-- s00/a.yaml --\nname: a\nonsuccess: next_stage\n" + defined("w[a-z]+") + valid + "-- s01/b.yaml --\nname: b\n" + own,
			want:  []string{"meta.a=b", "parsed.own=world"},
		},
		{
			name:  "the first definition is kept, in the order of paths",
			files: "-- s01/b.yaml --\nname: b\n" + defined("h[a-z]+") + own + "-- s01/a.yaml --\nname: a\n" + defined("w[a-z]+") + valid,
			want:  []string{"meta.a=b", "parsed.own=world"}, log: "level=WARN",
		},
		{
			name:  "a pattern of the program is kept too",
			files: "pattern_syntax: {NUMBER: 'h[a-z]+'}\ngrok: {pattern: '%{NUMBER:own}', apply_on: Line.Raw}",
			want:  []string{"parsed.own=42"}, log: "level=WARN",
		},
		{
			name:  "a node defines for its children",
			files: defined("w[a-z]+") + "nodes: [{" + strings.TrimSpace(own) + "}]",
			want:  []string{"parsed.own=world"},
		},
		{
			name:  "a child defines for what follows",
			files: "nodes: [{pattern_syntax: {OWN: 'w[a-z]+'}, statics: [{meta: a, value: b}]}, {" + strings.TrimSpace(own) + "}]",
			want:  []string{"meta.a=b", "parsed.own=world"},
		},
	})
}

func TestPatternIsUnknownToFilesThatLoadBefore(t *testing.T) {
	t.Parallel()
	_, err := newBench(embedded(t)).load("-- s01/a.yaml --\nname: a\n" + own + "-- s01/b.yaml --\nname: b\npattern_syntax: {OWN: x}\n" + valid)
	if err == nil || !strings.Contains(err.Error(), "s01/a.yaml") || !strings.Contains(err.Error(), "OWN") {
		t.Errorf("error %v", err)
	}
}
