package parser_test

import (
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/event"
)

// node writes a document that succeeds, says so in evt.Parsed.ran, and does what more says.
func node(name, more string) string {
	return "name: " + name + "\n" + more + `
statics: [{parsed: ran, expression: 'evt.Parsed.ran + "` + name + `"'}]
---
`
}

const (
	next  = "onsuccess: next_stage"
	never = "filter: 'false'"
)

func TestStages(t *testing.T) {
	t.Parallel()
	broken := "name: broken\nstatics: [{meta: m, expression: 'true'}]\n---\n"
	runRows(t, []row{
		{
			name:  "success alone does not lead out of a stage that is not the last",
			files: "-- s00/a.yaml --\n" + node("a", "") + "-- s01/b.yaml --\n" + node("b", ""),
			want:  []string{"parsed.ran=a"}, stage: "s00", drop: true,
		},
		{
			name:  "next_stage does, and the last stage needs no more than success",
			files: "-- s00/a.yaml --\n" + node("a", next) + "-- s01/b.yaml --\n" + node("b", ""),
			want:  []string{"parsed.ran=ab"}, stage: "s01",
		},
		{
			name:  "next_stage in the last stage stays there",
			files: "-- s00/a.yaml --\n" + node("a", next) + "-- s01/b.yaml --\n" + node("b", next),
			want:  []string{"parsed.ran=ab"}, stage: "s01",
		},
		{
			name:  "next_stage ends the stage",
			files: "-- s00/a.yaml --\n" + node("a", next) + node("b", next) + "-- s01/c.yaml --\n" + node("c", ""),
			want:  []string{"parsed.ran=ac"}, stage: "s01",
		},
		{
			name:  "continue, the default, goes on to the next node",
			files: "-- s00/a.yaml --\n" + node("a", "onsuccess: continue") + node("b", "") + node("c", next) + "-- s01/d.yaml --\n" + node("d", ""),
			want:  []string{"parsed.ran=abcd"}, stage: "s01",
		},
		{
			name:  "one success is enough in the last stage",
			files: "-- s00/a.yaml --\n" + node("a", never) + node("b", "") + node("c", never),
			want:  []string{"parsed.ran=b"},
		},
		{
			name:  "without success in the last stage the event is dropped",
			files: "-- s00/a.yaml --\n" + node("a", next) + "-- s01/b.yaml --\n" + node("b", never),
			want:  []string{"parsed.ran=a"}, stage: "s01", drop: true,
		},
		{
			name:  "without success in an earlier stage the later ones do not run",
			files: "-- s00/a.yaml --\n" + node("a", never) + "-- s01/b.yaml --\n" + node("b", ""),
			drop:  true, stage: "s00",
		},
		{
			name:  "without stages everything passes",
			files: "-- s00/a.txt --\n",
		},
		{
			name:  "files run in the byte order of their paths, documents in the order of their file",
			files: "-- s00/b.yaml --\n" + node("c", "") + node("d", "") + "-- s00/a.yaml --\n" + node("b", "") + "-- s00/Z.yaml --\n" + node("a", ""),
			want:  []string{"parsed.ran=abcd"},
		},
		{
			name:  "an event enters at the stage that it is in",
			files: "-- s00/a.yaml --\n" + node("a", next) + "-- s01/b.yaml --\n" + node("b", ""),
			want:  []string{"parsed.ran=b"}, stage: "s01",
			before: func(evt *event.Event) { evt.Stage = "s01" },
		},
		{
			name:  "a stage that does not exist drops the event",
			files: "-- s00/a.yaml --\n" + node("a", next) + "-- s01/b.yaml --\n" + node("b", ""),
			drop:  true, stage: "s77",
			before: func(evt *event.Event) { evt.Stage = "s77" },
		},
		{
			name: "a child leads to the next stage by itself",
			files: "-- s00/a.yaml --\nname: a\nnodes: [{onsuccess: next_stage, statics: [{meta: child, value: c}]}]\n---\n" + node("b", "") +
				"-- s01/c.yaml --\n" + node("c", ""),
			want: []string{"meta.child=c", "parsed.ran=c"}, stage: "s01",
		},
		{
			name: "a child and its parent skip a stage together",
			files: "-- s00/a.yaml --\nname: a\nonsuccess: next_stage\nnodes: [{onsuccess: next_stage, statics: [{meta: child, value: c}]}]\n" +
				"-- s01/b.yaml --\n" + node("b", next) + "-- s02/c.yaml --\n" + node("c", ""),
			want: []string{"meta.child=c", "parsed.ran=c"}, stage: "s02",
		},
		{
			name:  "so does a node that sends it there",
			files: "-- s00/a.yaml --\nname: a\nstatics: [{target: evt.Stage, value: s77}]\n---\n" + node("b", "") + "-- s01/c.yaml --\n" + node("c", ""),
			drop:  true, stage: "s77",
		},
		{
			name: "a node can send it to a later stage",
			files: "-- s00/a.yaml --\nname: a\nstatics: [{target: evt.Stage, value: s02}]\n---\n" + node("b", "") +
				"-- s01/c.yaml --\n" + node("c", "") + "-- s02/d.yaml --\n" + node("d", ""),
			want: []string{"parsed.ran=d"}, stage: "s02",
		},
		{
			name:  "a value that no text can stand for drops the event at once",
			files: "-- s00/a.yaml --\n" + broken + node("b", ""),
			drop:  true, log: "level=ERROR",
		},
		{
			name:  "also in a child",
			files: "-- s00/a.yaml --\nname: a\nnodes: [{statics: [{meta: m, expression: 'true'}]}, {statics: [{meta: n, value: n}]}]\n---\n" + node("b", ""),
			drop:  true, log: "level=ERROR",
		},
	})
}

