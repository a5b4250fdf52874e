package bouncers

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list all bouncers within the database",
		Example: "cscli bouncers list",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			all, err := db.Bouncers(ctx, store.BouncerFilter{})
			if err != nil {
				return err
			}
			return list().Print(s, all)
		}),
	}
}

func list() listing.List[domain.Bouncer] {
	return listing.List[domain.Bouncer]{
		Record: func(b domain.Bouncer) any { return recordOf(b) },
		Header: []string{"Name", "IP Address", "Valid", "Last API pull", "Type", "Version", "Auth Type"},
		Row: func(b domain.Bouncer) []string {
			return []string{b.Name, b.IPAddress, valid(b), lastPull(b), b.Type, b.Version, authType(b)}
		},
		RawHeader: []string{"name", "ip", "revoked", "last_pull", "type", "version", "auth_type"},
		RawRow: func(b domain.Bouncer) []string {
			state := "validated"
			if b.Revoked {
				state = "pending"
			}
			return []string{b.Name, b.IPAddress, state, lastPull(b), b.Type, b.Version, authType(b)}
		},
	}
}
