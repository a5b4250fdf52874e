package datafile

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// firstOf returns the number of the first of exprs that matches text, -1 when none does.
func firstOf(t *testing.T, text string, exprs ...string) int {
	t.Helper()
	list := &draft{}
	for _, expr := range exprs {
		if err := list.add(expr); err != nil {
			t.Fatal(err)
		}
	}
	return list.finish().first(text)
}

func literalsIn(t *testing.T, expr string) string {
	t.Helper()
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	texts, spelling := literalsOf(tree)
	if spelling == folded {
		return "folded " + strings.Join(texts, "|")
	}
	return strings.Join(texts, "|")
}

func TestLiterals(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`Bot`:                         "Bot",
		`(?:\b)Bot(?:\b|)`:            "Bot",
		`a+bcd?`:                      "bcd|bc",
		`(ab){2,}`:                    "ab",
		`(ab){0,2}`:                   "",
		`(ab)?`:                       "",
		`x|y`:                         "x|y",
		`foo|bar`:                     "foo|bar",
		`foo|fool|`:                   "",
		`foo|.`:                       "",
		`colou?r`:                     "colour|color",
		`[Bb]ot`:                      "folded bot",
		`[a-z]ot`:                     "ot",
		`(a|b)(c|d)(e|f)(g|h)`:        "aceg|aceh|acfg|acfh|adeg|adeh|adfg|adfh|bceg|bceh|bcfg|bcfh|bdeg|bdeh|bdfg|bdfh",
		`(a|b)(c|d)(e|f)(g|h)(ij)`:    "acegij|acehij|acfgij|acfhij|adegij|adehij|adfgij|adfhij|bcegij|bcehij|bcfgij|bcfhij|bdegij|bdehij|bdfgij|bdfhij",
		`(a|b)(c|d)(e|f)(g|h)(i|j)kl`: "aceg|aceh|acfg|acfh|adeg|adeh|adfg|adfh|bceg|bceh|bcfg|bcfh|bdeg|bdeh|bdfg|bdfh",
		`(ab|c).(de|fg)`:              "de|fg",
		`(ab.)c`:                      "ab",
		`(ab.|cd)efg`:                 "efg",
		`^/wp-\d+/login\.php$`:        "/login.php",
		`(?i)crawler`:                 "folded crawler",
		`(?i)[ck]rawler`:              "folded crawler|krawler|\u212arawler",
		`(?i)bots`:                    "folded bot", // s is also U+017F
		`(?i)kiosk`:                   "folded io",  // k is also U+212A
		`(?i)é-abc`:                   "folded -abc",
		`Scan(?i:bot)`:                "folded scanbot",
		`Scanner(?i:x)`:               "folded scannerx",
		`(?i)12-34`:                   "12-34",
		`é`:                           "é",
		`a\x{FFFD}bc`:                 "bc", // any invalid byte
		`[a\x{FFFD}]`:                 "",
		`.*`:                          "",
	} {
		if got := literalsIn(t, expr); got != want {
			t.Errorf("literals of %q are %q, want %q", expr, got, want)
		}
	}
}

// What the literals rule out, the expression does not match.
func TestLiteralsNeverHideAMatch(outer *testing.T) {
	outer.Parallel()
	atom := rapid.SampledFrom([]string{
		"a", "k", "S", "bot", "é", "\\x{FFFD}", "\\x{212A}", "ſ", ".", "[a-c]", "[^a]", "\\b", "$", "(?i)", "(?i:K)", "(?s)", "\\d", "x|y", "(a.)", "(bot.|k)",
	})
	suffix := rapid.SampledFrom([]string{"", "", "", "?", "*", "+", "{2}", "{0,2}", "|"})
	piece := rapid.SampledFrom([]string{"a", "A", "k", "K", "\u212a", "s", "S", "ſ", "bot", "BOT", "é", "É", "\xff", "\ufffd", "x", "1", " "})
	rapid.Check(outer, func(t *rapid.T) {
		var expr strings.Builder
		for range rapid.IntRange(1, 6).Draw(t, "atoms") {
			group := rapid.Custom(func(t *rapid.T) string { return atom.Draw(t, "a") + atom.Draw(t, "b") })
			part := rapid.OneOf(atom, group).Draw(t, "part")
			expr.WriteString("(?:" + part + ")" + suffix.Draw(t, "suffix"))
		}
		re, err := regexp.Compile(expr.String())
		if err != nil {
			t.Skip("not an expression")
		}
		text := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "text"), "")
		if got, want := firstOf(outer, text, expr.String()) == 0, re.MatchString(text); got != want {
			t.Fatalf("%q on %q: %v, want %v", expr.String(), text, got, want)
		}
	})
}

func TestPatternsAreCompiledWhenATextMayMatch(t *testing.T) {
	t.Parallel()
	list := &draft{}
	for _, expr := range []string{`\bFooBot\b`, `^.$`, `\bBarBot\b`} {
		if err := list.add(expr); err != nil {
			t.Fatal(err)
		}
	}
	p := list.finish()
	if p.first("BarBots") >= 0 || p.first("BarBot") != 2 {
		t.Error("wrong answers")
	}
	if p.all[0].re != nil || p.all[1].re == nil || p.all[2].re == nil {
		t.Error("compiled are others than the candidates")
	}
}

func TestRequiredIsInLowerCase(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{`\b(Foo|BAR)É`: "fooÉ barÉ", `(?i)Scan`: "can", `.*`: "", `(`: ""} {
		if got := strings.Join(Required(expr), " "); got != want {
			t.Errorf("Required(%q) is %q, want %q", expr, got, want)
		}
	}
}

func FuzzLiterals(f *testing.F) {
	f.Add(`(?i)bot|(ab)+c`, "ABC")
	f.Add(`\x{FFFD}a`, "\xffa")
	f.Add(`(?i)ks`, "\u212aſ")
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil {
			return
		}
		if got, want := firstOf(t, text, expr) == 0, re.MatchString(text); got != want {
			t.Fatalf("%q on %q: %v, want %v", expr, text, got, want)
		}
	})
}
