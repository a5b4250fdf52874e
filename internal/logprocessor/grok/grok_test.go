package grok_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/grok"
)

// small is a library that the tests can read at a glance.
const small = `# a comment, a blank line and an indented line are no definitions

  INDENTED x
NUM [0-9]+
WORD \b\w+\b
ANY .*
EITHER a|b
V4 %{NUM}\.%{NUM}
PAIR %{WORD:key}=%{WORD:value}
OTHER %{WORD:key}-%{WORD:other}
OUTER %{WORD:key}:%{PAIR}
FLAGGED (?i)x
GROUPED (?P<own>x)
`

func library(tb testing.TB, definitions string) *grok.Library {
	tb.Helper()
	l := grok.New()
	if err := l.AddFile("test", strings.NewReader(definitions)); err != nil {
		tb.Fatal(err)
	}
	return l
}

func compile(tb testing.TB, l *grok.Library, pattern string) *grok.Pattern {
	tb.Helper()
	p, err := l.Compile(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// captured is what a match says, nil when there is none.
func captured(p *grok.Pattern, subject string) map[string]string {
	values := make([]string, len(p.Fields()))
	if !p.Match(subject, values) {
		return nil
	}
	out := map[string]string{}
	for i, field := range p.Fields() {
		out[field] = values[i]
	}
	return out
}

type fields = map[string]string

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pattern, subject string
		want                   fields
	}{
		{"a field is captured", `%{NUM:n}`, "abc 123", fields{"n": "123"}},
		{"the search is not anchored and takes the leftmost", `%{NUM:n}`, "1 22", fields{"n": "1"}},
		{"the first alternative that matches wins", `(?:%{WORD:w}|%{NUM:n})`, "7", fields{"w": "7", "n": ""}},
		{"alternatives of a definition stay inside it", `x%{EITHER:e}y`, "xby", fields{"e": "b"}},
		{"alternatives stay inside without a field as well", `x%{EITHER}y%{NUM:n}`, "xby1", fields{"n": "1"}},
		{"definitions nest", `<%{V4:v}>`, "<1.22>", fields{"v": "1.22"}},
		{"fields of a definition are fields", `%{PAIR}`, "a=b", fields{"key": "a", "value": "b"}},
		{"a captured definition keeps its fields", `%{PAIR:pair}`, "a=b", fields{"pair": "a=b", "key": "a", "value": "b"}},
		{"case matters", `%{EITHER:e}`, "AB", nil},
		{"flags may change that", `(?i)%{EITHER:e}`, "xB", fields{"e": "B"}},
		{"a flag in a group ends with it", `(?i:x)%{EITHER:e}`, "XA Xb", fields{"e": "b"}},
		{"a dot is not a line end", `a%{ANY:x}`, "ab\ncd", fields{"x": "b"}},
		{"a dollar is the end of the subject", `%{WORD:w}$`, "ab\ncd", fields{"w": "cd"}},

		{"last of two wins", `%{WORD:x} %{WORD:x}`, "one two", fields{"x": "two"}},
		{"last of two wins even if it took no part", `(?:%{NUM:x}|%{EITHER:x}) end`, "1 end", fields{"x": ""}},
		{"last of two definitions wins", `(?:%{PAIR}|%{OTHER})`, "a=b", fields{"key": "", "value": "b", "other": ""}},
		{"a field of the pattern hides one inside, after", `%{WORD:key}:%{PAIR}`, "k:a=b", fields{"key": "k", "value": "b"}},
		{"a field of the pattern hides one inside, before", `%{PAIR}:%{WORD:key}`, "a=b:k", fields{"key": "k", "value": "b"}},
		{"hiding happens on every level", `<%{OUTER}>`, "<k:a=b>", fields{"key": "k", "value": "b"}},
		{"a definition captured under a name it has inside", `%{PAIR:key}`, "a=b", fields{"key": "a=b", "value": "b"}},

		{"no field, no match", `%{WORD}`, "abc", nil},
		{"named groups are not fields", `(?P<x>\d)(?<y>\d)`, "12", nil},
		{"named groups are not returned", `(?P<x>\d)%{WORD:w}`, "12", nil},
		{"named groups beside fields", `(?P<x>\d) %{WORD:w}`, "1 2", fields{"w": "2"}},
		{"a named group never becomes a field", `(?P<grok_x>\d) %{WORD:w}`, "1 2", fields{"w": "2"}},
		{"plain groups do not shift fields", `((a)|(b))+ %{WORD:w} (c)`, "ab x c", fields{"w": "x"}},
		{"an optional field that is absent", `a( %{NUM:n})?`, "a", fields{"n": ""}},
		{"the last round of a repetition counts", `(?:%{NUM:n},)+`, "1,2,3,", fields{"n": "3"}},

		{"the flags around a reference are its own", `(?s)a%{ANY:x}`, "ab\ncd", fields{"x": "b\ncd"}},
		{"flags inside a group as well", `(?i:%{EITHER:e})%{EITHER:f}`, "Ab", fields{"e": "A", "f": "b"}},
		{"flags end with their group", `(?i:%{EITHER:e})%{EITHER:f}`, "AB", nil},
		{"flags reach through definitions", `(?U)%{V4:v}`, "12.34", fields{"v": "12.3"}},
		{"flags of a definition stay inside it", `%{FLAGGED:f}%{EITHER:e}`, "Xb XB", fields{"f": "X", "e": "b"}},
		{"a reference can be repeated", `(?:%{NUM}\.){2}%{NUM:n}`, "1.2.3", fields{"n": "3"}},
		{"a definition can be used twice", `%{GROUPED:a}%{GROUPED:b}`, "xx", fields{"a": "x", "b": "x"}},

		{"a reference in a class is its letters", `[%{EITHER}]+%{NUM:n}`, "a|b)(1", fields{"n": "1"}},
		{"nor does it capture there", `[%{EITHER:e}]+%{NUM:n}`, "x a|b1", fields{"n": "1"}},
		{"a quoted reference is its letters", `\Q%{EITHER}\E%{NUM:n}`, "(a|b)1", fields{"n": "1"}},
		{"beside a reference that is one", `\Q%{EITHER}\E%{EITHER:e}%{NUM:n}`, "(a|b)b1", fields{"e": "b", "n": "1"}},

		{"three parts are no reference", `%{NUM:n:int}|%{WORD:w}`, "%{NUM:n:int}", fields{"w": ""}},
		{"brackets are no reference", `%{NUM:[a]}|%{WORD:w}`, "x", fields{"w": "x"}},

		{"a byte order mark is text", `^%{ANY:x}`, "\uFEFFa", fields{"x": "\uFEFFa"}},
		{"a dot stops at a byte that is not UTF-8", `a%{ANY:x}`, "ab\xffcd", fields{"x": "b"}},
		{"a dot cannot cross a byte that is not UTF-8", `^%{ANY:x}$`, "ab\xffcd", nil},
		{"nor can a negated class", `^([^"]*)%{EITHER:e}`, "\xffa", nil},
		{"nor a class with the replacement character", `^[^a]%{EITHER:e}`, "\xffb", nil},
		{"nor a dot that takes line ends", `(?s)^.%{EITHER:e}`, "\xffa", nil},
		{"the search goes on behind it", `%{WORD:w}$`, "\xff\xfe end", fields{"w": "end"}},
		{"a replacement character in valid text is text", `^%{ANY:x}$`, "a\uFFFDb", fields{"x": "a\uFFFDb"}},
		{"and in text that is not UTF-8 elsewhere", `^%{ANY:x}`, "a\uFFFDb\xff", fields{"x": "a\uFFFDb"}},
		{"a literal replacement character", "^\uFFFD%{EITHER:e}", "\uFFFDa\xff", fields{"e": "a"}},
		{"is not an invalid byte", "\uFFFD%{EITHER:e}", "\xffa", nil},
		{"a class made of it alone", "^[\uFFFDx]%{EITHER:e}", "\uFFFDa\xff", fields{"e": "a"}},
		{"several bytes of one cut character", `^%{WORD:w}.x`, "a\xe2\x82x", nil},
	}
	l := library(t, small)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := captured(compile(t, l, tt.pattern), tt.subject); !maps.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("%s on %q: got %v, want %v", tt.pattern, tt.subject, got, tt.want)
			}
		})
	}
}

