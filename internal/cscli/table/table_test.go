package table_test

import (
	"strings"
	"testing"

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
