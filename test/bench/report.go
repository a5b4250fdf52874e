package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// report is everything that a run of the benchmark found out.
type report struct {
	Machine  string   `json:"machine"`
	Method   string   `json:"method"`
	Rows     []row    `json:"rows"`
	LocalAPI []apiRow `json:"local_api,omitempty"`
	Checks   []string `json:"checks"` // what shows that the runs did their work
}

// row is one line of the table.
type row struct {
	Work   string  `json:"work"`
	Rules  string  `json:"rules,omitempty"` // "": they do not matter
	Ours   figure  `json:"ours"`
	Rival  string  `json:"rival,omitempty"` // what Theirs is of
	Theirs *figure `json:"theirs,omitempty"`
	Target *target `json:"target,omitempty"`
	Ratio  float64 `json:"ratio,omitempty"` // ours to theirs, 0 without a rival
	Met    string  `json:"met"`             // yes or no; "" when there is nothing to meet, or no rival to compare with
}

// target bounds the ratio, or our figure itself.
type target struct {
	Limit  float64 `json:"limit"`
	AtMost bool    `json:"at_most,omitempty"` // smaller is better
	Ratio  bool    `json:"ratio,omitempty"`   // it is the ratio that counts
}

// add completes a row and adds it to the table.
func (r *report) add(row row) {
	if row.Theirs != nil && row.Theirs.Median > 0 {
		row.Ratio = row.Ours.Median / row.Theirs.Median
	}
	row.Met = row.verdict()
	r.Rows = append(r.Rows, row)
}

func (r *row) verdict() string {
	if r.Target == nil || r.Ours.Runs == 0 || r.Target.Ratio && r.Ratio == 0 {
		return ""
	}
	measured := r.Ours.Median
	if r.Target.Ratio {
		measured = r.Ratio
	}
	if r.Target.AtMost && measured <= r.Target.Limit || !r.Target.AtMost && measured >= r.Target.Limit {
		return "yes"
	}
	return "no"
}

func (r *report) check(format string, args ...any) {
	r.Checks = append(r.Checks, fmt.Sprintf(format, args...))
}

// figure is what several runs of one thing gave.
type figure struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Unit   string  `json:"unit"`
	Runs   int     `json:"runs"`
}

// median sums up one value a run; none at all is an empty figure.
func median(unit string, values []float64) figure {
	if len(values) == 0 {
		return figure{Unit: unit}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (middle + sorted[len(sorted)/2-1]) / 2
	}
	return figure{Median: middle, Low: sorted[0], High: sorted[len(sorted)-1], Unit: unit, Runs: len(sorted)}
}

// single is the figure of something that is measured once.
func single(unit string, value float64) figure { return median(unit, []float64{value}) }

// String writes the median, and the range where there is one.
func (f figure) String() string {
	switch {
	case f.Runs == 0:
		return "not measured"
	case f.Low == f.High:
		return number(f.Median) + " " + f.Unit
	}
	return fmt.Sprintf("%s %s (%s–%s)", number(f.Median), f.Unit, number(f.Low), number(f.High))
}

// number writes as many digits as are worth reading.
func number(x float64) string {
	switch {
	case x >= 100:
		return grouped(int(x + .5))
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func (t *target) String() string {
	text := strconv.FormatFloat(t.Limit, 'f', -1, 64)
	if t.Ratio {
		text = "ratio " + text
	}
	if t.AtMost {
		return "at most " + text
	}
	return text
}

// markdown writes the report as text that is also a table of docs/performance.md.
func (r *report) markdown() string {
	table := [][]string{{"work", "rules", "target", "ours", "rival", "ratio", "met"}}
	for _, row := range r.Rows {
		table = append(table, row.cells())
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n%s\n\n", r.Machine, r.Method)
	if len(r.Rows) > 0 {
		fmt.Fprintf(&out, "%s\n", align(table))
	}
	out.WriteString(r.apiMarkdown())
	for _, check := range r.Checks {
		fmt.Fprintf(&out, "- %s\n", check)
	}
	return out.String()
}

func (r *row) cells() []string {
	cells := []string{r.Work, r.Rules, "", r.Ours.String(), r.Rival, "", r.Met}
	if r.Target != nil {
		cells[2] = r.Target.String()
	}
	if r.Theirs != nil {
		cells[4] += ": " + r.Theirs.String()
	}
	if r.Ratio != 0 {
		cells[5] = strconv.FormatFloat(r.Ratio, 'f', 2, 64)
	}
	return cells
}

// align writes rows of equally many cells as a Markdown table whose columns also line up as plain text.
func align(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, cells := range rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var out strings.Builder
	for n, cells := range rows {
		for i, cell := range cells {
			fmt.Fprintf(&out, "| %-*s ", widths[i], cell)
		}
		out.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				out.WriteString("|" + strings.Repeat("-", width+2))
			}
			out.WriteString("|\n")
		}
	}
	return out.String()
}