// TestChildren is section 3.5 as a truth table. In children each letter is a child: y succeeds, n does not. In
// ran are those that were tried.
func TestChildren(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		grok      string // of the parent: "" has none
		onsuccess string
		children  string
		ran       string
		ok        bool
	}{
		{"", "", "y", "y", true},
		{"", "", "n", "n", false},
		{"", "", "yn", "yn", false},
		{"", "", "ny", "ny", true},
		{"", "", "yny", "yny", true},
		{"", "", "yyn", "yyn", false},
		{"", "next_stage", "y", "y", true},
		{"", "next_stage", "yn", "y", true},
		{"", "next_stage", "nyn", "ny", true},
		{"", "next_stage", "nn", "nn", false},
		{"match", "", "", "", true},
		{"match", "", "n", "n", true},
		{"match", "", "yn", "yn", true},
		{"match", "next_stage", "nyy", "ny", true},
		{"match", "next_stage", "nn", "nn", true},
		{"miss", "", "", "", false},
		{"miss", "", "y", "y", true},
		{"miss", "", "yn", "yn", false},
		{"miss", "", "ny", "ny", true},
		{"miss", "next_stage", "nyn", "ny", true},
		{"miss", "next_stage", "nn", "nn", false},
	} {
		t.Run(strings.Join([]string{test.grok, test.onsuccess, test.children}, "/"), func(t *testing.T) {
			t.Parallel()
			set := newBench(patterns).mustLoad(t, family(test.grok, test.onsuccess, test.children))
			evt := line("match 42")
			evt.Meta["y"] = "succeeds"
			if ok := set.Parse(evt); ok != test.ok {
				t.Errorf("succeeded %v, want %v", ok, test.ok)
			}
			if got := evt.Parsed["ran"]; got != test.ran {
				t.Errorf("ran %q, want %q", got, test.ran)
			}
			if ran := evt.Meta["parent"] != ""; ran != test.ok {
				t.Errorf("the parent's statics ran: %v", ran)
			}
		})
	}
}

