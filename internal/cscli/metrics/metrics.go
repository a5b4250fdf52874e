// Package metrics holds the commands that show what the engine counts: as the Prometheus endpoint of the daemon tells
// it, and as bouncers and log processors have reported it to the Local API.
//
// It owns the published sections, their titles, columns and JSON documents. Where the numbers come from may be away:
// then it says so and shows the rest.
package metrics

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "metrics", which alone shows the metrics.
func New(runner *session.Runner) *cobra.Command {
	cmd := newShow(runner)
	cmd.Use, cmd.Args, cmd.ValidArgsFunction = "metrics", session.Args(cobra.NoArgs), nil
	cmd.Long = "Show what the engine counts: as the Prometheus endpoint of the daemon tells it, and as bouncers have reported it."
	cmd.Example = "cscli metrics\ncscli metrics --url http://lapi.example:6060/metrics\ncscli metrics show engine\ncscli metrics list"
	cmd.AddCommand(newShow(runner), newList(runner))
	return cmd
}

func newShow(runner *session.Runner) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "show [type...]",
		Short: "Display all or part of the available metrics",
		Long:  "Show the metrics of the given types, or of groups of them: engine, lapi, appsec.",
		Example: "cscli metrics show\ncscli metrics show engine\ncscli metrics show parsers scenarios -o json\n" +
			"cscli metrics show bouncers --no-unit",
		ValidArgsFunction: runner.Complete(func(context.Context, *session.Session) ([]string, error) { return names(), nil }),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return show(ctx, s, args, o)
		}),
	}
	cmd.Flags().StringVarP(&o.url, "url", "u", "", "URL of the metrics (default: as prometheus is configured)")
	cmd.Flags().BoolVar(&o.exact, "no-unit", false, "show numbers as they are, not with k, M, …")
	return cmd
}

type options struct {
	url   string
	exact bool
}
