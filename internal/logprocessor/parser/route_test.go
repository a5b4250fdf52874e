package parser_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
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
		fast, slow := newBench(patterns), newBench(patterns)
		slow.plain = true
		routed, err := fast.load(files.String())
		if err != nil {
			t.Fatal(err)
		}
		asked, err := slow.load(files.String())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"a", "b", "c"} {
			one, other := line(text), line(text)
			if routed.Parse(one) != asked.Parse(other) || one.Stage != other.Stage || !slices.Equal(facts(one), facts(other)) {
				t.Fatalf("%s: in %s with %q, want %s with %q\n%s", text, one.Stage, facts(one), other.Stage, facts(other), files.String())
			}
		}
		if got, want := complaints(fast), complaints(slow); got != want {
			t.Fatalf("%d complaints, want %d\n%s", got, want, files.String())
		}
		if got, want := fast.counted(t), slow.counted(t); !maps.Equal(got, want) {
			t.Fatalf("counted %v, want %v\n%s", got, want, files.String())
		}
	})
}

func complaints(b *bench) int { return strings.Count(b.log.String(), "filter cannot be evaluated") }
