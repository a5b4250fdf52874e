package tutorial

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	tabletext "github.com/jedib0t/go-pretty/v6/text"
)

// names are what a document calls things that it cannot know: <agent-2> is whatever was printed in its place the first
// time, and that afterwards.
type names map[string]string

var (
	placeholder = regexp.MustCompile(`<[a-z][a-z0-9 -]*>`)
	rule        = regexp.MustCompile(`^[-─+]{10,}$`)
	spaces      = regexp.MustCompile(`\s+`)

	// varying finds what differs from run to run, so that what a document shows is an example: the groups are a time, a
	// duration, a version, an operating system, and a name.
	varying = regexp.MustCompile(`(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)|(\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|s)\b)|` +
		`(\bv\d+\.\d+\.\d+\S*)|(\b[A-Za-z]+/\d[\d.]*)|(` + placeholder.String() + `)`)
)

// instead returns what stands for the groups of varying, in their order.
func instead() [5]string {
	return [...]string{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, `(?:\d+h)?(?:\d+m)?[\d.]+(?:ms|s)`, `\S+`, `\S+/\S+`, `(\S+)`}
}

// known replaces names that have a meaning.
func (n names) known(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := n[name]; ok {
			return value
		}
		return name
	})
}

// matches reports whether a text is what the document shows. New names get their meaning.
func (n names) matches(shown, text string) bool {
	pattern, learned := patternOf(spaces.ReplaceAllString(strings.TrimSpace(n.known(shown)), " "))
	found := pattern.FindStringSubmatch(spaces.ReplaceAllString(strings.TrimSpace(text), " "))
	if found == nil {
		return false
	}
	for i, name := range learned {
		n[name] = found[i+1]
	}
	return true
}

// patternOf returns what is like a shown text. Its groups are the names that have no meaning yet.
func patternOf(shown string) (pattern *regexp.Regexp, learned []string) {
	text, end := "^", 0
	for _, at := range varying.FindAllStringSubmatchIndex(shown, -1) {
		text += regexp.QuoteMeta(shown[end:at[0]])
		end = at[1]
		for group, stands := range instead() {
			if at[2*(group+1)] >= 0 {
				text += stands
			}
		}
		if name := shown[at[0]:at[1]]; placeholder.MatchString(name) {
			learned = append(learned, name)
		}
	}
	rest, open := strings.CutSuffix(shown[end:], "…")
	text += regexp.QuoteMeta(rest)
	if open {
		text += ".*"
	}
	if strings.HasPrefix(shown, "time=") || strings.HasPrefix(shown, "level=") {
		text += `(?: \w+=.*)?` // keys that a line of a log has and the document does not
	}
	return regexp.MustCompile(text + "$"), learned
}

// compare returns what is wrong with the output of a command. Tables are compared by columns and values; their widths,
// upper case in names of columns, the order of rows, and columns that the document does not have, make no difference; rows
// that it leaves out are a first row "…". Other lines have to be there in the order of the document; "…" at the end of one stands
// for the rest of it.
func (n names) compare(shown []string, output string) error {
	printed := strings.Split(strings.TrimRight(output, "\n"), "\n")
	for len(shown) > 0 {
		if strings.TrimSpace(shown[0]) == "" || strings.TrimSpace(shown[0]) == "…" {
			shown = shown[1:]
			continue
		}
		if want, length := cutTable(shown); length > 0 {
			start := slices.IndexFunc(printed, rule.MatchString)
			if start < 0 {
				return fmt.Errorf("no table in %q", output)
			}
			got, gotLength := cutTable(printed[start:])
			if err := n.compareTables(want, got); err != nil {
				return err
			}
			shown, printed = shown[length:], printed[start+gotLength:]
			continue
		}
		at := slices.IndexFunc(printed, func(line string) bool { return n.matches(shown[0], line) })
		if at < 0 {
			return fmt.Errorf("no line %q in %q", n.known(shown[0]), output)
		}
		shown, printed = shown[1:], printed[at+1:]
	}
	return nil
}

// outputTable is a table that was printed.
type outputTable struct {
	columns []string // in lower case
	rows    [][]string
}

// cutTable returns the table that lines begin with, and how many lines it has; none without one.
func cutTable(lines []string) (outputTable, int) {
	if !rule.MatchString(strings.TrimSpace(lines[0])) || len(lines) < 3 {
		return outputTable{}, 0
	}
	var table outputTable
	starts := columnStarts(lines[1])
	rules := 0
	for i, line := range lines {
		switch {
		case rule.MatchString(strings.TrimSpace(line)):
			if rules++; rules == 3 {
				return table, i + 1
			}
		case rules == 1:
			table.columns = cells(strings.ToLower(line), starts)
		default:
			table.rows = append(table.rows, cells(line, starts))
		}
	}
	return table, len(lines)
}