func TestFieldsAreInTheOrderOfTheOccurrencesThatCount(t *testing.T) {
	t.Parallel()
	l := library(t, small)
	tests := []struct {
		pattern string
		want    []string
	}{
		{`x`, nil},
		{`%{NUM:b} %{NUM:a}`, []string{"b", "a"}},
		{`%{NUM:a} %{NUM:b} %{NUM:a}`, []string{"b", "a"}},
		{`%{PAIR} %{NUM:n}`, []string{"key", "value", "n"}},
		{`%{WORD:key} %{PAIR}`, []string{"key", "value"}},
		{`%{PAIR:p}`, []string{"p", "key", "value"}},
		{`%{NUM:a}(?P<mine>x)`, []string{"a"}},
	}
	for _, tt := range tests {
		if got := compile(t, l, tt.pattern).Fields(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.pattern, got, tt.want)
		}
	}
}

func TestMatchLeavesValuesAloneWhenThereIsNone(t *testing.T) {
	t.Parallel()
	p := compile(t, library(t, small), `%{NUM:n}`)
	values := []string{"kept"}
	if p.Match("none", values) || values[0] != "kept" {
		t.Errorf("got %q", values)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, definition, pattern string
		want                      fault.Kind
		mentions                  string
	}{
		{"a taken name", "NUM", `\d`, fault.Exists, "NUM"},
		{"an unknown reference", "NEW", `%{NUM} %{NOWHERE}`, fault.NotFound, "NOWHERE"},
		{"a reference to itself", "NEW", `a%{NEW}`, fault.Invalid, "NEW"},
		{"a name with a dash", "A-B", `a`, fault.Invalid, "A-B"},
		{"no name", "", `a`, fault.Invalid, ""},
		{"no pattern", "NEW", ``, fault.Invalid, "NEW"},
		{"look-around", "NEW", `(?=a)`, fault.Invalid, "NEW"},
		{"an open group", "NEW", `(a`, fault.Invalid, "NEW"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := library(t, small).Add(tt.definition, tt.pattern)
			if !fault.Is(err, tt.want) || !strings.Contains(err.Error(), tt.mentions) {
				t.Errorf("got %v (%v), want kind %v", err, fault.KindOf(err), tt.want)
			}
		})
	}
}

