package bouncers

import (
	"context"
	"slices"
	"strconv"

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
			return listOf(all).Print(s, all)
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

// listOf is the list as people see it: with what bouncers say that they enforce, when one of them says so.
func listOf(all []domain.Bouncer) listing.List[domain.Bouncer] {
	l := list()
	if !slices.ContainsFunc(all, func(b domain.Bouncer) bool { return b.Standing.IsReported() }) {
		return l
	}
	published := l.Row
	l.Header = append(l.Header, "Coverage", "Missing", "Foreign")
	l.Row = func(b domain.Bouncer) []string { return append(published(b), enforced(b.Standing)...) }
	return l
}

// enforced are the cells about what a bouncer found in its kernel when it looked last.
func enforced(s domain.Standing) []string {
	if s.VerifiedAt.IsZero() {
		return []string{"", "", ""}
	}
	return []string{coverage(s), strconv.Itoa(s.Missing), strconv.Itoa(s.Foreign)}
}
