package datafile

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRequiredLiteral(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`Bot`:                  "bot",
		`(?:\b)Bot(?:\b|)`:     "bot",
		`a+bcd?`:               "bc",
		`(ab){2,}`:             "ab",
		`(ab){0,2}`:            "",
		`(ab)?`:                "",
		`x|y`:                  "", // a class
		`foo|bar`:              "",
		`^/wp-\d+/login\.php$`: "/login.php",
		`(?i)crawler`:          "crawler",
		`(?i)bots`:             "bot", // s is also U+017F
		`(?i)kiosk`:            "io",  // k is also U+212A
		`(?i)é-abc`:            "-abc",
		`é`:                    "é",
		`a\x{FFFD}bc`:          "bc", // any invalid byte
		`.*`:                   "",
		`(`:                    "",
	} {
		if got := requiredLiteral(expr); got != want {
			t.Errorf("requiredLiteral(%q) is %q, want %q", expr, got, want)
		}
	}
}

// What the literal rules out, the expression does not match.
func TestLiteralNeverHidesAMatch(t *testing.T) {
	t.Parallel()
	atom := rapid.SampledFrom([]string{
		"a", "k", "S", "bot", "é", "\\x{FFFD}", "\\x{212A}", "ſ", ".", "[a-c]", "[^a]", "\\b", "$", "(?i)", "(?i:K)", "(?s)", "\\d", "x|y",
	})
	suffix := rapid.SampledFrom([]string{"", "", "", "?", "*", "+", "{2}", "{0,2}", "|"})
	piece := rapid.SampledFrom([]string{"a", "A", "k", "K", "\u212a", "s", "S", "ſ", "bot", "BOT", "é", "É", "\xff", "\ufffd", "x", "1", " "})
	rapid.Check(t, func(t *rapid.T) {
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
		p := pattern{literal: requiredLiteral(expr.String()), re: re}
		text := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "text"), "")
		if got, want := p.match(text, lowerASCII(text)), re.MatchString(text); got != want {
			t.Fatalf("%q with literal %q on %q: %v, want %v", expr.String(), p.literal, text, got, want)
		}
	})
}

func FuzzRequiredLiteral(f *testing.F) {
	f.Add(`(?i)bot|(ab)+c`, "ABC")
	f.Add(`\x{FFFD}a`, "\xffa")
	f.Add(`(?i)ks`, "\u212aſ")
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil {
			return
		}
		p := pattern{literal: requiredLiteral(expr), re: re}
		if got, want := p.match(text, lowerASCII(text)), re.MatchString(text); got != want {
			t.Fatalf("%q with literal %q on %q: %v, want %v", expr, p.literal, text, got, want)
		}
	})
}
