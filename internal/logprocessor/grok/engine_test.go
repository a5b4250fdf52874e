package grok

import (
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSemantics is what is easily got wrong, written out. The oracle says what is right.
func TestSemantics(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, expression, subjects string }{
		{"first alternative wins", `a|ab`, "ab"},
		{"longer alternative if the first leads nowhere", `(a|ab)(c|bcd)(d*)`, "abcd"},
		{"greedy", `a(.*)b`, "axbxb"},
		{"lazy", `a(.*?)b`, "axbxb|ab|a\nb"},
		{"lazy plus", `a(.+?)b`, "abb|ab|axb"},
		{"lazy option", `(a??)(a?)`, "a"},
		{"lazy count", `(a{2,4}?)(a*)`, "aaaaa|aa|a"},
		{"greedy count", `(a{2,4})(a*)`, "aaaaa|aa|a"},
		{"exact count", `(\d{3})(\d*)`, "12|123|1234"},
		{"count of a group", `(?:(a|b)(c?)){2,3}d`, "acbcd|abd|abcad|ad"},
		{"unbounded count of a group", `((a)|b){2,}?c`, "abac|ac|bbc"},
		{"zero times", `(a){0}b`, "ab"},
		{"at most as often as a run is long", `(a{0,2})(a{1,2})`, "aaaa|aaa|aa|a"},

		{"captures of the last round", `(?:(a)|(b))+`, "ab|ba|aab"},
		{"an optional capture that is given back", `(?:(a)b)?(a)c`, "ac|abac"},
		{"an alternative that fails late leaves nothing", `(?:(a)(b)x|(a)by)`, "aby|abx"},
		{"empty alternatives", `(|a)(b|)|c`, "ab|b|c|"},
		{"an empty alternative last", `x(a|)y`, "xy|xay"},
		{"nested options", `(a(b(c)?)?)?d`, "abcd|abd|ad|d"},
		{"a run at the end of a loop gives back", `(((aa))*aa*a*)*a`, "aa|aaa|a"},
		{"a lazy run at the end of a loop goes on", `(?:ba*?)+c`, "baac|bab"},
		{"a lazy loop of a group", `(?:(a)|(b))*?c`, "abac|c"},

		{"rounds without progress", `(a*)*`, "aab|b|"},
		{"rounds without progress, at least one", `(a*)+`, "aab|b|"},
		{"rounds of alternatives without progress", `(a|b*)*c`, "abbac|c"},
		{"rounds that may be empty first", `(|a)+`, "aaa|"},
		{"rounds that may be empty first, any number", `(?:|(a))*b`, "aab|b"},
		{"lazy rounds without progress", `(a*?)*?b`, "aab"},
		{"rounds of assertions", `(\b)*a`, "a| a"},

		{"start and end", `^(a*)$`, "aaa|aab|b|"},
		{"start that is not first", `(?:x|^)a`, "a|ba|bxa"},
		{"start in an alternative", `(^a|b)c`, "ac|xac|xbc"},
		{"impossible start", `a^b`, "ab"},
		{"lines", `(?m)^(\w*)$`, "a b\ncd\n|\n|x"},
		{"end of text and of line", `(?m)a$\n?\z`, "a\n|a\na"},
		{"word boundaries", `\b(\w+)\b`, "  foo bar|é| |foo"},
		{"no word boundaries", `\B(\w)`, "abc|a|é"},
		{"an assertion inside a rune", `\B$`, "é|aé|a"},
		{"between runes only", `\B`, "aéb|ab"},
		{"between runes only, after a run", `(.*)\B`, "é1|é"},
		{"between runes only, after a lazy run", `a(.*?)\B`, "aé1|aé"},
		{"boundary after a run that may be empty", `(\w*)\b(.)`, " a|a b|.."},
		{"boundary after spaces", `(\s+)\b(.)`, "  a|  .| "},
		{"boundary after mixed runs", `([\w.]+)\b(.)`, "a.b. |..a"},

		{"case does not matter", `(?i)straße kelvin s`, "STRAßE KELVIN S|strasse kelvin s|straße \u212Aelvin \u017F"},
		{"case in a class", `(?i)[k-m]+`, "KLM\u212A"},
		{"case ends with its group", `(?i:a)b`, "Ab|AB"},
		{"dot and line ends", `a(?s:.)b.c`, "a\nb\nc|a\nbxc"},
		{"ungreedy mode", `(?U)a(.*)b(.*?)$`, "axbxb"},

		{"Unicode classes", `(\p{Greek}+)(\PL*)`, "abc αβγ 12|αβ\xff1"},
		{"negated classes", `[^a-c\d]+`, "abcdef|123é€"},
		{"classes of few runes above ASCII", `[é€]+[^é]`, "aé€x|é€|é\xe2\x82"},
		{"whole planes", `[\x{80}-\x{10FFFF}]+`, "aé€\U00010000b"},
		{"runes are counted, not bytes", `(.{2})(.?)`, "é€x|€|é\xff€"},
		{"bytes that are not text", `a(.*)`, "a\xffb|ab\xff|\xffab|a\xe2\x82"},
		{"runs stop at bytes that are not text", `([^"]*)"?`, "ab\xff\"|\xff"},
		{"the replacement character is text", `(.)\x{FFFD}?`, "\uFFFD\uFFFD|\uFFFD\xff"},
		{"zero bytes", `\x00(.+)`, "a\x00b\x00"},

		{"a common beginning is tried in order", `(?:a+bc|a+bd|a+)x`, "aabdx|aax|aabcx"},
		{"a beginning that can be taken in several ways is not common", `(?:a*ab|a*ac)x`, "aaacx|aaabx"},
		{"more alternatives than a choice has room for", `(?:a1|b2|c3|d4|e5|f6|g7|h8|i9|ja|kb|lc|md|ne|of|pg|qh|ri|sj|tk)+`, "tkqh|pgof|a1tkpg|xx"},
		{"a text that must follow", `(.*?) (.*?) HTTP/`, "GET / HTTP/1|GET / HTTP|a b c HTTP/"},
		{"a text that must follow overlaps", `(a*?)aab`, "aaaab"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newTested(t, tt.expression)
			for subject := range strings.SplitSeq(tt.subjects, "|") {
				x.check(t, subject)
			}
		})
	}
}

