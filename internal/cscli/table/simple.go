package table

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// simple reports whether every row is one line of plain text as wide as it looks. Such rows need no library, which takes
// ten times as long; a list of ten thousand is read by a script that waits.
func (t *Table) simple() bool {
	if t.fancy || t.cut != nil || t.title != "" || t.footer != nil || len(t.rows) == 0 || t.table.Style().Options.SeparateRows {
		return false
	}
	for _, config := range t.columns {
		if config.Hidden || config.Align != 0 {
			return false
		}
	}
	for _, cells := range t.rows {
		if len(cells) != len(t.header) || !t.oneLine(cells) {
			return false
		}
	}
	return true
}

// oneLine reports whether cells are printable ASCII that needs no wrapping.
func (t *Table) oneLine(cells []string) bool {
	for i, cell := range cells {
		if limit := t.columns[i+1].WidthMax; limit > 0 && len(cell) > limit {
			return false
		}
		if strings.TrimSpace(cell) != cell {
			return false
		}
		for at := range len(cell) {
			if cell[at] < ' ' || cell[at] > '~' {
				return false
			}
		}
	}
	return true
}

// drawn lets the library draw a table of one row, whose cells are as wide as the columns, and puts all rows into its place.
func (t *Table) drawn() string {
	widths := make([]int, len(t.header))
	for i, name := range t.header {
		widths[i] = text.StringWidth(name)
	}
	for _, cells := range t.rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], len(cell))
		}
	}
	const placeholder = "x"
	widest := make([]string, len(widths))
	for i, width := range widths {
		widest[i] = strings.Repeat(placeholder, width)
	}
	t.table.ResetRows()
	t.table.AppendRow(row(widest))
	frame := strings.Split(t.table.Render(), "\n")
	place := len(frame) - 2 // the row stands above the last line
	return strings.Join(frame[:place], "\n") + "\n" + t.lines(frame[place], widths) + frame[place+1]
}

// lines writes all rows in the manner of the one that the library has drawn, which has the length of pattern.
func (t *Table) lines(pattern string, widths []int) string {
	separator := ""
	if t.full {
		separator = "|"
	}
	var drawn strings.Builder
	drawn.Grow(len(t.rows) * (len(pattern) + 1))
	for _, cells := range t.rows {
		for i, cell := range cells {
			drawn.WriteString(separator)
			drawn.WriteByte(' ')
			drawn.WriteString(cell)
			for range widths[i] - len(cell) + 1 {
				drawn.WriteByte(' ')
			}
		}
		drawn.WriteString(separator)
		drawn.WriteByte('\n')
	}
	return drawn.String()
}
