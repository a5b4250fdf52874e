package grok

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// lowered returns the node of an expression.
func lowered(tb reporter, expression string) *node {
	tb.Helper()
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		tb.Errorf("%v", err)
	}
	return newLowerer(newWorkshop()).lower(tree)
}

// before is an ahead of some bytes.
func before(text string, end bool) ahead {
	a := ahead{end: end}
	for i := range len(text) {
		a.bytes.add(text[i])
	}
	return a
}

func TestAutomatonEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expression, follow string
		end                bool
		subject            string
		from, want         int
	}{
		{`a|ab`, "c", false, "abc", 0, 2},
		{`a|ab`, "bc", false, "abc", 0, uncertain},
		{`a|ab`, "c", false, "abd", 0, nowhere},
		{`a|ab`, "c", false, "ab", 0, nowhere},
		{`a|ab`, "c", true, "ab", 0, 2},
		{`a|ab`, "b", true, "ab", 0, uncertain},
		{`(?:ab)*`, "x", false, "ababx", 2, 4},
		{`(?:ab)*`, "x", false, "xx", 1, 1},
		{`\b\w+\b`, " ", false, "one two", 0, 3},
		{`\b\w+\b`, " ", false, "one two", 1, nowhere},
		{`\b\w+\b`, "", true, "one two", 4, 7},
		{`\w+\b`, "oe", false, "one", 0, nowhere},
		{`x?\B`, "x", false, "axx", 1, uncertain},
		{`x?\B`, "y", false, "axy", 1, 2},
		{`x{2,4}?`, "y", false, "xxxxxy", 0, nowhere},
		{`x{2,4}?`, "y", false, "xxxxxy", 1, 5},
		{`(?:ab|[ab]b)c`, "x", false, "abx", 0, nowhere},
		{`(?:ab|[ab]b)c`, "x", false, "abcx", 0, 3},
	}
	for _, tt := range tests {
		n := lowered(t, tt.expression)
		a := newAutomaton(newWays(n), before(tt.follow, tt.end))
		if got, _ := a.ends(tt.subject, tt.from); got != tt.want {
			t.Errorf("%s before %q in %q from %d: got %d, want %d", tt.expression, tt.follow, tt.subject, tt.from, got, tt.want)
		}
	}
}

// TestAutomatonEndsWhereRegexpDoes: what an automaton says is true of every end that an expression can have.
func TestAutomatonEndsWhereRegexpDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			checkEnds(t, fitExpressions(3).Draw(t, "expression"))
		}
	})
}

// checkEnds tries all beginnings in a random subject.
func checkEnds(t *rapid.T, expression string) {
	subject := rapid.StringOfN(rapid.SampledFrom([]rune("aaabb1 .")), 0, 8, -1).Draw(t, "subject")
	follow := rapid.StringOfN(rapid.SampledFrom([]rune("ab1 .")), 1, 3, -1).Draw(t, "follow")
	a := newAutomaton(newWays(lowered(t, expression)), before(follow, true))
	for from := range len(subject) + 1 {
		var ends []int
		for end := from; end <= len(subject); end++ {
			if (end == len(subject) || strings.IndexByte(follow, subject[end]) >= 0) && spans(expression, subject, from, end) {
				ends = append(ends, end)
			}
		}
		got, _ := a.ends(subject, from)
		switch {
		case len(ends) == 0 && got != nowhere, len(ends) == 1 && got != ends[0], len(ends) > 1 && got != uncertain:
			t.Fatalf("%s on %q from %d before %q: got %d, want %v", expression, subject, from, follow, got, ends)
		}
	}
}

// fitExpressions generates expressions that have automata.
func fitExpressions(depth int) *rapid.Generator[string] {
	atoms := rapid.SampledFrom([]string{"a", "b", "ab", "1", "[ab]", "[a1]", "\\w", "\\d+", "[b.]*", "[ab]{1,2}", "\\b", "\\B", " ?"})
	if depth == 0 {
		return atoms
	}
	inner := fitExpressions(depth - 1)
	return rapid.OneOf(atoms, rapid.Custom(func(t *rapid.T) string {
		return inner.Draw(t, "left") + inner.Draw(t, "right")
	}), rapid.Custom(func(t *rapid.T) string {
		quantifier := rapid.SampledFrom([]string{"", "", "?", "*", "+?", "{2}", "{1,3}"}).Draw(t, "quantifier")
		return "(?:" + inner.Draw(t, "either") + "|" + inner.Draw(t, "or") + ")" + quantifier
	}))
}

// spans reports whether an expression matches exactly what is between two places.
func spans(expression, subject string, from, end int) bool {
	before, behind := regexp.QuoteMeta(subject[:from]), regexp.QuoteMeta(subject[end:])
	return regexp.MustCompile(`\A` + before + `(?:` + expression + `)` + behind + `\z`).MatchString(subject)
}

// TestAutomatonOfManyStates: there is an end to the states, and the machine does the rest.
func TestAutomatonOfManyStates(t *testing.T) {
	t.Parallel()
	x := newTested(t, `((?:a|bc?)*a(?:a|bc?){9})d`)
	for number := range 1 << 10 {
		var text strings.Builder
		for bit := range 10 {
			text.WriteByte("ab"[number>>bit&1])
		}
		x.matcher.program().start.automaton().ends(text.String(), 0)
		if number%61 == 0 {
			x.check(t, text.String()+"d")
		}
	}
	if n := len(x.matcher.program().start.automaton().states); n != maxStates {
		t.Errorf("%d states: this expression was to have more than there is room for", n)
	}
}

// automaton returns the first one from in on.
func (in *instruction) automaton() *automaton {
	for in.ends == nil {
		in = in.next
	}
	return in.ends
}

func TestAutomatonIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	p, err := embedded(t).Compile(`%{NGINXACCESS}`)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, len(p.fields))
	if !p.Match(nginxLine, want) {
		t.Fatal("no match")
	}
	fresh, err := embedded(t).Compile(`%{NGINXACCESS}`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got := make([]string, len(p.fields))
			if !fresh.Match(nginxLine, got) || !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
}

// TestPatternsShareAutomata: those that ask for the same, before the same, have it in common.
func TestPatternsShareAutomata(t *testing.T) {
	t.Parallel()
	l := embedded(t)
	for _, pattern := range []string{`from %{IP:a} port`, `by %{IP:b} port`} {
		p, err := l.Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		p.build()
		p.matcher.program()
	}
	if n := len(l.workshop.ends); n != 1 {
		t.Errorf("%d automata for one expression", n)
	}
}
