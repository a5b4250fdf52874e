package parser_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/grok"
)

// TestRoutesChangeNothing checks that a stage whose filters are asked together does what it does when they are asked
// one after the other, whatever its nodes do to each other, and counts and complains the same.
func TestRoutesChangeNothing(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	parts := []string{
		"", "filter: evt.Line.Raw == 'a'\n", "filter: evt.Line.Raw in ['a', 'b']\n", "filter: evt.Parsed.n1 != ''\n", "filter: evt.Parsed.n2 == 'x'\n",
		"filter: \"evt.Parsed.n3 == '' && evt.Line.Raw startsWith 'b'\"\n", "filter: evt.Unmarshaled.none.deeper == 'x'\n", "filter: 'false'\n",
		"filter: evt.SetParsed('n1', 'set')\n", "filter: evt.Line.Raw != 'a'\n", "filter: evt.Meta.m contains 'n'\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		var files strings.Builder
		for _, stage := range []string{"s00", "s01"} {
			fmt.Fprintf(&files, "-- %s/a.yaml --\n", stage)
			for i := range rapid.IntRange(8, 14).Draw(t, "nodes") {
				fmt.Fprintf(&files, "name: %s-%d\n%s%sstatics: [{parsed: n%d, value: x}, {meta: m, value: n%d}]\n---\n", stage, i,
					rapid.SampledFrom(parts).Draw(t, "filter"), rapid.SampledFrom([]string{"", "", next + "\n"}).Draw(t, "then"), i, i)
			}
		}
		compareWithPlain(t, patterns, files.String(), "a", "b", "c")
	})
}

// compareWithPlain checks that parsers leave, say and count the same of each line as without shortcuts.
func compareWithPlain(t *rapid.T, patterns *grok.Library, files string, texts ...string) {
	fast, slow := newBench(patterns), newBench(patterns)
	slow.plain = true
	short, err := fast.load(files)
	if err != nil {
		t.Fatal(err)
	}
	long, err := slow.load(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		one, other := line(text), line(text)
		if short.Parse(one) != long.Parse(other) || one.Stage != other.Stage || !slices.Equal(facts(one), facts(other)) {
			t.Fatalf("%s: in %s with %q, want %s with %q\n%s", text, one.Stage, facts(one), other.Stage, facts(other), files)
		}
	}
	if got, want := complaints(fast), complaints(slow); got != want {
		t.Fatalf("%d complaints, want %d\n%s", got, want, files)
	}
	if got, want := fast.counted(t), slow.counted(t); !maps.Equal(got, want) {
		t.Fatalf("counted %v, want %v\n%s", got, want, files)
	}
}

func complaints(b *bench) int { return strings.Count(b.log.String(), "filter cannot be evaluated") }
