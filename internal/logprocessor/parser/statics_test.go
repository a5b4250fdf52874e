package parser_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// unmarshaled puts a value where only run time can tell its type.
func unmarshaled(value any) func(*event.Event) {
	return func(evt *event.Event) { evt.Unmarshaled["x"] = value }
}

// TestStaticValues says what becomes of the result of an expression.
func TestStaticValues(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		name       string
		expression string
		x          any
		want       string // "" is left out
		drop       bool
	}{
		{"text", `"a" + "b"`, nil, "ab", false},
		{"empty text", `""`, nil, "", false},
		{"text at run time", "evt.Unmarshaled.x", "text", "text", false},
		{"int", "40 + 2", nil, "42", false},
		{"negative int", "-1", nil, "-1", false},
		{"int64 at run time", "evt.Unmarshaled.x", int64(7), "7", false},
		{"float", "1.5", nil, "1.500000", false},
		{"float at run time", "evt.Unmarshaled.x", 3.0, "3.000000", false},
		{"float beyond six decimals", "evt.Unmarshaled.x", 0.1234567, "0.123457", false},
		{"quotient", "1 / 4", nil, "0.250000", false},
		{"nil", "nil", nil, "", false},
		{"missing key", "evt.Unmarshaled.y", nil, "", false},
		{"missing key of a text map", "evt.Parsed.y", nil, "", false},
		{"map", `{"a": 1}`, nil, "", false},
		{"map at run time", "evt.Unmarshaled.x", map[string]any{"a": 1}, "", false},
		{"list", "[1, 2]", nil, "", false},
		{"list at run time", "evt.Unmarshaled.x", []any{1}, "", false},
		{"error", "evt.Unmarshaled.x.y.z", nil, "", false},
		{"boolean", "1 == 1", nil, "", true},
		{"boolean at run time", "evt.Unmarshaled.x", false, "", true},
		{"time", "evt.Time", nil, "", true},
		{"number of the clock", "evt.Line.Time.Hour()", nil, "12", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := newBench(patterns).mustLoad(t, "statics: [{meta: got, expression: '"+test.expression+"'}, {meta: last, value: ran}]")
			evt := line("")
			unmarshaled(test.x)(evt)
			if ok := set.Parse(evt); ok == test.drop {
				t.Errorf("parsed %v", ok)
			}
			want := map[string]string{"last": "ran"}
			if test.want != "" {
				want["got"] = test.want
			}
			if test.drop {
				want = map[string]string{}
			}
			if !maps.Equal(evt.Meta, want) {
				t.Errorf("meta %q, want %q", evt.Meta, want)
			}
		})
	}
}

func TestStatics(t *testing.T) {
	t.Parallel()
	runRows(t, []row{
		{
			name:  "value wins over expression",
			files: "statics: [{meta: a, value: v, expression: '\"e\"'}]",
			want:  []string{"meta.a=v"},
		},
		{
			name:  "numbers and booleans are texts when they are values",
			files: "statics: [{meta: a, value: 12}, {meta: b, value: true}]",
			want:  []string{"meta.a=12", "meta.b=true"},
		},
		{
			name:  "the first of method, parsed, meta, enriched, target applies",
			files: "statics: [{value: v, target: evt.Meta.target, enriched: e, meta: m, parsed: p}, {value: v, target: evt.Meta.target, enriched: e, meta: m}]",
			want:  []string{"meta.m=v", "parsed.p=v"},
		},
		{
			name: "method before all", before: rawLine(`{"a": "b"}`),
			files: "statics: [{value: v, method: UnmarshalJSON, parsed: p, meta: m}]",
			want:  []string{"unmarshaled.a=b"},
		},
		{
			name: "an empty value is not stored and does not replace", before: func(evt *event.Event) { evt.Meta["a"] = "old" },
			files: "statics: [{meta: a, expression: evt.Parsed.none}, {meta: b, expression: evt.Parsed.none}]",
			want:  []string{"meta.a=old"},
		},
		{
			name:  "an empty capture is stored, a static of it is not",
			files: "grok: {pattern: '^%{WORD:w}(,%{WORD:none})?', apply_on: Line.Raw, statics: [{meta: none, expression: evt.Parsed.none}]}",
			want:  []string{"parsed.none=", "parsed.w=hello"},
		},
		{
			name:  "enriched is a destination within grok",
			files: "grok: {pattern: '^%{WORD:w}', apply_on: Line.Raw, statics: [{enriched: e, expression: evt.Parsed.w}]}",
			want:  []string{"enriched.e=hello", "parsed.w=hello"},
		},
		{
			name:  "statics of grok do not run without a match",
			files: "-- s01/a.yaml --\nname: a\ngrok: {pattern: 'no %{WORD:w}', apply_on: Line.Raw, statics: [{meta: m, value: v}]}\n---\nname: b\nstatics: [{meta: b, value: v}]",
			want:  []string{"meta.b=v"},
		},
		{
			name:  "an expression that fails leaves the others alone",
			files: "statics: [{meta: a, expression: evt.Unmarshaled.a.b.c}, {meta: b, value: v}]",
			want:  []string{"meta.b=v"}, log: "level=WARN",
		},
		{
			name: "an unknown method has no effect at run time", files: "statics: [{method: NoSuch, value: v}, {meta: b, value: v}]",
			want: []string{"meta.b=v"},
		},
	})
}

