package grok

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// hostile are expressions and subjects that make a search go in circles: exponential or of a high power without the
// memo. The subjects do not match.
func hostile() []struct {
	name, expression string
	subject          func(n int) string
} {
	of := func(piece string) func(int) string {
		return func(n int) string { return strings.Repeat(piece, n/len(piece)) }
	}
	return []struct {
		name, expression string
		subject          func(n int) string
	}{
		{"loops in loops", `^(?:(?:(a)+b?)+c?)+$`, func(n int) string { return of("a")(n) + "!" }},
		{"alternatives that overlap", `^(?:(a)|ab|b)*c`, of("ab")},
		{"optional pieces", `(?:a?b?){20}a{20}c`, of("ab")},
		{"four lazy fields", `(.*?) (.*?) (.*?) (.*?) x`, of(" ")},
		{"four greedy fields", `(.*) (.*) (.*) (.*) x`, of(" ")},
		{"fields of words", `(\w+)\s*(\w+)\s*(\w+)=`, of("a")},
		{"a run at every start", `[a-z]+\d`, of("a")},
		{"a run at every start, above ASCII", `[a-zé]+\d`, of("é")},
		{"a line at every start", `a.*b$`, of("a")},
		{"runs that overlap", `(?:[a-z]+[0-9a-z]+)*;`, of("a")},
		{"counted runs that overlap", `(?:[a-z]{1,5}[0-9a-z]{0,7})*;`, of("a")},
		{"lazy counted runs", `(?:[a-z]{1,5}?[0-9a-z]{0,7}?)*;`, of("a")},
		{"quoted strings", `"(?:[^"\\]|\\.)*"x`, of(`"\`)},
		{"texts to search for", `(?:.*?ab)*?.*?ac`, of("ab")},
		{"captures in a loop", `(?:(a)|(b)|(c))*d`, of("abc")},
		{"text that is not UTF-8", `[^x]*[^y]*[^z]*\d`, func(n int) string { return of("a")(n) + "\xff" }},
	}
}

// TestHostileSubjectsTakeLinearSteps counts steps, not time: twice the subject may take about twice the steps, and
// the steps for a byte stay in proportion to the program.
func TestHostileSubjectsTakeLinearSteps(t *testing.T) {
	t.Parallel()
	const short = 1 << 12
	for _, tt := range hostile() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newTested(t, tt.expression)
			small, large := steps(t, x, tt.subject(short)), steps(t, x, tt.subject(2*short))
			t.Logf("%d steps for %d bytes, %d for twice that", small, short, large)
			if large > 2*small+small/2 {
				t.Errorf("%d steps for %d bytes, but %d for twice that", small, short, large)
			}
			if perByte := large / (2 * short); perByte > 8*(x.matcher.program().size+stepsPerByte) {
				t.Errorf("%d steps for a byte, and the program has only %d instructions", perByte, x.matcher.program().size)
			}
		})
	}
}

func steps(t *testing.T, x *tested, subject string) int {
	t.Helper()
	p := x.matcher.program()
	x.machine.start(subject, x.matcher.slots)
	if result, _ := x.machine.search(p, &x.matcher.outlook, x.matcher.candidate(subject, 0)); result != failed {
		t.Fatalf("outcome %d", result)
	}
	if !x.machine.memo.on {
		t.Error("the memo was not needed: this is no hostile subject")
	}
	return x.machine.steps
}

func TestHostileSubjectsMatchLikeRegexp(t *testing.T) {
	t.Parallel()
	for _, tt := range hostile() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newTested(t, tt.expression)
			for _, tail := range []string{"", "c", "x", "=", "1", ";", "b c x", "\"x", "ac", "d", "a c"} {
				x.check(t, tt.subject(1<<8)+tail)
			}
		})
	}
}

// TestTheSimulationTakesOver when the machine would need too much memory, and finds the same.
func TestTheSimulationTakesOver(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("ab", 50_000)
	tests := []struct{ name, expression, subject string }{
		{"too many ways left", `x(?:(a)|(b))*(.)?c`, "xa xb x" + many + many + "bc"},
		{"too large a memo", `^(?:#` + strings.Repeat(`(?:a?b?c?)`, 1000) + `|(?:(a)|ab|b)*z|(.)+y)`, many + "cy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newTested(t, tt.expression)
			x.machine.start(tt.subject, x.matcher.slots)
			p := x.matcher.program()
			if result, _ := x.machine.search(p, &x.matcher.outlook, x.matcher.candidate(tt.subject, 0)); result != gaveUp {
				t.Fatalf("the machine did not give up: %v", result)
			}
			if !x.matcher.find(x.machine, tt.subject, 0) {
				t.Fatal("no match")
			}
			want := regexp.MustCompile(x.expression).FindStringSubmatchIndex(tt.subject)
			if got := x.machine.captures[2:]; fmt.Sprint(got) != fmt.Sprint(want[2:]) {
				t.Errorf("got %v, want %v", got, want[2:])
			}
		})
	}
}

func TestLargeProgramsAreSimulated(t *testing.T) {
	t.Parallel()
	x := newTested(t, strings.Repeat(`(?:a[bc]d?){900}`, 30)+`|(x)y`)
	if x.matcher.program() != nil {
		t.Fatalf("%d instructions", x.matcher.program().size)
	}
	x.check(t, "-xy")
	x.check(t, "abac")
}
