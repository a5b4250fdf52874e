package decisions

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/wire"
)

const defaultLimit = 100

type listOptions struct {
	filter       filter.Alerts
	decisionType string
	all          bool
	noSimulation bool
	machine      bool
	limit        int
}

func newList(runner *session.Runner) *cobra.Command {
	var options listOptions
	cmd := &cobra.Command{
		Use:     "list [options]",
		Short:   "List decisions from LAPI",
		Example: "cscli decisions list -i 1.2.3.4\ncscli decisions list -r 1.2.3.0/24\ncscli decisions list -s crowdsecurity/ssh-bf\ncscli decisions list --origin lists",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return list(ctx, s, options) }),
	}
	set := cmd.Flags()
	options.filter.BindList(set)
	set.StringVarP(&options.decisionType, "type", "t", "", "restrict to decisions of this type: ban, captcha")
	set.BoolVarP(&options.all, "all", "a", false, "with decisions of the Central API, and without limit")
	set.BoolVar(&options.noSimulation, "no-simu", false, "exclude decisions in simulation mode")
	set.BoolVarP(&options.machine, "machine", "m", false, "print the machine that sent each decision")
	set.IntVarP(&options.limit, "limit", "l", defaultLimit, "most alerts to list, 0 for all")
	return cmd
}

func list(ctx context.Context, s *session.Session, options listOptions) error {
	query, err := options.filter.Query()
	if err != nil {
		return err
	}
	query.DecisionType, query.ActiveOnly, query.ExcludeSimulated = options.decisionType, true, options.noSimulation
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
		return fmt.Errorf("unable to retrieve decisions: %w", err)
	}
	alerts, skipped := withoutDuplicates(alerts)
	return printList(s, alerts, skipped, options.machine)
}

// withoutDuplicates keeps the first decision for each value, scope and type, and says how many it dropped.
// Alerts come newest first. An alert that loses all its decisions stays, with none.
func withoutDuplicates(alerts []wire.Alert) (unique []wire.Alert, skipped int) {
	type identity struct {
		simulated          bool
		kind, scope, value string
	}
	total := 0
	for i := range alerts {
		total += len(alerts[i].Decisions)
	}
	seen := make(map[identity]bool, total)
	unique = make([]wire.Alert, 0, len(alerts))
	for _, alert := range alerts {
		kept := make([]wire.Decision, 0, len(alert.Decisions))
		for _, d := range alert.Decisions {
			id := identity{alert.Simulated, d.Type, d.Scope, d.Value}
			if seen[id] {
				skipped++
				continue
			}
			seen[id] = true
			kept = append(kept, d)
		}
		alert.Decisions = kept
		unique = append(unique, alert)
	}
	return unique, skipped
}
