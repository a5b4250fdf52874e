package alerts

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapiclient"
)

type deleteOptions struct {
	filter filter.Alerts
	id     string
	all    bool
}

func newDelete(runner *session.Runner) *cobra.Command {
	var options deleteOptions
	cmd := &cobra.Command{
		Use:     "delete [filters] [--all]",
		Aliases: []string{"remove"},
		Short:   "Delete alerts",
		Long:    "Delete alerts with everything that belongs to them. Only an address that the Local API trusts may do this.",
		Example: "cscli alerts delete --ip 1.2.3.4\ncscli alerts delete --range 1.2.3.0/24\ncscli alerts delete -s crowdsecurity/ssh-bf",
		Args:    session.Args(cobra.NoArgs),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			return session.RequireFilter(cmd, options.selective())
		},
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return remove(ctx, s, options) }),
	}
	set := cmd.Flags()
	options.filter.BindSubject(set)
	set.StringVar(&options.id, "id", "", "the ID of the alert to delete")
	set.BoolVarP(&options.all, "all", "a", false, "delete all alerts")
	return cmd
}

// selective reports whether it was said what to delete.
func (o deleteOptions) selective() bool {
	o.filter.Contained = false // says how to match, not what
	return o != deleteOptions{}
}

func remove(ctx context.Context, s *session.Session, options deleteOptions) error {
	query, err := options.filter.Query()
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
		count, err = client.DeleteAlerts(ctx, localapiclient.AlertQuery{})
	case options.id != "":
		count, err = deleteOne(ctx, client, options.id)
	default:
		count, err = client.DeleteAlerts(ctx, query)
	}
	if err != nil {
		return fmt.Errorf("unable to delete alert: %w", err)
	}
	s.Info(ctx, "%d alert(s) deleted", count)
	return nil
}

func deleteOne(ctx context.Context, client *localapiclient.Client, text string) (int, error) {
	id, err := parseID(text)
	if err != nil {
		return 0, err
	}
	return client.DeleteAlert(ctx, id)
}
