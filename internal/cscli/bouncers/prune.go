package bouncers

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

type pruneOptions struct {
	age   filter.Duration
	force bool
}

func newPrune(runner *session.Runner) *cobra.Command {
	options := pruneOptions{age: filter.Duration(time.Hour)}
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "prune multiple bouncers from the database",
		Long: "Delete the bouncers that have not asked for decisions for some time.\n" +
			"They are shown first, and deleted after a question.",
		Example: "cscli bouncers prune -d 45m\ncscli bouncers prune -d 45m --force",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			return prune(ctx, s, db, options)
		}),
	}
	set := cmd.Flags()
	set.VarP(&options.age, "duration", "d", "how long bouncers may not have asked")
	set.BoolVar(&options.force, "force", false, "do not ask, unless the duration is dangerously short")
	return cmd
}

func prune(ctx context.Context, s *session.Session, db *session.Store, options pruneOptions) error {
	const noun = "bouncers"
	age := time.Duration(options.age)
	if goOn, err := listing.ConfirmAge(s, noun, age); err != nil || !goOn {
		return err
	}
	all, err := db.Bouncers(ctx, store.BouncerFilter{})
	if err != nil {
		return err
	}
	silentSince := s.Now().Add(-age)
	candidates := slices.DeleteFunc(all, func(b domain.Bouncer) bool { return !lastSign(b).Before(silentSince) })
	return list().Prune(ctx, s, candidates, listing.Pruning[domain.Bouncer]{
		Noun: noun, Done: "Successfully deleted", Force: options.force,
		Delete: func(ctx context.Context, b domain.Bouncer) error { return deleteOne(ctx, db, b) },
	})
}

// lastSign is when a bouncer asked for decisions, or was added if it never did.
func lastSign(b domain.Bouncer) time.Time {
	if b.LastPull.IsZero() {
		return b.CreatedAt
	}
	return b.LastPull
}
