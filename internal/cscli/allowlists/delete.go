package allowlists

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

func newDelete(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "delete [allowlist_name]",
		Short:             "Delete an allowlist",
		Example:           "cscli allowlists delete my_allowlist",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return remove(ctx, s, db, args[0])
		}),
	}
}

func remove(ctx context.Context, s *session.Session, db *session.Store, name string) error {
	if _, err := own(ctx, db, name, s.Now()); err != nil {
		return err
	}
	if err := db.DeleteAllowlist(ctx, name); err != nil {
		return err
	}
	db.Record(ctx, "allowlist.delete", name, 1)
	return s.Printf("allowlist '%s' deleted successfully\n", name)
}
