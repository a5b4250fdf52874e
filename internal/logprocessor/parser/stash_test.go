package parser_test

import (
	"slices"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/parser"
)

// remember is a parser that stashes "key value" lines and answers lines with one word from the stash.
func remember(stash string) string {
	return "-- s01/a.yaml --\nname: a\ngrok: {pattern: '^%{WORD:key} %{WORD:value}$', apply_on: Line.Raw}\nstash: [" + stash + "]\n" +
		"-- s01/b.yaml --\nname: b\ngrok: {pattern: '^%{WORD:key}$', apply_on: Line.Raw}\n" +
		"statics: [{meta: got, expression: 'GetFromStash(\"s\", evt.Parsed.key)'}]\n"
}

func ask(set *parser.Set, text string) string {
	evt := line(text)
	set.Parse(evt)
	return evt.Meta["got"]
}

func TestStash(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	const plain = "{name: s, key: evt.Parsed.key, value: evt.Parsed.value, ttl: 10s, size: 2}"
	for _, test := range []struct {
		name, stash string
		lines       []string
		wait        time.Duration
		ask, want   string
	}{
		{"what was stashed is found", plain, []string{"a one", "b two"}, 0, "a", "one"},
		{"the latest value", plain, []string{"a one", "a two"}, 0, "a", "two"},
		{"missing key", plain, []string{"a one"}, 0, "b", ""},
		{"until its end", plain, []string{"a one"}, 9 * time.Second, "a", "one"},
		{"not after it", plain, []string{"a one"}, 11 * time.Second, "a", ""},
		{"not when others pushed it out", plain, []string{"a one", "b two", "c three"}, 0, "a", ""},
		{"not when the pattern did not match", plain, []string{"a one three"}, 0, "a", ""},
		{"unknown stash", "{name: other, key: evt.Parsed.key, value: evt.Parsed.value, ttl: 10s, size: 2}", []string{"a one"}, 0, "a", ""},
		{"a value that is no text is not stashed", "{name: s, key: evt.Parsed.key, value: '1 + 1', ttl: 10s, size: 2}", []string{"a one"}, 0, "a", ""},
		{"nor under a key that is none", "{name: s, key: 'nil', value: evt.Parsed.value, ttl: 10s, size: 2}", []string{"a one"}, 0, "a", ""},
		{
			"of two with one name the first is read",
			"{name: s, key: evt.Parsed.key, value: evt.Parsed.value, ttl: 10s, size: 2}, {name: s, key: evt.Parsed.key, value: '\"second\"', ttl: 1h, size: 9}",
			[]string{"a one"},
			11 * time.Second, "a", "",
		},
		{
			"and both are written",
			"{name: s, key: evt.Parsed.key, value: evt.Parsed.value, ttl: 10s, size: 2}, {name: s, key: evt.Parsed.key, value: '\"second\"', ttl: 1h, size: 9}",
			[]string{"a one"},
			0, "a", "second",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(patterns)
			set := b.mustLoad(t, remember(test.stash))
			for _, text := range test.lines {
				set.Parse(line(text))
			}
			b.now = b.now.Add(test.wait)
			if got := ask(set, test.ask); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRemembers(t *testing.T) {
	t.Parallel()
	const static = "statics: [{meta: a, value: b}]\n"
	for text, want := range map[string]bool{
		static: false,
		static + "filter: GetFromStash('s', 'k') == ''":                                                                                          true,
		static + "nodes: [{statics: [{meta: a, expression: 'GetFromStash(\"s\", \"k\")'}]}]":                                                     true,
		static + "nodes: [{nodes: [{stash: [{name: s, key: '\"k\"', value: evt.Line.Raw, ttl: 1m, size: 1}], statics: [{meta: a, value: b}]}]}]": true,
	} {
		if got := newBench(embedded(t)).mustLoad(t, text).Remembers(); got != want {
			t.Errorf("%s\ngot %v", text, got)
		}
	}
}

// TestStashOfANodeWithoutPattern runs whatever the children do.
func TestStashOfANodeWithoutPattern(t *testing.T) {
	t.Parallel()
	set := newBench(embedded(t)).mustLoad(t, "stash: [{name: s, key: '\"k\"', value: evt.Line.Raw, ttl: 1m, size: 1}]\n"+
		"nodes: [{filter: 'false', statics: [{meta: a, value: b}]}]\n---\nname: b\nstatics: [{meta: got, expression: 'GetFromStash(\"s\", \"k\")'}]")
	evt := line("text")
	set.Parse(evt)
	if want := []string{"meta.got=text"}; !slices.Equal(facts(evt), want) {
		t.Errorf("facts %q, want %q", facts(evt), want)
	}
}