func rawLine(text string) func(*event.Event) {
	return func(evt *event.Event) { evt.Line.Raw = text }
}

func TestMethods(t *testing.T) {
	t.Parallel()
	replayed := func(evt *event.Event) { evt.ExpectMode = event.TimeMachine }
	when := func(evt *event.Event) string { return evt.Time.Format(time.RFC3339) }
	runRows(t, []row{
		{
			name: "ParseDate", files: "statics: [{method: ParseDate, value: '2026-02-12T14:10:21+02:00'}]",
			want: []string{"enriched.MarshaledTime=2026-02-12T14:10:21+02:00"}, after: when, result: "0001-01-01T00:00:00Z",
		},
		{
			name: "ParseDate in replay", files: "statics: [{method: ParseDate, value: '2026-02-12T14:10:21+02:00'}]", before: replayed,
			want: []string{"enriched.MarshaledTime=2026-02-12T14:10:21+02:00"}, after: when, result: "2026-02-12T14:10:21+02:00",
		},
		{
			name: "ParseDate runs for nothing too", files: "statics: [{method: ParseDate, expression: evt.StrTime}]", before: replayed,
			want: []string{"enriched.MarshaledTime=2026-03-01T12:00:00Z"}, after: when, result: "0001-01-01T00:00:00Z",
		},
		{
			name:  "a date becomes the time of the bucket in three steps",
			files: "statics: [{target: evt.StrTime, value: 'Feb 12 14:10:21'}, {method: ParseDate, expression: evt.StrTime}, {target: MarshaledTime, expression: evt.Enriched.MarshaledTime}]",
			want:  []string{"enriched.MarshaledTime=2026-02-12T14:10:21Z"},
			after: func(evt *event.Event) string { return evt.MarshaledTime }, result: "2026-02-12T14:10:21Z",
		},
		{
			name: "UnmarshalJSON ignores its text", files: "statics: [{method: UnmarshalJSON, value: x}]", before: rawLine(`{"n": 3, "t": "text"}`),
			want: []string{"unmarshaled.n=3", "unmarshaled.t=text"},
		},
		{
			name: "UnmarshalJSON does not run for nothing", files: "statics: [{method: UnmarshalJSON, expression: evt.Parsed.none}]", before: rawLine(`{"n": 3}`),
		},
		{
			name: "UnmarshalJSON of something else", files: "statics: [{method: UnmarshalJSON, value: x}]", before: rawLine(`[1]`),
		},
	})
}

