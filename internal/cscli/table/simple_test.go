package table

import (
	"testing"

	"pgregory.net/rapid"
)

// A table that we draw is that of the library, byte for byte.
func TestSimpleTablesAreThoseOfTheLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 5).Draw(t, "columns")
		cell := rapid.StringMatching(`[a-zA-Z0-9|+%\\ -]{0,20}|[a-z ]{50,70}|é`)
		build := map[bool]func(bool) *Table{true: Full, false: Light}[rapid.Bool().Draw(t, "full")]
		headers := map[bool]func(*Table, ...string){true: (*Table).Header, false: (*Table).LeftHeader}[rapid.Bool().Draw(t, "centered")]
		ours, library := build(false), build(false)
		names := rapid.SliceOfN(rapid.StringMatching(`[A-Za-z :]{1,12}`), columns, columns).Draw(t, "names")
		headers(ours, names...)
		headers(library, names...)
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			cells := rapid.SliceOfN(cell, columns, columns).Draw(t, "cells")
			ours.Row(cells...)
			library.table.AppendRow(row(cells))
		}
		// Without rows of ours it is the library that draws.
		library.table.SetColumnConfigs(configs(library))
		if got, want := ours.String(), library.table.Render(); got != want {
			t.Fatalf("drawn\n%s\nthe library draws\n%s", got, want)
		}
	})
}

func BenchmarkTenThousandRows(b *testing.B) {
	for b.Loop() {
		t := Full(false)
		t.Header("ID", "Source", "Scope:Value", "Reason", "Action", "Country", "AS", "Events", "expiration", "Alert ID")
		for range 10_000 {
			t.Row("12345", "crowdsec", "Ip:192.0.2.254", "shieldwall/ssh-bf", "ban", "FR", "64496 EXAMPLE", "6", "3h59m59s", "1234")
		}
		if len(t.String()) < 1_000_000 {
			b.Fatal("too little was drawn")
		}
	}
}
