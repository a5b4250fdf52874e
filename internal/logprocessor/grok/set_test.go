package grok

import (
	"slices"
	"strings"
	"testing"
)

// setOf compiles patterns without a field of their own as if each captured all it matches.
func setOf(tb testing.TB, l *Library, patterns ...string) (*Set, []*Pattern) {
	tb.Helper()
	var compiled []*Pattern
	for _, pattern := range patterns {
		p, err := l.Compile(pattern)
		if err != nil {
			tb.Fatal(err)
		}
		compiled = append(compiled, p)
	}
	return NewSet(compiled), compiled
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	set, _ := setOf(t, embedded(t),
		`Failed password for %{WORD:user}`, `for %{WORD:user}`, `%{INT:number}`, `Failed password for %{INT:user}`, `^port (?:%{INT:a}|x)$`)
	tests := []struct {
		subject string
		want    Candidates
	}{
		{"", 0b00100},
		{"Failed password for root", 0b01111},
		{"session for root", 0b00110},
		{"report 22", 0b10100}, // contains the text: more is for Match to say
	}
	for _, tt := range tests {
		if got := set.Candidates(tt.subject); got != tt.want {
			t.Errorf("%q: %05b, want %05b", tt.subject, got, tt.want)
		}
	}
}

// TestNoCandidateIsMissed compares with what the patterns themselves say: many more than a set tells apart.
func TestNoCandidateIsMissed(t *testing.T) {
	t.Parallel()
	l := embedded(t)
	var patterns []string
	for name := range l.definitions {
		patterns = append(patterns, "%{"+name+":all_of_it}")
	}
	for len(patterns) > 0 {
		const some = maxSet + 6
		chunk := patterns[:min(some, len(patterns))]
		patterns = patterns[len(chunk):]
		set, compiled := setOf(t, l, chunk...)
		for _, line := range lines() {
			candidates := set.Candidates(line)
			for i, p := range compiled {
				if !candidates.Has(i) && p.Match(line, make([]string, 1)) {
					t.Errorf("%s matches %q and was no candidate", chunk[i], line)
				}
			}
		}
	}
}

func TestPlainPatternsAreAlwaysCandidates(t *testing.T) {
	t.Parallel()
	l := embedded(t)
	l.Plain()
	set, _ := setOf(t, l, `Failed %{WORD:user}`)
	if !set.Candidates("").Has(0) {
		t.Error("a plain pattern takes no shortcut")
	}
}

func TestAnEmptySetHasNoCandidates(t *testing.T) {
	t.Parallel()
	if got := NewSet(nil).Candidates("x"); got != 0 {
		t.Errorf("%b", got)
	}
}

func TestLookingForCandidatesAllocatesNothing(t *testing.T) {
	set, _ := setOf(t, embedded(t), `Failed password for %{WORD:user}`, `Invalid user %{WORD:user}`)
	set.Candidates("")
	if n := testing.AllocsPerRun(100, func() { set.Candidates(sshdMessage) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkSiblings compares asking patterns of one program one after the other with asking a set of them.
func BenchmarkSiblings(b *testing.B) {
	l := embedded(b)
	var patterns []string
	for name := range l.definitions {
		if strings.HasPrefix(name, "SSHD_") {
			patterns = append(patterns, "%{"+name+"}")
		}
	}
	_, compiled := setOf(b, l, patterns...)
	compiled = slices.DeleteFunc(compiled, func(p *Pattern) bool { return p.neededText() == "" }) // parts of the others
	set := NewSet(compiled)
	const subject = "session opened for user root by (uid=0)"
	values := make([]string, 1<<4)
	b.Run("search=each", func(b *testing.B) {
		for b.Loop() {
			for _, p := range compiled {
				p.Match(subject, values)
			}
		}
	})
	b.Run("search=set", func(b *testing.B) {
		for b.Loop() {
			candidates := set.Candidates(subject)
			for i, p := range compiled {
				if candidates.Has(i) {
					p.Match(subject, values)
				}
			}
		}
	})
}
