// Package table draws the tables of cscli, in the two published shapes.
//
// Both have a plain form for pipes and a fancy one for terminals. Scripts compare the plain form byte by
// byte, so it is drawn by the same library as ever and every cell is text: numbers are not aligned to the
// right.
package table

import (
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// maxColumnWidth is where the cells of a full table are wrapped.
const maxColumnWidth = 60

// The marks in cells.
const (
	Check      = "✔️"
	Prohibited = "🚫"
	Warning    = "⚠️"
)

// Table is a table under construction.
type Table struct {
	table table.Writer
	full  bool
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
	style.Format.Header = text.FormatDefault
	style.Format.HeaderAlign = text.AlignCenter
	return newTable(style, true)
}

// Light returns a table with horizontal lines only.
func Light(fancy bool) *Table {
	style := table.StyleDefault
	if fancy {
		style = table.StyleLight
	}
	style.Format.Header = text.FormatDefault
	style.Options.SeparateColumns = false
	box := &style.Box
	box.Left, box.Right = "", ""
	box.LeftSeparator, box.RightSeparator = "", ""
	box.TopLeft, box.TopRight = "", ""
	box.BottomLeft, box.BottomRight = "", ""
	return newTable(style, false)
}

func newTable(style table.Style, full bool) *Table {
	t := table.NewWriter()
	t.SetStyle(style)
	return &Table{table: t, full: full}
}

// Title sets a row above everything.
func (t *Table) Title(title string) { t.table.SetTitle("%s", title) }

// Header sets the names of the columns.
func (t *Table) Header(names ...string) {
	t.table.AppendHeader(row(names))
	if !t.full {
		return
	}
	columns := make([]table.ColumnConfig, len(names))
	for i := range columns {
		columns[i] = table.ColumnConfig{Number: i + 1, WidthMax: maxColumnWidth, WidthMaxEnforcer: text.WrapSoft}
	}
	t.table.SetColumnConfigs(columns)
}

// Row adds a row.
func (t *Table) Row(cells ...string) { t.table.AppendRow(row(cells)) }

// String draws the table; the last line has no newline.
func (t *Table) String() string { return t.table.Render() }

func row(cells []string) table.Row {
	values := make(table.Row, len(cells))
	for i, cell := range cells {
		values[i] = cell
	}
	return values
}
