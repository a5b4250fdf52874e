package grok

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestNeedleFindsWhatStringsFinds states the law of the search for texts.
func TestNeedleFindsWhatStringsFinds(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab é/H")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		needle, hay := text.Draw(t, "needle"), strings.Repeat(text.Draw(t, "hay"), 2)+text.Draw(t, "more")
		n := newNeedle(needle)
		if got, want := n.find(hay), strings.Index(hay, needle); got != want {
			t.Fatalf("%q in %q: got %d, want %d", needle, hay, got, want)
		}
	})
}

// TestEveryMatchContainsTheRequiredText, and begins where the look-ahead of the program allows it.
func TestEveryMatchContainsTheRequiredText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		expression := expressions().Draw(t, "expression")
		x := newTested(rapidTB{t: t}, expression)
		subject := subjects().Draw(t, "subject")
		found := x.oracle.find(subject)
		if found == nil {
			return
		}
		l := newLowerer(newWorkshop())
		tree, err := syntax.Parse(x.expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if text := requiredText(l.lower(tree)); !strings.Contains(subject[found[0]:found[1]], text) {
			t.Fatalf("%s requires %q, but matched %q", expression, text, subject[found[0]:found[1]])
		}
		if x.matcher.candidate(subject, found[0]) != found[0] {
			t.Fatalf("%s matched %q at %d, which is no candidate", expression, subject, found[0])
		}
	})
}

func TestRequiredText(t *testing.T) {
	t.Parallel()
	tests := []struct{ expression, want string }{
		{`abc`, "abc"},
		{`a.*bcd.*ef`, "bcd"},
		{`ab.*cd`, "cd"},
		{`(a)(b)c`, "c"},
		{`(?:(abc).)+`, "abc"},
		{`(?:abc.)*`, ""},
		{`(?:abc.)?d`, "d"},
		{`abc|abd`, "ab"},
		{`a|b`, ""},
		{`(?i)abc`, ""},
		{`(?:abcd){0}e`, "e"},
	}
	for _, tt := range tests {
		tree, err := syntax.Parse(tt.expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		l := newLowerer(newWorkshop())
		if got := requiredText(l.lower(tree)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.expression, got, tt.want)
		}
	}
}

// TestRunsStopWhereTheirClassEnds compares every way to scan with going rune by rune.
func TestRunsStopWhereTheirClassEnds(t *testing.T) {
	t.Parallel()
	classes := map[string]scan{
		`[a-c]`: scanASCII, `[^ab]`: scanBytes, `[^"]`: scanTo, `.`: scanLine, `(?s:.)`: scanAll, `[aé-ü]`: scanRanges,
		`\pL`: scanRanges, `[^é]`: scanRanges,
	}
	pieces := rapid.SampledFrom([]string{"a", "b", "\"", "é", "€", "\n", "\xff", "\xe2\x82", "\U0001F600", " "})
	for expression, want := range classes {
		tree, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		l := newLowerer(newWorkshop())
		c := l.lower(tree).class
		if c.scan != want {
			t.Errorf("%s: scan %d, want %d", expression, c.scan, want)
		}
		rapid.Check(t, func(t *rapid.T) {
			subject := strings.Join(rapid.SliceOf(pieces).Draw(t, "pieces"), "")
			r := &run{min: rapid.IntRange(0, 3).Draw(t, "min"), max: -1, row: none}
			if rapid.Bool().Draw(t, "bounded") {
				r.max = r.min + rapid.IntRange(0, 3).Draw(t, "more")
			}
			m := new(machine)
			m.start(subject, 0)
			for at := range subject + "$" {
				low, high := m.span(c, r, at)
				wantLow, wantHigh := m.spanCounted(c, r, at)
				failed, wantFailed := high < low, wantHigh < wantLow
				if failed != wantFailed || !failed && (low != wantLow || high != wantHigh) {
					t.Fatalf("%s{%d,%d} from %d of %q: got %d to %d, want %d to %d",
						expression, r.min, r.max, at, subject, low, high, wantLow, wantHigh)
				}
			}
		})
	}
}

// TestClassesHoldTheirRunes compares with the tree.
func TestClassesHoldTheirRunes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, expression := range []string{`[a-c]`, `[^ab]`, `\pL`, `[^é]`, `[\x{80}-\x{D7FF}]`, `[\x{E000}-\x{10FFFF}]`, `[^\x{D800}]`, `\PC`} {
		tree, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		c := newClass(tree.Rune)
		for range 2000 {
			r := rune(random.IntN(0x400))
			if random.IntN(2) == 0 {
				r = rune(random.IntN(utf8.MaxRune))
			}
			if !utf8.ValidRune(r) {
				continue
			}
			text := string(r)
			if got, want := c.width(text) > 0, within(tree.Rune, r); got != want {
				t.Errorf("%s on %U: got %v, want %v", expression, r, got, want)
			}
			if within(tree.Rune, r) && !c.first.has(text[0]) {
				t.Errorf("%s: %U cannot begin with %#x", expression, r, text[0])
			}
		}
	}
}

// TestFactoring takes common beginnings out where that is certain to change nothing.
func TestFactoring(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression   string
		alternatives int
	}{
		{`(?:[ab]+:)(?:c)|(?:[ab]+:)d`, 1},
		{`(?:[ab]+:){3}c|(?:[ab]+:){2}d|[ab]+:e`, 1},
		{`[ab]+:c|x|[ab]+:d`, 3},
		{`[ab]+bc|[ab]+bd`, 2},
		{`[ab]*?:c|[ab]*:d`, 2},
		{`(a)b|(a)c`, 2},
	}
	for _, tt := range tests {
		tree, err := syntax.Parse(tt.expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		l := newLowerer(newWorkshop())
		n, got := l.lower(tree), 1
		if n.kind == nodeAlt {
			got = len(n.subs)
		}
		if got != tt.alternatives {
			t.Errorf("%s: %d alternatives, want %d", tt.expression, got, tt.alternatives)
		}
	}
}
