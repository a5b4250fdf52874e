package machines

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
)

const defaultPruneAge = 10 * time.Minute

type pruneOptions struct {
	age              filter.Duration
	notValidatedOnly bool
	force            bool
}

func newPrune(runner *session.Runner) *cobra.Command {
	options := pruneOptions{age: filter.Duration(defaultPruneAge)}
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "prune multiple machines from the database",
		Long: "Delete the machines that were never validated, and those that have sent no heartbeat for some time.\n" +
			"They are shown first, and deleted after a question.",
		Example: "cscli machines prune\ncscli machines prune --duration 1h\ncscli machines prune --not-validated-only --force",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			return prune(ctx, s, db, options)
		}),
	}
	set := cmd.Flags()
	set.VarP(&options.age, "duration", "d", "how long validated machines may have been silent")
	set.BoolVar(&options.notValidatedOnly, "not-validated-only", false, "only prune machines that are not validated")
	set.BoolVar(&options.force, "force", false, "do not ask, unless the duration is dangerously short")
	return cmd
}

func prune(ctx context.Context, s *session.Session, db *session.Store, options pruneOptions) error {
	const noun = "machines"
	age := time.Duration(options.age)
	if !options.notValidatedOnly {
		if goOn, err := listing.ConfirmAge(s, noun, age); err != nil || !goOn {
			return err
		}
	}
	all, err := db.Machines(ctx)
	if err != nil {
		return err
	}
	silentSince := s.Now().Add(-age)
	candidates := slices.DeleteFunc(all, func(m domain.Machine) bool {
		return m.Validated && (options.notValidatedOnly || alive(m, silentSince))
	})
	return listAt(s.Now()).Prune(ctx, s, candidates, listing.Pruning[domain.Machine]{
		Noun: noun, Done: "successfully deleted", Force: options.force,
		Delete: func(ctx context.Context, m domain.Machine) error { return deleteOne(ctx, db, m.ID) },
	})
}

// alive reports whether a machine has been heard of since then. One that has never been may be about to begin.
func alive(m domain.Machine, since time.Time) bool {
	if m.LastHeartbeat.IsZero() {
		return !m.CreatedAt.Before(since)
	}
	return !m.LastHeartbeat.Before(since)
}
