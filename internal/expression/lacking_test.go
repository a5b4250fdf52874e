package expression_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestIsFalseWithout(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for text, want := range map[string]bool{
		`labels.a == 'x'`:                                        true,
		`labels.a in ['x', 'y'] && other == 'z'`:                 true,
		`other == 'z' && Lower(labels.a) contains 'x'`:           true,
		`labels.a startsWith 'xx' || labels.b == 'yy'`:           true,
		`let x = labels.a; x == 'x'`:                             true,
		`labels.a matches '^(?i)x+y'`:                            true,
		`labels.a == ''`:                                         false,
		`labels.a in ['x', '']`:                                  false,
		`labels.a != 'x'`:                                        false,
		`labels.a == 'x' || other == 'z'`:                        false,
		`other == 'z'`:                                           false,
		`thing.Name == 'x'`:                                      false,
		`labels.a matches 'x*'`:                                  false,
		`any(File('missing.txt'), {labels.a contains #})`:        false,
		`thing.Burst() && labels.a == 'x'`:                       false, // the panic comes first
		`labels.a == 'x' && thing.Burst()`:                       true,
		`len(labels.a) > 3`:                                      false, // it is, but nobody looks that closely
		`(labels.a == 'x' ? true : false) && labels.b == 'y'`:    true,
		`labels.b == 'y' && labels.a == other`:                   true,
		`any(['xx', 'yy'], {labels.a contains #}) && text == ''`: true,
	} {
		filter, err := p.fast.CompileBool(text, variables{})
		if err != nil {
			t.Fatal(err)
		}
		empty := func(member string) bool { return member == "labels.a" || member == "labels.b" }
		if got := filter.IsFalseWithout(empty); got != want {
			t.Errorf("%s: got %v", text, got)
		}
		if filter.IsFalseWithout(func(string) bool { return false }) {
			t.Errorf("%s is said to be false whatever is empty", text)
		}
	}
}

// TestWhatIsFalseWithoutTextsIsFalse: where it is said that an expression is, the machine says so.
func TestWhatIsFalseWithoutTextsIsFalse(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	filters := rapid.OneOf(routedFilter(), flagExpression(2))
	said := 0
	rapid.Check(t, func(t *rapid.T) {
		text := filters.Draw(t, "filter")
		slow, err := p.slow.CompileBool(text, variables{})
		if err != nil {
			return
		}
		fast := compileFilters(t, p.fast, []string{text})[0]
		lacking := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"labels.a", "labels.b", "text", "other"}), rapid.ID[string]).Draw(t, "lacking")
		if !fast.IsFalseWithout(func(member string) bool { return slices.Contains(lacking, member) }) {
			return
		}
		said++
		vars := drawVariables(t)()
		takeAway(vars, lacking)
		before := *vars.Thing
		if is, err := slow.Eval(vars); is || err != nil || *vars.Thing != before {
			t.Fatalf("%s without %v: got %v, %v, %v", text, lacking, is, err, vars.Thing)
		}
	})
	if said == 0 {
		t.Error("it was never said")
	}
}

func takeAway(vars *variables, members []string) {
	for _, member := range members {
		switch member {
		case "text":
			vars.Text = ""
		case "other":
			vars.Other = ""
		case "labels.a":
			vars.Labels["a"] = ""
		case "labels.b":
			delete(vars.Labels, "b")
		}
	}
}
