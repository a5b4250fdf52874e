// Package bouncers holds the commands on remediation components: they work on the database of this
// machine's Local API, not over HTTP.
package bouncers

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

// New returns the group "bouncers".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "bouncers [action]",
			Aliases: []string{"bouncer"},
			Short:   "Manage bouncers [requires local API]",
			Long:    "Add, list and remove the remediation components that may read decisions from this Local API.",
		},
		newList(runner), newAdd(runner), newDelete(runner), newInspect(runner),
	)
}

// keeper is what the commands need of the database.
type keeper interface {
	AddBouncer(ctx context.Context, b domain.Bouncer) (domain.Bouncer, error)
	Bouncers(ctx context.Context, filter store.BouncerFilter) ([]domain.Bouncer, error)
	DeleteBouncer(ctx context.Context, id int64) error
}

// find returns the bouncer with the name, NotFound without one.
func find(ctx context.Context, db keeper, name string) (domain.Bouncer, error) {
	found, err := db.Bouncers(ctx, store.BouncerFilter{Name: name})
	if err != nil {
		return domain.Bouncer{}, err
	}
	// A filter without a name selects all; no bouncer has an empty name.
	if len(found) == 0 || name == "" {
		return domain.Bouncer{}, fault.Mark(fault.NotFound, errors.New("ent: bouncer not found")) // scripts match the text
	}
	return found[0], nil
}

// names lists all bouncers, for completion.
func names(ctx context.Context, s *session.Session) (list []string, err error) {
	err = s.WithStore(ctx, func(db *sql.Store) error {
		all, err := db.Bouncers(ctx, store.BouncerFilter{})
		for _, b := range all {
			list = append(list, b.Name)
		}
		return err
	})
	return list, err
}
