package table_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/cscli/table"
)

func draw(t *table.Table) string {
	t.Title("A title that is longer than the table")
	t.Header("ID", "Long name")
	t.Row("1", table.Check)
	t.Row("22", table.Prohibited)
	return t.String()
}

func TestPlainForms(t *testing.T) {
	t.Parallel()
	const full = `+----------------+
| A title that i |
| s longer than  |
| the table      |
+----+-----------+
| ID | Long name |
+----+-----------+
| 1  | ✔️         |
| 22 | 🚫        |
+----+-----------+`
	const light = `---------------
 A title that  
 is longer tha 
 n the table   
---------------
 ID  Long name 
---------------
 1   ✔️         
 22  🚫        
---------------`
	if got := draw(table.Full(false)); got != full {
		t.Errorf("got\n%s\nwant\n%s", got, full)
	}
	if got := draw(table.Light(false)); got != light {
		t.Errorf("got\n%s\nwant\n%s", got, light)
	}
}

func TestHeadersOfFullTablesAreCentered(t *testing.T) {
	t.Parallel()
	full := table.Full(false)
	full.Header("H")
	full.Row("wider")
	if got := full.String(); !strings.Contains(got, "|   H   |") {
		t.Errorf("got\n%s", got)
	}
	light := table.Light(false)
	light.Header("H")
	light.Row("wider")
	if got := light.String(); !strings.Contains(got, "\n H     \n") {
		t.Errorf("got\n%s", got)
	}
}

func TestLongCellsOfFullTablesAreWrappedAtWords(t *testing.T) {
	t.Parallel()
	full := table.Full(false)
	full.Header("H")
	full.Row(strings.Repeat("word ", 20))
	lines := strings.Split(full.String(), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[4], "| word") || len(lines[3]) > 64 {
		t.Errorf("got\n%s", full.String())
	}
}

func TestPercentSignsAreText(t *testing.T) {
	t.Parallel()
	light := table.Light(false)
	light.Title("100%d")
	light.Row("50%s and more")
	if got := light.String(); !strings.Contains(got, "100%d") || !strings.Contains(got, "50%s") {
		t.Errorf("got\n%s", got)
	}
}

func TestFancyForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table *table.Table
		want  string
	}{"full": {table.Full(true), "╭"}, "light": {table.Light(true), "──"}} {
		c.table.Header("H")
		c.table.Row("x")
		if got := c.table.String(); !strings.Contains(got, c.want) || strings.Contains(got, "+") {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
}

func TestFooterAndGroups(t *testing.T) {
	t.Parallel()
	const want = `+--------+---------------+
| Origin |    dropped    |
|        | bytes | boxes |
+--------+-------+-------+
| CAPI   |    12 |     3 |
+--------+-------+-------+
|  Total |    12 |     3 |
+--------+-------+-------+`
	full := table.Full(false)
	full.GroupHeader([]string{"Origin", "dropped", "dropped"}, []string{"", "bytes", "boxes"})
	full.Row("CAPI", "12", "3")
	full.Footer("Total", "12", "3")
	if got := full.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	const narrow = "CAPI\n  dropped bytes  12\n  dropped boxes  3\n\nTotal\n  dropped bytes  12\n  dropped boxes  3\n"
	if got := full.Fit(10); got != narrow {
		t.Errorf("got\n%s\nwant\n%s", got, narrow)
	}
}

func TestSaidOnce(t *testing.T) {
	t.Parallel()
	light := table.Light(false)
	light.Rows("Flags", []string{"a", "b"})
	light.Rows("Nothing", nil)
	if got := light.String(); got != "----------\n Flags  a \n        b \n----------" {
		t.Errorf("got\n%s", got)
	}
}

func TestNarrowTerminals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header, row []string
		want        string
	}{
		"words are wrapped": {
			[]string{"N", "Text"},
			[]string{"1", "one two three four five six seven eight"},
			"+---+---------------------------+\n| N | Text                      |\n+---+---------------------------+\n" +
				"| 1 | one two three four five   |\n|   | six seven eight           |\n+---+---------------------------+",
		},
		"names are not cut": {
			[]string{"N", "Name", "Empty"},
			[]string{"1", "a_name_that_is_as_long_as_its_machine", ""},
			"1\n  Name   a_name_that_is_as_long_as_its_machine\n",
		},
		"what has no header stays a table": {
			nil,
			[]string{"Name", "a_name_that_is_as_long_as_its_machine"},
			"+------+--------------------------+\n| Name | a_name_that_is_as_long_a |\n|      | s_its_machine            |\n+------+--------------------------+",
		},
		"columns that say nothing go first": {
			[]string{"N", "Name", "A column without text"},
			[]string{"1", "a_long_name", ""},
			"+---+-------------+\n| N | Name        |\n+---+-------------+\n| 1 | a_long_name |\n+---+-------------+",
		},
		"what fits stays as it is": {
			[]string{"N"}, []string{"1"}, "+---+\n| N |\n+---+\n| 1 |\n+---+",
		},
	} {
		full := table.Full(false)
		if c.header != nil {
			full.LeftHeader(c.header...)
		}
		full.Row(c.row...)
		if got := full.Fit(33); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestLimitedColumnsGiveWayFurther(t *testing.T) {
	t.Parallel()
	full := table.Full(false)
	full.LeftHeader("Text")
	full.Wrap(1)
	full.Row(strings.Repeat("word ", 40))
	for line := range strings.Lines(full.Fit(50)) {
		if len(strings.TrimRight(line, "\n")) > 50 {
			t.Fatalf("got %q", line)
		}
	}
}

// TestNothingIsLost: every word of every cell is there at any width.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 6).Draw(t, "columns")
		cell := rapid.StringMatching(`[a-z]{1,12}( [a-z]{1,12}){0,8}`)
		full := table.Full(false)
		full.LeftHeader(slices.Repeat([]string{"H"}, columns)...)
		words := map[string]bool{}
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			cells := rapid.SliceOfN(cell, columns, columns).Draw(t, "cells")
			full.Row(cells...)
			for _, word := range strings.Fields(strings.Join(cells, " ")) {
				words[word] = true
			}
		}
		drawn := full.Fit(rapid.IntRange(1, 200).Draw(t, "width"))
		for word := range words {
			if !strings.Contains(drawn, word) {
				t.Fatalf("%s is not in\n%s", word, drawn)
			}
		}
	})
}
