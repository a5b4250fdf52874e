package alerts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

const defaultLimit = 50

type listOptions struct {
	filter       filter.Alerts
	decisionType string
	kind         string
	all          bool
	machine      bool
	limit        int
}

func newList(runner *session.Runner) *cobra.Command {
	var options listOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List alerts",
		Example: "cscli alerts list\ncscli alerts list --ip 1.2.3.4\ncscli alerts list --range 1.2.3.0/24\n" +
			"cscli alerts list --origin lists\ncscli alerts list -s crowdsecurity/ssh-bf\ncscli alerts list --type ban",
		Args: session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return list(ctx, s, options) }),
	}
	set := cmd.Flags()
	options.filter.BindList(set)
	set.StringVar(&options.decisionType, "type", "", "restrict to alerts with decisions of this type")
	set.StringVar(&options.kind, "kind", "", "restrict to alerts of this kind: crowdsec, waf, capi, papi, cscli")
	set.BoolVarP(&options.all, "all", "a", false, "with alerts of the Central API, and without limit")
	set.BoolVarP(&options.machine, "machine", "m", false, "print the machine that sent each alert")
	set.IntVarP(&options.limit, "limit", "l", defaultLimit, "most alerts to list, 0 for all")
	return cmd
}

func list(ctx context.Context, s *session.Session, options listOptions) error {
	query, err := options.filter.Query()
	if err != nil {
		return err
	}
	query.DecisionType, query.Kind = options.decisionType, options.kind
	query.IncludeCAPI, query.Limit = options.all, options.limit
	if options.all {
		query.Limit = 0
	}
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	alerts, err := client.Alerts(ctx, query)
	if err != nil {
		return fmt.Errorf("unable to list alerts: %w", err)
	}
	return printList(s, alerts, options.machine)
}

func printList(s *session.Session, alerts []wire.Alert, machine bool) error {
	switch s.Output {
	case session.JSON:
		return s.PrintAlerts(alerts)
	case session.Raw:
		return printRaw(s, alerts, machine)
	case session.Human:
	}
	if len(alerts) == 0 {
		return s.Print("No active alerts\n")
	}
	return s.PrintTables(listTable(alerts, machine, s.Fancy))
}

func printRaw(s *session.Session, alerts []wire.Alert, machine bool) error {
	header := withMachine(machine, "machine", "id", "scope", "value", "reason", "country", "as", "decisions", "created_at", "kind")
	rows := make([][]string, len(alerts))
	for i, a := range alerts {
		source := cmp.Or(a.Source, &wire.Source{})
		rows[i] = withMachine(machine, a.MachineID, strconv.FormatInt(a.ID, 10), a.GetScope(), a.GetValue(), a.Scenario,
			source.Cn, source.GetAsNumberName(), decisionCounts(a.Decisions), a.CreatedAt, a.Kind)
	}
	return s.PrintCSV(header, rows)
}

func listTable(alerts []wire.Alert, machine, fancy bool) *table.Table {
	t := table.Full(fancy)
	t.Header(withMachine(machine, "machine", "ID", "value", "reason", "country", "as", "decisions", "created_at", "kind")...)
	for _, a := range alerts {
		source := cmp.Or(a.Source, &wire.Source{})
		t.Row(withMachine(machine, a.MachineID, strconv.FormatInt(a.ID, 10), subject(a), a.Scenario,
			source.Cn, source.GetAsNumberName(), decisionCounts(a.Decisions), a.StartAt, a.Kind)...)
	}
	return t
}

// withMachine appends last to cells when it is wanted.
func withMachine(wanted bool, last string, cells ...string) []string {
	if wanted {
		return append(cells, last)
	}
	return cells
}

// subject says who an alert is about. With several decisions, as imports have, it says how many.
func subject(a wire.Alert) string {
	switch {
	case len(a.Decisions) > 1:
		return fmt.Sprintf("%s (%d %ss)", a.GetScope(), len(a.Decisions), a.Decisions[0].Scope)
	case a.GetValue() == "":
		return a.GetScope()
	}
	return a.GetScope() + ":" + a.GetValue()
}

// decisionCounts says how many decisions of each type there are: "ban:2 captcha:1".
func decisionCounts(decisions []wire.Decision) string {
	counts := map[string]int{}
	for _, d := range decisions {
		name := d.Type
		if d.Simulated != nil && *d.Simulated {
			name = "(simul)" + name
		}
		counts[name]++
	}
	texts := make([]string, 0, len(counts))
	for name, count := range counts {
		texts = append(texts, name+":"+strconv.Itoa(count))
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}
