package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

// change is what the rules of now make of an attacker and a scenario, beside what was made of them.
type change string

const (
	added     change = "+" // it would be noticed now
	removed   change = "-" // it was noticed, and would not be
	unchanged change = "="
)

// row is about the alerts of one scenario about one source.
type row struct {
	Change   change `json:"change"`
	Scenario string `json:"scenario"`
	Source   string `json:"source"` // scope and value
	Was      int    `json:"was"`    // alerts that were raised
	Would    int    `json:"would"`  // alerts that the rules of now raise
	Decision string `json:"decision"`
}

// compare returns a row for each scenario and source, those that would be noticed first, then those that would not be any more.
func compare(was, would []wire.Alert) []row {
	rows := map[[2]string]*row{}
	of := func(alert *wire.Alert) *row {
		key := [2]string{alert.Scenario, alert.GetScope() + ":" + alert.GetValue()}
		if rows[key] == nil {
			rows[key] = &row{Scenario: key[0], Source: key[1]}
		}
		rows[key].Decision = cmp.Or(decision(alert), rows[key].Decision)
		return rows[key]
	}
	for i := range was {
		of(&was[i]).Was++
	}
	for i := range would {
		of(&would[i]).Would++
	}
	for _, r := range rows {
		switch {
		case r.Was == 0:
			r.Change = added
		case r.Would == 0:
			r.Change = removed
		default:
			r.Change = unchanged
		}
	}
	list := make([]row, 0, len(rows))
	for _, r := range rows {
		list = append(list, *r)
	}
	order := []change{added, removed, unchanged}
	slices.SortFunc(list, func(a, b row) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Change), slices.Index(order, b.Change)),
			strings.Compare(a.Scenario, b.Scenario), strings.Compare(a.Source, b.Source),
		)
	})
	return list
}

// decision returns what follows from an alert, "" for nothing.
func decision(alert *wire.Alert) string {
	if len(alert.Decisions) == 0 {
		return ""
	}
	return alert.Decisions[0].Type
}

func (o options) print(s *session.Session, rows []row) error {
	shown := rows
	if !o.unchanged {
		shown = slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Change == unchanged })
	}
	header := []string{"change", "scenario", "source", "was", "would", "decision"}
	switch s.Output {
	case session.JSON:
		if shown == nil {
			shown = []row{}
		}
		return s.PrintJSONLine(shown)
	case session.Raw:
		return s.PrintCSV(header, cells(shown))
	case session.Human:
	}
	if len(shown) > 0 {
		t := table.Light(s.Fancy)
		t.Header("", "Scenario", "Source", "Was", "Would", "Decision")
		for _, r := range cells(shown) {
			t.Row(r...)
		}
		if err := s.PrintTables(t); err != nil {
			return err
		}
	}
	return s.Print(summary(rows))
}

func cells(rows []row) [][]string {
	list := make([][]string, 0, len(rows))
	for _, r := range rows {
		list = append(list, []string{string(r.Change), r.Scenario, r.Source, strconv.Itoa(r.Was), strconv.Itoa(r.Would), r.Decision})
	}
	return list
}

func summary(rows []row) string {
	counts := map[change]int{}
	for _, r := range rows {
		counts[r.Change]++
	}
	return fmt.Sprintf("%d would be noticed that were not (+), %d were noticed and would not be (-), %d stay as they were (=).\n",
		counts[added], counts[removed], counts[unchanged])
}
