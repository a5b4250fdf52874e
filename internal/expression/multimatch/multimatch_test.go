package multimatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/expression/multimatch"
)

// lower is what ignoring case means: A to Z are a to z, other bytes are themselves.
func lower(text string) string {
	bytes := []byte(text)
	for i, b := range bytes {
		if 'A' <= b && b <= 'Z' {
			bytes[i] = b + 'a' - 'A'
		}
	}
	return string(bytes)
}

// those returns the literals that relate to text, without short cuts.
func those(literals []string, fold bool, text string, relates func(text, literal string) bool) []int {
	var indexes []int
	for i, literal := range literals {
		if relates(text, literal) || fold && relates(lower(text), lower(literal)) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func each(set *multimatch.Set, text string) []int {
	var found []int
	set.Each(text, func(i int) bool {
		found = append(found, i)
		return true
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// everyPlace returns what EachPlace finds, sorted.
func everyPlace(set *multimatch.Set, text string) [][2]int {
	var found [][2]int
	set.EachPlace(text, func(i, at int) bool {
		found = append(found, [2]int{i, at})
		return true
	})
	slices.SortFunc(found, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return found
}

// places is what EachPlace is to find.
func places(literals []string, fold bool, text string) [][2]int {
	var found [][2]int
	for at := range len(text) + 1 {
		for _, i := range those(literals, fold, text[at:], strings.HasPrefix) {
			if literals[i] != "" || at == 0 {
				found = append(found, [2]int{i, at})
			}
		}
	}
	slices.SortFunc(found, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	return found
}

// agree tells how the answers about text differ from those of package strings, "" when they do not.
func agree(literals []string, fold bool, text string) string {
	set := multimatch.New(literals, fold)
	want := those(literals, fold, text, strings.Contains)
	if got := each(set, text); !slices.Equal(got, want) {
		return fmt.Sprintf("Each finds %v, want %v", got, want)
	}
	if got, want := everyPlace(set, text), places(literals, fold, text); !slices.Equal(got, want) {
		return fmt.Sprintf("EachPlace finds %v, want %v", got, want)
	}
	if got := set.Any(text); got != (len(want) > 0) {
		return fmt.Sprintf("Any is %v, but %v occur", got, want)
	}
	want = those(literals, fold, text, strings.HasPrefix)
	if got := multimatch.NewPrefixes(literals, fold).Any(text); got != (len(want) > 0) {
		return fmt.Sprintf("Any of the prefixes is %v, but text begins with %v", got, want)
	}
	want = those(literals, fold, text, strings.HasSuffix)
	if got := multimatch.NewSuffixes(literals, fold).Any(text); got != (len(want) > 0) {
		return fmt.Sprintf("Any of the suffixes is %v, but text ends with %v", got, want)
	}
	want = those(literals, fold, text, func(text, literal string) bool { return text == literal })
	if got := multimatch.NewWhole(literals, fold).Any(text); got != (len(want) > 0) {
		return fmt.Sprintf("Any of the whole texts is %v, but text is %v", got, want)
	}
	return ""
}

func TestSet(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		literals []string
		fold     bool
		text     string
		want     []int
	}{
		{},
		{text: "abc"},
		{literals: []string{""}, want: []int{0}},
		{literals: []string{"a", "", "b", ""}, text: "b", want: []int{1, 2, 3}},
		{literals: []string{"abc", "abc", "abcd"}, text: "xabcx", want: []int{0, 1}},
		{literals: []string{"a", "aa", "aaa", "aaaa", "aaaaa"}, text: "aaaa", want: []int{0, 1, 2, 3}},
		{literals: []string{"he", "she", "his", "hers"}, text: "ushers", want: []int{0, 1, 3}},
		{literals: []string{"GoBot", "nikto"}, text: "gobot NIKTO"},
		{literals: []string{"GoBot", "nikto"}, text: "gobot NIKTO", fold: true, want: []int{0, 1}},
		{literals: []string{"@[`{", "`{@["}, text: "@[@[`{`{", fold: true, want: []int{0}},
		{literals: []string{"É"}, text: "é", fold: true},
		{literals: []string{"\xff\x00", "\x00\xff"}, text: "a\x00\xff", want: []int{1}},
		{literals: []string{strings.Repeat("long", 100)}, text: strings.Repeat("long", 101), want: []int{0}},
		{literals: []string{strings.Repeat("long", 100)}, text: strings.Repeat("long", 99)},
	} {
		if got := each(multimatch.New(test.literals, test.fold), test.text); !slices.Equal(got, test.want) {
			t.Errorf("%q in %q: got %v, want %v", test.literals, test.text, got, test.want)
		}
		if difference := agree(test.literals, test.fold, test.text); difference != "" {
			t.Errorf("%q in %q: %s", test.literals, test.text, difference)
		}
	}
}

func TestEachStops(t *testing.T) {
	t.Parallel()
	for _, literals := range [][]string{{"", ""}, {"a", "b"}, {"bca", "abc"}, {"", "a", "abc"}} {
		calls := 0
		multimatch.New(literals, false).Each("abcabc", func(int) bool {
			calls++
			return false
		})
		if calls != 1 {
			t.Errorf("%q: found was called %d times", literals, calls)
		}
	}
}

func TestSearchingAllocatesNothing(t *testing.T) {
	literals := []string{"a", "GoBot", "zgrab", "/admin/login"}
	for _, fold := range []bool{false, true} {
		set := multimatch.New(literals, fold)
		prefixes, suffixes := multimatch.NewPrefixes(literals, fold), multimatch.NewSuffixes(literals, fold)
		found := 0
		allocations := testing.AllocsPerRun(100, func() {
			set.Each("GET /ADMIN/login GoBot/2.0 zgrab", func(int) bool {
				found++
				return true
			})
			_ = set.Any("GoBot") || prefixes.Any("GoBot") || suffixes.Any("GoBot")
		})
		if allocations != 0 || found == 0 {
			t.Errorf("fold %v: %v allocations, %d found", fold, allocations, found)
		}
	}
}

// The answers are those of package strings, for literals and texts that have a lot in common.
func TestAgreesWithStrings(t *testing.T) {
	t.Parallel()
	narrow := rapid.StringOfN(rapid.SampledFrom([]rune("abAB/")), 0, 12, -1)
	wide := rapid.SampledFrom([]string{
		"/admin", "admin", "ADMIN/", ".php", "shell", "Shell.php", "é", "É", "\xff", "\u212a", "ſ", "@", "`", "[", "{", " ", "bot", "Bot/", "1", "%2e",
	})
	rapid.Check(t, func(t *rapid.T) {
		shortest := rapid.IntRange(0, 6).Draw(t, "shortest")
		pieces := rapid.OneOf(narrow, rapid.Map(rapid.SliceOfN(wide, 0, 4), func(parts []string) string { return strings.Join(parts, "") }))
		literal := pieces.Filter(func(text string) bool { return len(text) >= shortest })
		literals := rapid.SliceOfN(literal, 0, 40).Draw(t, "literals")
		parts := rapid.SliceOfN(pieces, 0, 6).Draw(t, "parts")
		if len(literals) > 0 {
			for range rapid.IntRange(0, 2).Draw(t, "planted") {
				parts = append(parts, rapid.SampledFrom(literals).Draw(t, "planted"), pieces.Draw(t, "behind"))
			}
		}
		text := strings.Join(parts, "")
		if len(literals) > 0 && rapid.Bool().Draw(t, "whole") {
			text = rapid.SampledFrom(literals).Draw(t, "text")
		}
		fold := rapid.Bool().Draw(t, "fold")
		if fold && rapid.Bool().Draw(t, "upper") {
			text = strings.ToUpper(text)
		}
		if difference := agree(literals, fold, text); difference != "" {
			t.Fatalf("%q in %q (fold %v): %s", literals, text, fold, difference)
		}
	})
}

// Thousands of literals take fewer windows each, and shorter steps; what is found stays the same.
func TestManyLiterals(t *testing.T) {
	t.Parallel()
	const count = 70_000
	literals := make([]string, count)
	for i := range literals {
		literals[i] = fmt.Sprintf("/plugin-%d/", i*7919)
	}
	set := multimatch.New(literals, false)
	for i := 0; i < count; i += 997 {
		if got := each(set, "GET "+literals[i]+"index.php"); !slices.Equal(got, []int{i}) {
			t.Fatalf("%s: got %v, want %d", literals[i], got, i)
		}
	}
	if set.Any("GET /plugin-x/index.php") {
		t.Error("something is found where nothing is")
	}
}

func FuzzSet(f *testing.F) {
	f.Add("he\nshe\nhis\nhers", "uSHers", true)
	f.Add("\n../\n..\\", "/a/..\\b", false)
	f.Add("/etc/passwd\n%2e%2e%2f\n<a", "/?x=%2e%2e%2fetc/passw", false)
	f.Fuzz(func(t *testing.T, lines, text string, fold bool) {
		literals := strings.Split(lines, "\n")
		if difference := agree(literals, fold, text); difference != "" {
			t.Fatalf("%q in %q (fold %v): %s", literals, text, fold, difference)
		}
	})
}
