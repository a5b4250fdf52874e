// Package allowlists holds the commands on lists of what is never banned. Those that change a list work on
// the database of this machine's Local API; those that show one ask the Local API.
package allowlists

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store/sql"
)

// New returns the group "allowlists".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "allowlists [action]",
			Aliases: []string{"allowlist"},
			Short:   "Manage centralized allowlists",
			Long:    "Create, fill, show and delete the lists of addresses and ranges that are never banned.",
			Example: "cscli allowlists create office -d 'our own addresses'\ncscli allowlists add office 192.0.2.0/24",
		},
		newCreate(runner), newDelete(runner), newList(runner), newInspect(runner), newAdd(runner), newImport(runner),
		newRemove(runner), newCheck(runner),
	)
}

// keeper is what the commands need of the database.
type keeper interface {
	CreateAllowlist(ctx context.Context, list domain.Allowlist) (domain.Allowlist, error)
	DeleteAllowlist(ctx context.Context, name string) error
	Allowlists(ctx context.Context, now time.Time) ([]domain.Allowlist, error)
	AddAllowlistItems(ctx context.Context, name string, items []domain.AllowlistItem) (int, error)
	RemoveAllowlistItems(ctx context.Context, name string, values []string) (int, error)
}

// names lists the allowlists that these commands may change, for completion.
func names(ctx context.Context, s *session.Session) (list []string, err error) {
	err = s.WithStore(ctx, func(db *sql.Store) error {
		all, err := db.Allowlists(ctx, s.Now())
		for _, l := range all {
			if !l.FromConsole {
				list = append(list, l.Name)
			}
		}
		return err
	})
	return list, err
}

// own returns the allowlist with the name, which must not be managed by the console.
func own(ctx context.Context, db keeper, name string, now time.Time) (domain.Allowlist, error) {
	lists, err := db.Allowlists(ctx, now)
	if err != nil {
		return domain.Allowlist{}, err
	}
	i := slices.IndexFunc(lists, func(list domain.Allowlist) bool { return list.Name == name })
	if i < 0 {
		return domain.Allowlist{}, fmt.Errorf("allowlist '%s' not found", name)
	}
	if lists[i].FromConsole {
		return domain.Allowlist{}, fmt.Errorf("allowlist '%s' is managed by the console and can be changed only there", name)
	}
	return lists[i], nil
}
