package main

import (
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   string
	}{
		{nil, "not measured"},
		{[]float64{7}, "7.00 MB"},
		{[]float64{30, 10, 20}, "20.0 MB (10.0–30.0)"},
		{[]float64{1234567, 1000, 3000, 2000}, "2,500 MB (1,000–1,234,567)"},
		{[]float64{0, 0}, "0.00 MB"},
	} {
		if got := median("MB", test.values).String(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.values, got, test.want)
		}
	}
}

func TestMedianLeavesTheOrderOfRuns(t *testing.T) {
	t.Parallel()
	runs := []float64{3, 1, 2}
	median("", runs)
	if runs[0] != 3 {
		t.Errorf("got %v", runs)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	rival := single("", 100)
	for name, test := range map[string]struct {
		row  row
		want string
	}{
		"ratio met":            {row{Ours: single("", 400), Theirs: &rival, Target: &target{Limit: 4, Ratio: true}}, "yes"},
		"ratio missed":         {row{Ours: single("", 399), Theirs: &rival, Target: &target{Limit: 4, Ratio: true}}, "no"},
		"no rival to compare":  {row{Ours: single("", 400), Target: &target{Limit: 4, Ratio: true}}, ""},
		"no target":            {row{Ours: single("", 400), Theirs: &rival}, ""},
		"small enough":         {row{Ours: single("", 80), Target: &target{Limit: 80, AtMost: true}}, "yes"},
		"too large":            {row{Ours: single("", 81), Target: &target{Limit: 80, AtMost: true}}, "no"},
		"figure, not ratio":    {row{Ours: single("", 50), Theirs: &rival, Target: &target{Limit: 80, AtMost: true}}, "yes"},
		"nothing is the best":  {row{Ours: single("allocations", 0), Target: &target{Limit: 2, AtMost: true}}, "yes"},
		"nothing was measured": {row{Ours: median("", nil), Target: &target{Limit: 2, AtMost: true}}, ""},
	} {
		var r report
		r.add(test.row)
		if got := r.Rows[0].Met; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := report{Machine: "A machine.", Method: "A method."}
	theirs := single("lines/s", 10_000)
	r.add(row{Work: "sshd", Rules: "own", Ours: median("lines/s", []float64{9000, 11_000}), Rival: "a parser", Theirs: &theirs, Target: &target{Limit: .7, Ratio: true}})
	r.add(row{Work: "memory", Ours: single("MB", 90.04), Target: &target{Limit: 80, AtMost: true}})
	r.check("%d lines", 3)
	want := `A machine.

A method.

| work   | rules | target     | ours                          | rival                    | ratio | met |
|--------|-------|------------|-------------------------------|--------------------------|-------|-----|
| sshd   | own   | ratio 0.7  | 10,000 lines/s (9,000–11,000) | a parser: 10,000 lines/s | 1.00  | yes |
| memory |       | at most 80 | 90.0 MB                       |                          |       | no  |

- 3 lines
`
	if got := r.markdown(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	r := report{Machine: "A machine."}
	r.add(row{Work: "memory", Ours: single("MB", 90), Target: &target{Limit: 80, AtMost: true}})
	var out strings.Builder
	if err := r.print(&out, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"machine": "A machine."`, `"median": 90`, `"met": "no"`, `"at_most": true`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in %s", want, out.String())
		}
	}
}
