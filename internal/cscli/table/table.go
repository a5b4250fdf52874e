// Package table draws the tables of cscli, in the two published shapes.
//
// Both have a plain form for pipes and a fancy one for terminals. Scripts compare the plain form byte by
// byte, so it is drawn by the same library as ever and every cell is text: numbers are not aligned to the
// right. A terminal that is too narrow for a table gets the same in another shape.
package table

import (
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	maxColumnWidth = 60 // where the cells of a full table are wrapped
	minColumnWidth = 24 // narrower columns are no joy to read
)

// The marks in cells.
const (
	Check      = "✔️"
	Prohibited = "🚫"
	Warning    = "⚠️"
)

// Table is a table under construction.
type Table struct {
	table   table.Writer
	full    bool
	fancy   bool
	title   string
	header  []string
	rows    [][]string
	cut     []int                      // numbers of the rows that have a line above them
	footer  []string                   // nil: none
	columns map[int]table.ColumnConfig // by number, from 1
}

// Full returns a table in a box with lines between the columns and centered headers.
func Full(fancy bool) *Table {
	style := table.StyleDefault
	if fancy {
		style = table.StyleRounded
		dim := text.Colors{text.FgHiBlack}
		style.Color.Border, style.Color.Separator = dim, dim
		style.Color.Header = text.Colors{text.Italic}
	}
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	return newTable(style, Table{full: true, fancy: fancy})
}

// Light returns a table with horizontal lines only.
func Light(fancy bool) *Table {
	style := table.StyleDefault
	if fancy {
		style = table.StyleLight
	}
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	style.Options.SeparateColumns = false
	box := &style.Box
	box.Left, box.Right = "", ""
	box.LeftSeparator, box.RightSeparator = "", ""
	box.TopLeft, box.TopRight = "", ""
	box.BottomLeft, box.BottomRight = "", ""
	return newTable(style, Table{fancy: fancy})
}

func newTable(style table.Style, t Table) *Table {
	t.table, t.columns = table.NewWriter(), map[int]table.ColumnConfig{}
	t.table.SetStyle(style)
	return &t
}

// Title sets a row above everything.
func (t *Table) Title(title string) {
	t.title = title
	t.table.SetTitle("%s", title)
}

// Header sets the names of the columns. In a full table they are centered, and long cells are wrapped.
func (t *Table) Header(names ...string) {
	t.LeftHeader(names...)
	if !t.full {
		return
	}
	for i := range names {
		t.column(i+1, func(c *table.ColumnConfig) { c.AlignHeader = text.AlignCenter })
		t.Wrap(i + 1)
	}
}

// LeftHeader sets the names of the columns as they stand above numbers and texts of any length.
func (t *Table) LeftHeader(names ...string) {
	t.header = names
	t.table.AppendHeader(row(names))
}

// GroupHeader sets two lines of names: groups, where equal neighbors are one wide cell, and under them names. All columns
// but the first hold numbers, which end at the same place.
func (t *Table) GroupHeader(groups, names []string) {
	t.header = make([]string, len(names))
	for i := range names {
		t.header[i] = strings.TrimSpace(groups[i] + " " + names[i])
		if i == 0 {
			t.column(1, func(c *table.ColumnConfig) { c.AlignFooter = text.AlignRight })
			continue
		}
		t.column(i+1, func(c *table.ColumnConfig) {
			c.Align, c.AlignFooter, c.AlignHeader = text.AlignRight, text.AlignRight, text.AlignCenter
		})
	}
	t.table.AppendHeader(row(groups), table.RowConfig{AutoMerge: true, AutoMergeAlign: text.AlignCenter})
	t.table.AppendHeader(row(names))
}

func (t *Table) column(number int, change func(*table.ColumnConfig)) {
	config := t.columns[number]
	config.Number = number
	change(&config)
	t.columns[number] = config
}

// Row adds a row.
func (t *Table) Row(cells ...string) {
	t.rows = append(t.rows, cells)
}

// Rows adds a row for each of the values that a name has. The name is said once.
func (t *Table) Rows(name string, values []string) {
	for _, value := range values {
		t.Row(name, value)
		name = ""
	}
}

// Footer sets a row below all, as of totals.
func (t *Table) Footer(cells ...string) {
	t.footer = cells
	t.table.AppendFooter(row(cells))
}