// columnStarts returns where the cells of a header begin, in columns of the terminal.
func columnStarts(header string) []int {
	if strings.HasPrefix(header, "|") {
		return nil // its cells have borders
	}
	var starts []int
	gap := 2
	for i, r := range header {
		if r != ' ' && gap >= 2 {
			starts = append(starts, tabletext.StringWidthWithoutEscSequences(header[:i]))
		}
		if gap++; r != ' ' {
			gap = 0
		}
	}
	return starts
}

// cells cuts a line of a table into its values.
func cells(line string, starts []int) []string {
	var list []string
	if starts == nil {
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			list = append(list, strings.TrimSpace(cell))
		}
		return list
	}
	list = make([]string, len(starts))
	width, column := 0, -1
	for _, r := range line {
		for column+1 < len(starts) && width >= starts[column+1] {
			column++
		}
		if column >= 0 {
			list[column] += string(r)
		}
		width = width + tabletext.StringWidthWithoutEscSequences(string(r))
	}
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// compareTables finds every row of the document among those that were printed. Their order makes no difference: machines
// come when they come.
func (n names) compareTables(want, got outputTable) error {
	var at []int
	for _, column := range want.columns {
		i := slices.Index(got.columns, column)
		if i < 0 || len(at) > 0 && i <= at[len(at)-1] {
			return fmt.Errorf("no column %q in its place among %q", column, got.columns)
		}
		at = append(at, i)
	}
	left := slices.Clone(got.rows)
	for _, row := range want.rows {
		i := slices.IndexFunc(left, func(printed []string) bool { return row[0] != others && n.matchesRow(row, printed, at) })
		switch {
		case row[0] == others:
			continue
		case i < 0:
			return fmt.Errorf("no row %q among %q", n.known(strings.Join(row, "  ")), left)
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 && (len(want.rows) == 0 || want.rows[0][0] != others) {
		return fmt.Errorf("rows that nobody expects: %q", left)
	}
	return nil
}

// others is what a document shows in place of rows that it leaves out, before all that it does not.
const others = "…"

// matchesRow reports whether a row is the one of the document, whose cells are at some of its columns.
func (n names) matchesRow(shown, printed []string, at []int) bool {
	learned := n.clone()
	for i, cell := range shown {
		if !learned.matches(cell, printed[at[i]]) {
			return false
		}
	}
	maps.Copy(n, learned)
	return true
}

const machinesShown = `
----------------------------------------------------------------------------------------
 NAME      IP ADDRESS  LAST UPDATE           STATUS  VERSION       AUTH TYPE  LAST HEARTBEAT
----------------------------------------------------------------------------------------
 <first>   10.0.0.1    2022-08-25T18:44:27Z  ✔️       v1.4.1-linux  password   37s
 <second>  10.0.0.2    2022-08-25T18:38:24Z  🚫                    password   ⚠️ -
----------------------------------------------------------------------------------------
`

const machinesPrinted = `level=info msg=something
--------------------------------------------------------------------------------------------------------------
 Name  IP Address  Last Update           Status  Version             OS            Auth Type  Last Heartbeat 
--------------------------------------------------------------------------------------------------------------
 a7    10.0.0.1    2026-11-22T06:40:00Z  ✔️       v0.0.0-12561cb-linux  debian/12.11  password   1m2s           
 b8    10.0.0.2    2026-11-22T06:40:01Z  🚫                            ?             password   ⚠️ -            
--------------------------------------------------------------------------------------------------------------
`

func TestCompare(t *testing.T) {
	t.Parallel()
	shown := trimEmpty(strings.Split(machinesShown, "\n"))
	n := names{}
	if err := n.compare(shown, machinesPrinted); err != nil {
		t.Fatal(err)
	}
	if n["<first>"] != "a7" || n["<second>"] != "b8" {
		t.Errorf("learned %v", n)
	}
	for _, change := range [][2]string{
		{"a7", "c9"},
		{"10.0.0.2", "10.0.0.3"},
		{"🚫 ", "✔️ "},
		{"⚠️ -", "4s  "},
		{"Auth Type", "Auth Kind"},
		{"password   1m2s", "tls        1m2s"},
		{" b8    10", " b8\n x    10"},
	} {
		if err := n.compare(shown, strings.Replace(machinesPrinted, change[0], change[1], 1)); err == nil {
			t.Errorf("%q instead of %q makes no difference", change[1], change[0])
		}
	}
	if err := n.compare([]string{"Loaded from <first>", "…", "You  can 3s"}, "Loaded from a7\nx\nYou can 17m1s\n"); err != nil {
		t.Error(err)
	}
	if err := n.compare([]string{"two", "one"}, "one\ntwo\n"); err == nil {
		t.Error("the order of lines makes no difference")
	}
}
