package machines

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func newValidate(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "validate <name>",
		Short:             "validate a machine to access the local API",
		Example:           "cscli machines validate \"machine_name\"",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return validate(ctx, s, db, args[0])
		}),
	}
}

func validate(ctx context.Context, s *session.Session, db *session.Store, name string) error {
	validated := true
	err := db.UpdateMachine(ctx, name, store.MachineChange{Validated: &validated})
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("unable to validate machine '%s': machine not found", name)
	}
	if err != nil {
		return fmt.Errorf("unable to validate machine '%s': %w", name, err)
	}
	db.Record(ctx, "machine.validate", name, 1)
	s.Info(ctx, "machine '%s' validated successfully", name)
	return nil
}