func TestAddKeepsTheFirstDefinition(t *testing.T) {
	t.Parallel()
	l := library(t, small)
	if err := l.Add("NUM", "x"); !fault.Is(err, fault.Exists) {
		t.Fatal(err)
	}
	if got, _ := l.Lookup("NUM"); got != "[0-9]+" {
		t.Errorf("got %q", got)
	}
	if _, ok := l.Lookup("NOWHERE"); ok {
		t.Error("found a name that nobody defined")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	l := library(t, small+"MANY (?:%{NUM}x){1000}\n")
	tests := []struct {
		pattern  string
		want     fault.Kind
		mentions string
	}{
		{`%{NOWHERE:x}`, fault.NotFound, "NOWHERE"},
		{`(%{NUM:x}`, fault.Invalid, "missing closing"},
		{`%{NUM:x}\1`, fault.Invalid, `\1`},
		{`[%{NUM:x}]`, fault.Invalid, "unexpected )"},
		{`(?:(?:%{NUM:x}{500}){500})`, fault.Invalid, "repeat"},
		{`%{MANY}{500}`, fault.TooLarge, "expands"},
	}
	for _, tt := range tests {
		_, err := l.Compile(tt.pattern)
		if !fault.Is(err, tt.want) || !strings.Contains(err.Error(), tt.mentions) {
			t.Errorf("%s: got %v (%v), want kind %v", tt.pattern, err, fault.KindOf(err), tt.want)
		}
	}
}

func TestExpansionIsBounded(t *testing.T) {
	t.Parallel()
	l := library(t, "D0 aaaaaaaaaaaaaaaa\n")
	name := "D0"
	for i := range 40 {
		next := "D" + strings.Repeat("x", i+1)
		err := l.Add(next, "%{"+name+"}%{"+name+"}")
		if fault.Is(err, fault.TooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name = next
	}
	t.Error("2^40 copies were accepted")
}

func TestPatternFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		want       fault.Kind
		where      string
	}{
		{"defined twice", "A a\n\nA b\n", fault.Exists, "line 3"},
		{"used before it is defined", "B %{A}\nA a\n", fault.NotFound, "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, read := range []func(string, *strings.Reader) error{
				func(n string, r *strings.Reader) error { return grok.New().AddFile(n, r) },
				func(n string, r *strings.Reader) error { return grok.New().OverrideFile(n, r) },
			} {
				err := read("mine", strings.NewReader(tt.file))
				if !fault.Is(err, tt.want) || !strings.Contains(err.Error(), "mine, "+tt.where) {
					t.Errorf("got %v (%v)", err, fault.KindOf(err))
				}
			}
		})
	}
}

