package bouncers

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

func newDelete(runner *session.Runner) *cobra.Command {
	var ignoreMissing bool
	cmd := &cobra.Command{
		Use:               "delete <name>...",
		Aliases:           []string{"remove"},
		Short:             "delete bouncer(s) from the database",
		Example:           "cscli bouncers delete \"bouncer1\" \"bouncer2\"",
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			return removeAll(ctx, s, db, args, ignoreMissing)
		}),
	}
	cmd.Flags().BoolVar(&ignoreMissing, "ignore-missing", false, "don't print errors if one or more bouncers don't exist")
	return cmd
}

func removeAll(ctx context.Context, s *session.Session, db *session.Store, list []string, ignoreMissing bool) error {
	for _, name := range list {
		err := remove(ctx, s, db, name)
		if ignoreMissing && fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("unable to delete bouncer %s: %w", name, err)
		}
	}
	return nil
}

func remove(ctx context.Context, s *session.Session, db *session.Store, name string) error {
	b, err := find(ctx, db, name)
	if err != nil {
		return err
	}
	// One that authenticates by certificate is created again when it comes back.
	if b.AuthType == domain.AuthTLS {
		return deleteOne(ctx, db, b)
	}
	if b.AutoCreated {
		parent := name[:max(0, strings.LastIndex(name, "@"))]
		s.Warn(ctx, "bouncer '%s' is auto-created and cannot be deleted, delete parent bouncer %s instead", name, parent)
		return nil
	}
	if err := removeChildren(ctx, s, db, name); err != nil {
		return err
	}
	return removeOne(ctx, s, db, b)
}

// removeChildren deletes the rows that were created when the key of the bouncer was used from other
// addresses.
func removeChildren(ctx context.Context, s *session.Session, db *session.Store, name string) error {
	all, err := db.Bouncers(ctx, store.BouncerFilter{})
	if err != nil {
		return err
	}
	for _, child := range all {
		if !child.AutoCreated || !strings.HasPrefix(child.Name, name+"@") {
			continue
		}
		if err := removeOne(ctx, s, db, child); err != nil {
			return err
		}
	}
	return nil
}

func removeOne(ctx context.Context, s *session.Session, db *session.Store, b domain.Bouncer) error {
	if err := deleteOne(ctx, db, b); err != nil {
		return err
	}
	s.Info(ctx, "bouncer '%s' deleted successfully", b.Name)
	return nil
}

func deleteOne(ctx context.Context, db *session.Store, b domain.Bouncer) error {
	err := db.DeleteBouncer(ctx, b.ID)
	if err == nil {
		db.Record(ctx, "bouncer.delete", b.Name, 1)
	}
	return err
}
