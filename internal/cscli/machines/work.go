package machines

import (
	"strconv"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/cscli/usage"
)

// workTables draws what there is to tell of the work of a machine.
func workTables(work usage.Work, fancy bool) (tables []*table.Table) {
	if len(work.Acquisition) > 0 {
		t := table.Full(fancy)
		t.Title("Acquisition Metrics")
		t.LeftHeader("Source", "Read", "Parsed", "Unparsed")
		for _, s := range work.Acquisition {
			t.Row(s.Source, number(s.Read), number(s.Parsed), number(s.Unparsed))
		}
		tables = append(tables, t)
	}
	if len(work.Parsers) > 0 {
		t := table.Full(fancy)
		t.Title("Parser Metrics")
		t.LeftHeader("Source", "Parser", "Parsed", "Unparsed")
		for _, p := range work.Parsers {
			t.Row(p.Source, p.Stage+"/"+p.Parser, number(p.Parsed), number(p.Unparsed))
		}
		tables = append(tables, t)
	}
	return tables
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
