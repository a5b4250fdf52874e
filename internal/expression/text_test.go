package expression_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `Fields(" a \t b\n")`, want: []string{"a", "b"}},
		{expr: `Fields("")`, want: []string{}},
		{expr: `Get(list, 0)`, want: "a"},
		{expr: `Get(list, 1)`, want: "b"},
		{expr: `Get(list, 2)`, want: ""},
		{expr: `Get(list, -1)`, err: "index -1 is negative"},
		{expr: `Index("chicken", "ken")`, want: 4},
		{expr: `Index("chicken", "x")`, want: -1},
		{expr: `IndexAny("golang", "gy")`, want: 0},
		{expr: `IndexAny("golang", "xy")`, want: -1},
		{expr: `Join(list, "-")`, want: "a-b"},
		{expr: `Lower("ÀB")`, want: "àb"},
		{expr: `Upper("àb")`, want: "ÀB"},
		{expr: `Replace("aaa", "a", "b", 2)`, want: "bba"},
		{expr: `Replace("aaa", "a", "b", -1)`, want: "bbb"},
		{expr: `ReplaceAll("aaa", "a", "b")`, want: "bbb"},
		{expr: `Split("a,b,", ",")`, want: []string{"a", "b", ""}},
		{expr: `Split("", ",")`, want: []string{""}},
		{expr: `SplitAfter("a,b", ",")`, want: []string{"a,", "b"}},
		{expr: `SplitAfterN("a,b,c", ",", 2)`, want: []string{"a,", "b,c"}},
		{expr: `SplitN("a,b,c", ",", 2)`, want: []string{"a", "b,c"}},
		{expr: `Sprintf("%s-%d-%v", "a", 1, true)`, want: "a-1-true"},
		{expr: `Sprintf("%v", nil)`, want: "<nil>"},
		{expr: `Sprintf("plain")`, want: "plain"},
		{expr: `Trim("xxaxx", "x")`, want: "a"},
		{expr: `TrimLeft("xxaxx", "x")`, want: "axx"},
		{expr: `TrimRight("xxaxx", "x")`, want: "xxa"},
		{expr: `TrimPrefix("prefixed", "pre")`, want: "fixed"},
		{expr: `TrimPrefix("prefixed", "no")`, want: "prefixed"},
		{expr: `TrimSuffix("file.txt", ".txt")`, want: "file"},
		{expr: `TrimSpace(" \t a \n")`, want: "a"},
	}, variables{List: []string{"a", "b"}})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `Match("", "")`, want: true},
		{expr: `Match("", "a")`, want: false},
		{expr: `Match("*", "")`, want: true},
		{expr: `Match("**", "")`, want: true},
		{expr: `Match("?", "")`, want: false},
		{expr: `Match("?", "a")`, want: true},
		{expr: `Match("?", "é")`, want: true},
		{expr: `Match("??", "é")`, want: false},
		{expr: `Match("a*c", "abbc")`, want: true},
		{expr: `Match("a*c", "abbcd")`, want: false},
		{expr: `Match("*.example.com", "www.example.com")`, want: true},
		{expr: `Match("*.example.com", "example.com")`, want: false},
		{expr: `Match("a?c*", "abc")`, want: true},
		{expr: `Match("[ab]", "a")`, want: false},
		{expr: `Match("[ab]", "[ab]")`, want: true},
		{expr: `Match("a.c", "abc")`, want: false},
		{expr: `Match("*a*b*", "xxaxxbxx")`, want: true},
		{expr: `Match("*\n*", "a\nb")`, want: true},
		{expr: `Match("a", "A")`, want: false},
	}, variables{})
}

// likeGlob is the same pattern as a regular expression.
func likeGlob(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?s)\A` + quoted + `\z`)
}

func TestMatchIsARegularExpression(t *testing.T) {
	t.Parallel()
	lib := bare()
	program, err := lib.CompileBool("Match(text, other)", variables{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?é\n[.")), 0, 12, -1).Draw(t, "pattern")
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "é", "\n", "*", "?", "[", ".", "\xff"}), 0, 16)
		text := strings.Join(pieces.Draw(t, "text"), "")
		got, err := program.Eval(variables{Text: pattern, Other: text})
		if want := likeGlob(pattern).MatchString(text); err != nil || got != want {
			t.Fatalf("Match(%q, %q) is %v, %v, want %v", pattern, text, got, err, want)
		}
	})
}

func TestMatchDoesNotExplode(t *testing.T) {
	t.Parallel()
	pattern := strings.Repeat("*a", 50) + "b"
	got, err := eval(t, bare(), "Match(text, other)", variables{Text: pattern, Other: strings.Repeat("a", 5000)})
	if err != nil || got != false {
		t.Fatalf("yields %v, %v", got, err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a*?", "abc")
	f.Add("*é?", "éé\xff")
	f.Add("", "")
	program, err := bare().CompileBool("Match(text, other)", variables{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !validUTF8(pattern) { // the oracle cannot be built from anything else
			return
		}
		got, err := program.Eval(variables{Text: pattern, Other: text})
		if want := likeGlob(pattern).MatchString(text); err != nil || got != want {
			t.Fatalf("Match(%q, %q) is %v, %v, want %v", pattern, text, got, err, want)
		}
	})
}

// validUTF8 also leaves out U+FFFD, which a regular expression takes for any invalid byte.
func validUTF8(text string) bool {
	return strings.ToValidUTF8(text, "\uFFFD") == text && !strings.ContainsRune(text, '\uFFFD')
}
