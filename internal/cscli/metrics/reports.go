package metrics

import (
	"fmt"
	"maps"
	"slices"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/cscli/usage"
)

// bouncers shows what bouncers have reported.
type bouncers struct{}

func (bouncers) document(from sources) any {
	byName := map[string]usage.Counts{}
	for name, b := range usage.Bouncers(from.reports()) {
		byName[name] = b.Counts
	}
	return byName
}

func (bouncers) tables(from sources, title string, d drawing) (tables []*table.Table) {
	all := usage.Bouncers(from.reports())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := countsTable(all[name].Counts, d.look)
		t.Title(fmt.Sprintf("%s (%s) since %s", title, name, all[name].Since))
		tables = append(tables, t)
	}
	return tables
}

// metric is a column of counts.
type metric struct{ name, unit string }

// countsTable has a row for each origin, and below them the totals.
func countsTable(counts usage.Counts, o look) *table.Table {
	columns := columnsOf(counts)
	groups, units := []string{"Origin"}, []string{""}
	for _, c := range columns {
		groups, units = append(groups, usage.BareName(c.name)), append(units, plural(c.unit))
	}
	t := table.Full(o.fancy)
	t.GroupHeader(groups, units)
	totals := make([]int64, len(columns))
	for _, origin := range slices.Sorted(maps.Keys(counts)) {
		cells := []string{originText(origin)}
		for i, c := range columns {
			count := counts[origin][c.name][c.unit]
			totals[i] += count
			cells = append(cells, numeral(count, !o.exact))
		}
		if origin != "" {
			t.Row(cells...)
		}
	}
	footer := []string{"Total"}
	for _, total := range totals {
		footer = append(footer, numeral(total, !o.exact))
	}
	t.Footer(footer...)
	return t
}

func columnsOf(counts usage.Counts) []metric {
	known := map[metric]bool{}
	for _, byName := range counts {
		for name, byUnit := range byName {
			for unit := range byUnit {
				known[metric{name, unit}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(known), func(a, b metric) int {
		return slices.Compare([]string{a.name, a.unit}, []string{b.name, b.unit})
	})
}

// originText says who is behind an origin.
func originText(origin string) string {
	switch origin {
	case "CAPI":
		return "CAPI (community blocklist)"
	case "cscli":
		return "cscli (manual decisions)"
	case "crowdsec":
		return "crowdsec (security engine)"
	}
	return origin
}

func plural(unit string) string {
	switch unit {
	case "byte":
		return "bytes"
	case "packet":
		return "packets"
	case "ip":
		return "IPs"
	}
	return unit
}

// machines shows what log processors have reported.
type machines struct{}

func (machines) document(from sources) any { return usage.Machines(from.reports()) }

func (machines) tables(from sources, title string, d drawing) (tables []*table.Table) {
	all := usage.Machines(from.reports())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t := table.Full(d.fancy)
		t.Title(fmt.Sprintf("%s (%s)", title, name))
		t.LeftHeader("Source", "Lines read", "Lines parsed", "Lines unparsed")
		for _, s := range all[name].Acquisition {
			t.Row(s.Source, numeral(s.Read, !d.exact), numeral(s.Parsed, !d.exact), numeral(s.Unparsed, !d.exact))
		}
		tables = append(tables, t)
	}
	return tables
}
