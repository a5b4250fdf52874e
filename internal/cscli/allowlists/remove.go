package allowlists

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

func newRemove(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "remove [allowlist_name] [value...]",
		Short:             "remove content from an allowlist",
		Example:           "cscli allowlists remove my_allowlist 1.2.3.4 2.3.4.0/24",
		Args:              session.Args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return removeItems(ctx, s, db, args[0], args[1:])
		}),
	}
}

func removeItems(ctx context.Context, s *session.Session, db *session.Store, name string, values []string) error {
	if _, err := own(ctx, db, name, s.Now()); err != nil {
		return err
	}
	removed, err := db.RemoveAllowlistItems(ctx, name, values)
	if err != nil {
		return err
	}
	db.Record(ctx, "allowlist.remove_items", name, removed)
	if removed == 0 {
		return s.Print("no value to remove from allowlist\n")
	}
	return s.Printf("removed %d values from allowlist %s", removed, name)
}