func TestOverrideFileWinsOnce(t *testing.T) {
	t.Parallel()
	l := library(t, "A a\nB <%{A}>\n")
	if err := l.OverrideFile("mine", strings.NewReader("A x\n")); err != nil {
		t.Fatal(err)
	}
	if got := captured(compile(t, l, "%{B:b}"), "<x>"); got["b"] != "<x>" {
		t.Errorf("a definition that refers to the replaced one: got %v", got)
	}
	if err := l.OverrideFile("mine2", strings.NewReader("A y\n")); !fault.Is(err, fault.Exists) {
		t.Errorf("second override: %v", err)
	}
	if err := l.OverrideFile("mine3", strings.NewReader("C %{A}%{A}\n")); err != nil {
		t.Errorf("a new name: %v", err)
	}
}

func TestOverridingReachesThroughDefinitions(t *testing.T) {
	t.Parallel()
	l := library(t, "A a\nB <%{A}>\nC %{B}\n")
	before := compile(t, l, "%{C:c}")
	if err := l.OverrideFile("mine", strings.NewReader("A x\n")); err != nil {
		t.Fatal(err)
	}
	after := compile(t, l, "%{C:c}")
	if captured(before, "<a>") == nil || captured(before, "<x>") != nil {
		t.Error("a compiled pattern has changed")
	}
	if captured(after, "<x>") == nil || captured(after, "<a>") != nil {
		t.Error("a definition two steps away still uses the old one")
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	l := library(t, "D0 a\n")
	name := "D0"
	for i := range 2000 {
		next := "D" + strings.Repeat("x", i+1)
		err := l.Add(next, "(?:b%{"+name+"})*")
		if fault.Is(err, fault.TooLarge) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name = next
	}
	t.Error("2000 levels were accepted")
}

func TestPatternsAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	p := compile(t, library(t, small), `%{WORD:w} (%{NUM:n}|%{EITHER:e})\b`)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 200 {
				number := strconv.Itoa(100*i + n)
				want := fields{"w": "w" + number, "n": number, "e": ""}
				if got := captured(p, "- w"+number+" "+number); !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		})
	}
	group.Wait()
}

func TestOverrideFileRefusesACycle(t *testing.T) {
	t.Parallel()
	l := library(t, "A a\nB <%{A}>\n")
	err := l.OverrideFile("mine", strings.NewReader("A x%{B}\n"))
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "itself") {
		t.Errorf("got %v", err)
	}
	if got, _ := l.Lookup("A"); got != "a" {
		t.Errorf("the refused definition was kept: %q", got)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	t.Parallel()
	a := library(t, small)
	b := a.Clone()
	if err := a.Add("ONLY_A", "x"); err != nil {
		t.Fatal(err)
	}
	if err := b.Add("ONLY_B", "%{NUM}"); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Lookup("ONLY_A"); ok {
		t.Error("the clone sees an addition to the original")
	}
	if _, ok := a.Lookup("ONLY_B"); ok {
		t.Error("the original sees an addition to the clone")
	}
}

