package machines

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain/fault"
)

func newDelete(runner *session.Runner) *cobra.Command {
	var ignoreMissing bool
	cmd := &cobra.Command{
		Use:               "delete <name>...",
		Aliases:           []string{"remove"},
		Short:             "delete machine(s) by name",
		Example:           "cscli machines delete \"machine1\" \"machine2\"",
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return remove(ctx, s, db, args, ignoreMissing)
		}),
	}
	cmd.Flags().BoolVar(&ignoreMissing, "ignore-missing", false, "don't print errors if one or more machines don't exist")
	return cmd
}

// remove deletes machines. One that does not exist is reported, but is no failure: scripts rely on it.
func remove(ctx context.Context, s *session.Session, db *session.Store, list []string, ignoreMissing bool) error {
	for _, name := range list {
		err := deleteOne(ctx, db, name)
		switch {
		case err == nil:
			s.Info(ctx, "machine '%s' deleted successfully", name)
		case !fault.Is(err, fault.NotFound):
			return fmt.Errorf("unable to delete machine: %w", err)
		case !ignoreMissing:
			s.Error(ctx, "unable to delete machine: '%s' does not exist", name)
		}
	}
	return nil
}

func deleteOne(ctx context.Context, db *session.Store, name string) error {
	err := db.DeleteMachine(ctx, name)
	if err == nil {
		db.Record(ctx, "machine.delete", name, 1)
	}
	return err
}