// TestTargets says where a target puts its value.
func TestTargets(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		target string
		read   func(*event.Event) any
		want   any
	}{
		{"evt.StrTime", func(e *event.Event) any { return e.StrTime }, "v"},
		{"StrTime", func(e *event.Event) any { return e.StrTime }, "v"},
		{"evt.StrTimeFormat", func(e *event.Event) any { return e.StrTimeFormat }, "v"},
		{"MarshaledTime", func(e *event.Event) any { return e.MarshaledTime }, "v"},
		{"evt.Line.Module", func(e *event.Event) any { return e.Line.Module }, "v"},
		{"Line.Raw", func(e *event.Event) any { return e.Line.Raw }, "v"},
		{"evt.Line.Labels.type", func(e *event.Event) any { return e.Line.Labels }, map[string]string{"type": "v"}},
		{"evt.Line.Labels.more", func(e *event.Event) any { return e.Line.Labels }, map[string]string{"type": "syslog", "more": "v"}},
		{"evt.Parsed.x", func(e *event.Event) any { return e.Parsed }, map[string]string{"x": "v"}},
		{"Parsed.x.y", func(e *event.Event) any { return e.Parsed }, map[string]string{"x": "v"}},
		{"evt.Meta.x", func(e *event.Event) any { return e.Meta }, map[string]string{"x": "v"}},
		{"evt.Enriched.x", func(e *event.Event) any { return e.Enriched }, map[string]string{"x": "v"}},
		{"evt.Unmarshaled.a", func(e *event.Event) any { return e.Unmarshaled }, map[string]any{"a": "v"}},
		{"evt.Unmarshaled.a.b", func(e *event.Event) any { return e.Unmarshaled }, map[string]any{"a": "v"}},
		{"evt.Overflow.Alert.Scenario", func(e *event.Event) any { return e.Overflow.Alert.Scenario }, "v"},
		{"evt.Overflow.Alert.Source.Scope", func(e *event.Event) any { return e.Overflow.Alert.Source.Scope }, "v"},
	} {
		t.Run(test.target, func(t *testing.T) {
			t.Parallel()
			set := newBench(patterns).mustLoad(t, "statics: [{value: v, target: "+test.target+"}]")
			evt := line("")
			overflowOf("192.0.2.1")(evt)
			if !set.Parse(evt) || fmt.Sprint(test.read(evt)) != fmt.Sprint(test.want) {
				t.Errorf("process %v, got %v, want %v", evt.Process, test.read(evt), test.want)
			}
		})
	}
}

// TestTargetsThatDoNotExist only log: no event is lost and none is changed.
func TestTargetsThatDoNotExist(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, target := range []string{
		"evt", "evt.", "evt.Nope", "evt.strtime", "evt.Line", "evt.Line.Nope", "evt.Line.Time", "evt.Line.Time.loc.name", "evt.Line.Raw.x", "evt.Type",
		"evt.Whitelisted", "evt.Parsed", "evt.Overflow.Alert", "evt.Overflow.Alert.Source.Value", "evt.Overflow.Sources.x", "evt.Overflow.APIAlerts.x",
		"evt..", "evt.New", "evt.Overflow.GetSources",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			row := row{files: "statics: [{value: v, target: " + target + "}]", log: "level=ERROR"}
			row.run(t, newBench(patterns))
		})
	}
}

// TestRewrittenSourceIsSeenEverywhere is what postoverflows rely on that ban a range instead of an address.
func TestRewrittenSourceIsSeenEverywhere(t *testing.T) {
	t.Parallel()
	set := newBench(embedded(t)).mustLoad(t, "statics: [{target: evt.Overflow.Alert.Source.Value, value: '2001:db8::/64'}, {target: evt.Overflow.Alert.Source.Scope, value: Range}]")
	evt := line("")
	overflowOf("2001:db8::1")(evt)
	if !set.Parse(evt) {
		t.Fatal("dropped")
	}
	source := evt.Overflow.Sources["2001:db8::1"]
	if source.GetValue() != "2001:db8::/64" || source.GetScope() != "Range" {
		t.Errorf("source %+v", source)
	}
	if alert := evt.Overflow.APIAlerts[0]; alert.GetValue() != "2001:db8::/64" || alert.GetScope() != "Range" {
		t.Errorf("alert %+v", alert.Source)
	}
}

// TestLabelsOfASourceAreNotChanged because all its lines share them.
func TestLabelsOfASourceAreNotChanged(t *testing.T) {
	t.Parallel()
	set := newBench(embedded(t)).mustLoad(t, "statics: [{target: evt.Line.Labels.type, value: other}]")
	labels := map[string]string{"type": "syslog"}
	evt := event.New(event.Line{Labels: labels}, event.Live)
	if !set.Parse(evt) || evt.Line.Labels["type"] != "other" {
		t.Errorf("process %v, labels %v", evt.Process, evt.Line.Labels)
	}
	if labels["type"] != "syslog" {
		t.Errorf("the labels of the source became %v", labels)
	}
}
