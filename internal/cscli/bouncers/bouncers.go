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
		newList(runner), newAdd(runner), newDelete(runner), newInspect(runner), newPrune(runner),
	)
}

// find returns the bouncer with the name, NotFound without one.
func find(ctx context.Context, db *session.Store, name string) (domain.Bouncer, error) {
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
func names(ctx context.Context, _ *session.Session, db *session.Store) ([]string, error) {
	all, err := db.Bouncers(ctx, store.BouncerFilter{})
	list := make([]string, len(all))
	for i := range all {
		list[i] = all[i].Name
	}
	return list, err
}
