// Package machines holds the commands on log processors: they work on the database of this machine's Local
// API, not over HTTP.
package machines

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "machines".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "machines [action]",
			Aliases: []string{"machine"},
			Short:   "Manage local API machines [requires local API]",
			Long:    "Add, list, validate and remove the machines that may send alerts to this Local API.",
			Example: "cscli machines add myMachine --auto\ncscli machines validate myMachine",
		},
		newList(runner), newAdd(runner), newValidate(runner), newDelete(runner), newInspect(runner), newPrune(runner),
	)
}

// names lists all machines, for completion.
func names(ctx context.Context, _ *session.Session, db *session.Store) ([]string, error) {
	all, err := db.Machines(ctx)
	list := make([]string, len(all))
	for i := range all {
		list[i] = all[i].ID
	}
	return list, err
}
