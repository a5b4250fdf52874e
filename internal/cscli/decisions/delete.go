package decisions

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapiclient"
)

type deleteOptions struct {
	query localapiclient.DecisionQuery
	id    string
	all   bool
}

func newDelete(runner *session.Runner) *cobra.Command {
	var options deleteOptions
	cmd := &cobra.Command{
		Use:     "delete [options]",
		Aliases: []string{"remove"},
		Short:   "Delete decisions",
		Example: "cscli decisions delete -r 1.2.3.0/24\ncscli decisions delete -i 1.2.3.4\ncscli decisions delete --id 42\ncscli decisions delete --type captcha",
		Args:    session.Args(cobra.NoArgs),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return session.RequireFilter(cmd, options.selective()) },
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return remove(ctx, s, options) }),
	}
	set := cmd.Flags()
	query := &options.query
	set.StringVarP(&query.IP, "ip", "i", "", "source ip (shorthand for --scope ip --value <IP>)")
	set.StringVarP(&query.Range, "range", "r", "", "range (shorthand for --scope range --value <RANGE>)")
	set.StringVarP(&query.Type, "type", "t", "", "the type of decisions: ban, captcha")
	set.StringVarP(&query.Value, "value", "v", "", "the value that decisions are about")
	set.StringVarP(&query.Scenario, "scenario", "s", "", "the scenario that made the decisions")
	set.StringVar(&query.Origin, "origin", "",
		"the origin of decisions: cscli, crowdsec, console, cscli-import, lists, CAPI, remediation_sync")
	set.StringVar(&options.id, "id", "", "the ID of the decision")
	set.BoolVar(&options.all, "all", false, "delete all decisions")
	set.BoolVar(&query.Inside, "contained", false, "match what is inside the given address or range, not what contains it")
	return cmd
}

// selective reports whether it was said what to delete.
func (o deleteOptions) selective() bool {
	o.query.Inside = false // says how to match, not what
	return o != deleteOptions{}
}

func remove(ctx context.Context, s *session.Session, options deleteOptions) error {
	if err := errors.Join(filter.CheckIP(options.query.IP), filter.CheckRange(options.query.Range)); err != nil {
		return err
	}
	id, err := parseID(options.id)
	if err != nil {
		return err
	}
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	var count int
	switch {
	case options.all:
		count, err = client.DeleteDecisions(ctx, localapiclient.DecisionQuery{})
	case options.id != "":
		count, err = client.DeleteDecision(ctx, id)
	default:
		count, err = client.DeleteDecisions(ctx, options.query)
	}
	if err != nil {
		return fmt.Errorf("unable to delete decision: %w", err)
	}
	s.Info(ctx, "%d decision(s) deleted", count)
	return nil
}

// parseID reads an ID; none is 0.
func parseID(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("id '%s' is not an integer: %w", text, err)
	}
	return id, nil
}