// expressions generates expressions over few characters, so that random subjects have a chance to match them.
func expressions() *rapid.Generator[string] {
	atoms := rapid.SampledFrom([]string{
		"a", "b", "ab", "é", " ", ".", "[ab]", "[^a]", "[^\\n]", "\\w", "\\d", "\\s", "[aé]", "\\PL", "(?i:aB)", "(?s:.)",
		"^", "$", "\\b", "\\B", "(?m:^)", "(?m:$)", "(?:)", "\\x{FFFD}", "\\n", "(?i:K)", "1",
	})
	quantifiers := rapid.SampledFrom([]string{
		"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{1,3}?", "{0,1}",
	})
	var expression func(depth int) *rapid.Generator[string]
	expression = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			for range rapid.IntRange(1, 4).Draw(t, "pieces") {
				switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
				case depth == 0 || kind < 6:
					b.WriteString(atoms.Draw(t, "atom"))
				case kind < 8:
					b.WriteString("(" + expression(depth-1).Draw(t, "group") + ")")
				default:
					b.WriteString("(?:" + expression(depth-1).Draw(t, "left") + "|" + expression(depth-1).Draw(t, "right") + ")")
				}
				b.WriteString(quantifiers.Draw(t, "quantifier"))
			}
			return b.String()
		})
	}
	return expression(3).Filter(func(expression string) bool {
		_, err := syntax.Parse("("+expression+")", syntax.Perl)
		return err == nil // repetitions of repetitions may be too many
	})
}

func subjects() *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"a", "a", "b", "ab", "A", " ", "1", "é", "K", "\u212A", "\n", "\xff", "\xe2\x82", "\uFFFD", ".",
	})
	return rapid.Map(rapid.SliceOfN(pieces, 0, 12), func(s []string) string { return strings.Join(s, "") })
}

func TestEnginesAgreeWithRegexp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 3 {
			x := newTested(rapidTB{t: t}, expressions().Draw(t, "expression"))
			for range 4 {
				x.check(t, subjects().Draw(t, "subject"))
			}
		}
	})
}

// rapidTB lets helpers for testing.TB fail a property.
type rapidTB struct {
	testing.TB
	t *rapid.T
}

func (r rapidTB) Helper() {}

func (r rapidTB) Fatal(args ...any) { r.t.Fatal(args...) }

func FuzzMatch(f *testing.F) {
	f.Add(`(a|ab)(c|bcd)*?(d*)`, "abcd")
	f.Add(`(?i)\bfrom (\S+) port (\d+)$`, "FROM 1.2.3.4 port 22")
	f.Add(`((?:[0-9a-f]{1,4}:){3}|(?:[0-9a-f]{1,4}:){2})x*?`, "12:ab:c:xx")
	f.Add(`[^\x{FFFD}]*.(\p{Greek}|\b|)+`, "\uFFFDa\xffé")
	f.Add(`^(?:(a+)+|[b-d]{2,5}?)$`, "aaaaaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, expression, subject string) {
		whole := "(" + expression + ")"
		if len(expression) > 200 || len(subject) > 500 || !canCompare(expression, subject) || !canCompare(whole, subject) {
			return
		}
		newTested(t, expression).check(t, subject)
	})
}