// Wrap breaks the lines of a column, numbered from 1, at words.
func (t *Table) Wrap(number int) {
	t.column(number, func(c *table.ColumnConfig) { c.WidthMax, c.WidthMaxEnforcer = maxColumnWidth, text.WrapSoft })
}

// Separate draws a line between the rows so far and those that follow.
func (t *Table) Separate() { t.cut = append(t.cut, len(t.rows)) }

// SeparateRows draws lines between the rows.
func (t *Table) SeparateRows() { t.table.Style().Options.SeparateRows = true }

// String draws the table, however wide it is; the last line has no newline.
func (t *Table) String() string {
	t.table.SetColumnConfigs(configs(t))
	if t.simple() {
		return t.drawn()
	}
	t.table.ResetRows()
	for i, cells := range t.rows {
		if slices.Contains(t.cut, i) {
			t.table.AppendSeparator()
		}
		t.table.AppendRow(row(cells))
	}
	return t.table.Render()
}

func configs(t *Table) []table.ColumnConfig { return slices.Collect(maps.Values(t.columns)) }

// all is every row, the totals with them.
func (t *Table) all() [][]string {
	if t.footer == nil {
		return t.rows
	}
	return append(t.rows[:len(t.rows):len(t.rows)], t.footer)
}

// Fit draws the table for a terminal with so many columns; zero is no limit. Where it does not fit, columns that say
// nothing are left out first, then its widest column gives way, and where that is not enough, each row becomes a paragraph.
func (t *Table) Fit(width int) string {
	drawn := t.String()
	if width == 0 || len(t.all()) == 0 {
		return drawn
	}
	excess := text.LongestLineLen(drawn) - width
	if excess <= 0 {
		return drawn
	}
	if t.hideEmpty() {
		drawn = t.String()
		if excess = text.LongestLineLen(drawn) - width; excess <= 0 {
			return drawn
		}
	}
	number, widest := t.widest()
	room := max(widest-excess, minColumnWidth)
	if len(t.header) > 0 && (widest-excess < room || t.longestWord(number) > room) {
		return t.paragraphs()
	}
	t.column(number, func(c *table.ColumnConfig) { c.WidthMax, c.WidthMaxEnforcer = room, text.WrapSoft })
	return t.String()
}

// hideEmpty leaves out the columns that have a name and are empty in every row, and reports whether there are any.
func (t *Table) hideEmpty() bool {
	hidden := false
	for i := range t.header {
		if slices.ContainsFunc(t.all(), func(cells []string) bool { return i < len(cells) && cells[i] != "" }) {
			continue
		}
		t.column(i+1, func(c *table.ColumnConfig) { c.Hidden = true })
		hidden = true
	}
	return hidden
}

// widest returns the number of the widest column, and how wide it is.
func (t *Table) widest() (number, width int) {
	for _, cells := range append([][]string{t.header}, t.all()...) {
		for i, cell := range cells {
			if t.columns[i+1].Hidden {
				continue
			}
			length := text.LongestLineLen(cell)
			if limit := t.columns[i+1].WidthMax; limit > 0 {
				length = min(length, limit)
			}
			if length > width {
				number, width = i+1, length
			}
		}
	}
	return number, width
}

// longestWord is how long the words of a column get. Cut in two, a name could not be copied.
func (t *Table) longestWord(number int) (length int) {
	for _, cells := range t.all() {
		for word := range strings.FieldsSeq(cells[number-1]) {
			length = max(length, text.StringWidth(word))
		}
	}
	return length
}

// paragraphs names each row by its first cell, and lists the others that say something.
func (t *Table) paragraphs() string {
	longest := 0
	for _, name := range t.header[1:] {
		longest = max(longest, text.StringWidth(name))
	}
	var drawn []string
	if t.title != "" {
		drawn = append(drawn, t.title)
	}
	for _, cells := range t.all() {
		lines := cells[:1:1]
		for i, name := range t.header[1:] {
			if cell := cells[i+1]; cell != "" {
				lines = append(lines, "  "+text.Pad(name, longest+2, ' ')+cell)
			}
		}
		drawn = append(drawn, strings.Join(lines, "\n"))
	}
	return strings.Join(drawn, "\n\n") + "\n"
}

func row(cells []string) table.Row {
	values := make(table.Row, len(cells))
	for i, cell := range cells {
		values[i] = cell
	}
	return values
}
