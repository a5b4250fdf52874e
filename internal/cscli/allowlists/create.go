package allowlists

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

func newCreate(runner *session.Runner) *cobra.Command {
	var description string
	cmd := &cobra.Command{
		Use:     "create [allowlist_name]",
		Short:   "Create a new allowlist",
		Example: "cscli allowlists create my_allowlist -d 'my allowlist description'",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return create(ctx, s, db, domain.Allowlist{Name: args[0], Description: description})
		}),
	}
	cmd.Flags().StringVarP(&description, "description", "d", "", "what the allowlist is for")
	_ = cmd.MarkFlagRequired("description") // the flag exists: it is the one above
	return cmd
}

func create(ctx context.Context, s *session.Session, db *session.Store, list domain.Allowlist) error {
	_, err := db.CreateAllowlist(ctx, list)
	if fault.Is(err, fault.Exists) {
		return fmt.Errorf("allowlist '%s' already exists", list.Name)
	}
	if err != nil {
		return err
	}
	db.Record(ctx, "allowlist.create", list.Name, 1)
	return s.Printf("allowlist '%s' created successfully\n", list.Name)
}
