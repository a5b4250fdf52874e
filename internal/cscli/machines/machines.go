// Package machines holds the commands on log processors: they work on the database of this machine's Local
// API, not over HTTP.
package machines

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
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
		newList(runner), newAdd(runner), newValidate(runner), newDelete(runner), newInspect(runner),
	)
}

// keeper is what the commands need of the database.
type keeper interface {
	AddMachine(ctx context.Context, m domain.Machine) error
	Machine(ctx context.Context, id string) (domain.Machine, error)
	Machines(ctx context.Context) ([]domain.Machine, error)
	UpdateMachine(ctx context.Context, id string, change store.MachineChange) error
	DeleteMachine(ctx context.Context, id string) error
}

// names lists all machines, for completion.
func names(ctx context.Context, s *session.Session) (list []string, err error) {
	err = s.WithStore(ctx, func(db *sql.Store) error {
		all, err := db.Machines(ctx)
		for _, m := range all {
			list = append(list, m.ID)
		}
		return err
	})
	return list, err
}