// TestExpansionAgreesWithRegexp compares patterns with their text, in which definitions were put by hand.
func TestExpansionAgreesWithRegexp(t *testing.T) {
	t.Parallel()
	l := library(t, small)
	byHand := strings.NewReplacer(
		"%{NUM", "(?P<n>[0-9]+", "%{WORD", `(?P<w>\b\w+\b`, "%{ANY", "(?P<a>.*", "%{EITHER", "(?P<e>a|b",
		":n}", ")", ":w}", ")", ":a}", ")", ":e}", ")",
	)
	references := []string{"%{NUM:n}", "%{WORD:w}", "%{ANY:a}", "%{EITHER:e}"}
	around := rapid.SampledFrom([]string{
		"", "", "x", "=", "|", "(?i)", "(?s)", "(?U)", "^", "$", " ?", "(?i:a|B)", "é+", `\.`, "(c)?",
	})
	after := rapid.SampledFrom([]string{"", "", "", "*", "+?", "?", "{2}", "{1,3}?"})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for _, reference := range rapid.Permutation(references).Draw(t, "references") {
			b.WriteString(around.Draw(t, "around") + reference + after.Draw(t, "after"))
		}
		pattern := b.String()
		p, err := l.Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		re := regexp.MustCompile(byHand.Replace(pattern))
		for range 5 {
			subject := rapid.StringOfN(rapid.RuneFrom([]rune("ab1.= é\nABc")), 0, 20, -1).Draw(t, "subject")
			if got, want := captured(p, subject), named(re, subject); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s on %q: got %v, want %v", pattern, subject, got, want)
			}
		}
	})
}

func named(re *regexp.Regexp, subject string) map[string]string {
	found := re.FindStringSubmatch(subject)
	if found == nil {
		return nil
	}
	out := map[string]string{}
	for i, name := range re.SubexpNames() {
		if name != "" {
			out[name] = found[i]
		}
	}
	return out
}

// TestNothingCapturedIsInvalid states the law of subjects that are not UTF-8: no capture holds such a byte.
func TestNothingCapturedIsInvalid(t *testing.T) {
	t.Parallel()
	p := compile(t, library(t, small), `(%{ANY:a}[^a])?%{ANY:b}(?s:.)([^x]*)`)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "\xff", "\xe2\x82", "\uFFFD", "\uFFFC", "€", "\n"})).Draw(t, "pieces")
		subject := strings.Join(pieces, "")
		for field, value := range captured(p, subject) {
			if !utf8.ValidString(value) {
				t.Fatalf("%s of %q is %q", field, subject, value)
			}
		}
	})
}

func FuzzCompileAndMatch(f *testing.F) {
	f.Add(`%{NUM:a} %{PAIR}|(?P<x>%{EITHER:e}){2}`, "1 a=b")
	f.Add(`%{ANY:a}[^\x{FFFD}]$`, "\xff\uFFFD")
	f.Add("%{NUM:n:int}%{", "%{")
	f.Add(`((?i)%{WORD:key}\b)*?%{OUTER:key}`, "k:a=b")
	l := library(f, small)
	f.Fuzz(func(t *testing.T, pattern, subject string) {
		p, err := l.Compile(pattern)
		if err != nil {
			return
		}
		values := make([]string, len(p.Fields()))
		for _, s := range []string{subject, subject + "\xff"} {
			if !p.Match(s, values) {
				continue
			}
			for _, v := range values {
				if !strings.Contains(s, v) {
					t.Fatalf("%q is not in %q", v, s)
				}
			}
		}
	})
}

func FuzzPatternFile(f *testing.F) {
	f.Add(small)
	f.Add("A %{A}\nA a")
	f.Fuzz(func(t *testing.T, file string) {
		l := grok.New()
		if err := l.AddFile("f", strings.NewReader(file)); err != nil && err.Error() == "" {
			t.Fatal("an error without a message")
		}
		if err := l.OverrideFile("g", strings.NewReader(file)); err != nil && err.Error() == "" {
			t.Fatal("an error without a message")
		}
	})
}
