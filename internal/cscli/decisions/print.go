package decisions

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

func printList(s *session.Session, alerts []wire.Alert, skipped int, machine bool) error {
	switch s.Output {
	case session.JSON:
		return s.PrintAlerts(alerts)
	case session.Raw:
		return printRaw(s, alerts, machine)
	case session.Human:
	}
	if len(alerts) == 0 {
		return s.Print("No active decisions\n")
	}
	if err := s.PrintTables(listTable(alerts, machine, s.Fancy)); err != nil || skipped == 0 {
		return err
	}
	return s.Printf("%d duplicated entries skipped\n", skipped)
}

func printRaw(s *session.Session, alerts []wire.Alert, machine bool) error {
	header := []string{
		"id", "source", "ip", "reason", "action", "country", "as", "events_count", "expiration", "simulated", "alert_id",
	}
	if machine {
		header = append(header, "machine")
	}
	var rows [][]string
	for _, a := range alerts {
		source := cmp.Or(a.Source, &wire.Source{})
		for _, d := range a.Decisions {
			row := []string{
				strconv.FormatInt(d.ID, 10), d.Origin, d.Scope + ":" + d.Value, d.Scenario, d.Type, source.Cn, source.GetAsNumberName(),
				strconv.Itoa(int(a.EventsCount)), d.Duration, strconv.FormatBool(a.Simulated), strconv.FormatInt(a.ID, 10),
			}
			if machine {
				row = append(row, a.MachineID)
			}
			rows = append(rows, row)
		}
	}
	return s.PrintCSV(header, rows)
}

func listTable(alerts []wire.Alert, machine, fancy bool) *table.Table {
	t := table.Full(fancy)
	header := []string{"ID", "Source", "Scope:Value", "Reason", "Action", "Country", "AS", "Events", "expiration", "Alert ID"}
	if machine {
		header = append(header, "Machine")
	}
	t.Header(header...)
	for _, a := range alerts {
		source := cmp.Or(a.Source, &wire.Source{})
		for _, d := range a.Decisions {
			row := []string{
				strconv.FormatInt(d.ID, 10), d.Origin, d.Scope + ":" + d.Value, d.Scenario, action(a, d), source.Cn, source.GetAsNumberName(),
				strconv.Itoa(int(a.EventsCount)), expiration(d, fancy), strconv.FormatInt(a.ID, 10),
			}
			if machine {
				row = append(row, a.MachineID)
			}
			t.Row(row...)
		}
	}
	return t
}

func action(a wire.Alert, d wire.Decision) string {
	if a.Simulated {
		return "(simul)" + d.Type
	}
	return d.Type
}

// expiration is the remaining time, in red when it is over.
func expiration(d wire.Decision, fancy bool) string {
	if fancy && strings.HasPrefix(d.Duration, "-") {
		return text.FgRed.Sprint(d.Duration)
	}
	return d.Duration
}