// family writes a parent with children that append to evt.Parsed.ran when they are tried.
func family(grok, onsuccess, children string) string {
	text := "onsuccess: '" + onsuccess + "'\nstatics: [{meta: parent, value: ran}]\n"
	if grok != "" {
		text += "grok: {pattern: '" + grok + " %{NUMBER:number}', apply_on: Line.Raw}\n"
	}
	if children != "" {
		text += "nodes:\n"
	}
	for _, child := range strings.Split(children, "") {
		text += `  - filter: evt.SetParsed("ran", evt.Parsed.ran + "` + child + `") && evt.Meta.` + child + ` == "succeeds"
    statics: [{meta: child, value: ran}]
`
	}
	return text
}

func TestEvaluationOrder(t *testing.T) {
	t.Parallel()
	runRows(t, []row{
		{
			name:  "the filter comes first: a node that is not entered does nothing",
			files: "filter: 'false'\nwhitelist: {expression: ['true']}\ngrok: {pattern: '%{WORD:w}', apply_on: Line.Raw}\nstatics: [{meta: m, value: v}]",
			drop:  true, after: whitelisting, result: "false ",
		},
		{
			name:  "a filter that fails at run time does not match",
			files: "filter: evt.Unmarshaled.no.such == 'x'\nstatics: [{meta: m, value: v}]",
			drop:  true, log: "level=WARN",
		},
		{
			name:   "a filter that turns out not to be a boolean does not match",
			files:  "filter: evt.Unmarshaled.text\nstatics: [{meta: m, value: v}]",
			before: func(evt *event.Event) { evt.Unmarshaled["text"] = "true" },
			want:   []string{"unmarshaled.text=true"}, drop: true, log: "level=WARN",
		},
		{
			name:  "the whitelist is asked before the pattern has set anything",
			files: "whitelist: {reason: r, expression: ['evt.Parsed.w == \"hello\"']}\ngrok: {pattern: '^%{WORD:w}', apply_on: Line.Raw}",
			want:  []string{"parsed.w=hello"}, after: whitelisting, result: "false ",
		},
		{
			name:  "the whitelist is asked even if the pattern does not match",
			files: "whitelist: {reason: r, expression: ['true']}\ngrok: {pattern: 'nothing %{WORD:w}', apply_on: Line.Raw}",
			drop:  true, after: whitelisting, result: "true r",
		},
		{
			name: "the statics of the pattern run before the children, those of the node after",
			files: "grok: {pattern: '^%{WORD:w}', apply_on: Line.Raw, statics: [{parsed: ran, expression: 'evt.Parsed.w + \" grok\"'}]}\n" +
				"nodes: [{statics: [{parsed: ran, expression: 'evt.Parsed.ran + \" child\"'}]}]\n" +
				"statics: [{parsed: ran, expression: 'evt.Parsed.ran + \" node\"'}]",
			want: []string{"parsed.ran=hello grok child node", "parsed.w=hello"},
		},
		{
			name:  "statics see what the ones before them set",
			files: "statics: [{meta: a, value: x}, {meta: b, expression: 'evt.Meta.a + \"y\"'}]",
			want:  []string{"meta.a=x", "meta.b=xy"},
		},
		{
			name:  "node statics of a whitelist run only when it covers the event",
			files: "-- s01/a.yaml --\nname: a\nwhitelist: {expression: ['false']}\nstatics: [{meta: a, value: v}]\n---\nname: b\nwhitelist: {expression: ['true']}\nstatics: [{meta: b, value: v}]",
			want:  []string{"meta.b=v"},
		},
		{
			name:  "a whitelist that the event is not on does not make its node fail",
			files: "whitelist: {ip: [192.0.2.1]}",
		},
	})
}

// TestFailingStageHidesLaterWhitelists is the trap of postoverflows: a stage in which nothing succeeds hides
// the whitelists of the next one.
func TestFailingStageHidesLaterWhitelists(t *testing.T) {
	t.Parallel()
	runRows(t, []row{{
		name:   "overflow",
		files:  "-- s00-enrich/a.yaml --\n" + node("a", never) + "-- s01-whitelist/b.yaml --\nname: b\nwhitelist: {expression: ['true']}\n",
		before: func(evt *event.Event) { evt.Type = event.Overflow },
		drop:   true, after: whitelisting, result: "false ",
	}})
}
