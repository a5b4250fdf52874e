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

// names lists the allowlists that these commands may change, for completion.
func names(ctx context.Context, s *session.Session, db *session.Store) (list []string, err error) {
	all, err := db.Allowlists(ctx, s.Now())
	for _, l := range all {
		if !l.FromConsole {
			list = append(list, l.Name)
		}
	}
	return list, err
}

// own returns the allowlist with the name, which must not be managed by the console.
func own(ctx context.Context, db *session.Store, name string, now time.Time) (domain.Allowlist, error) {
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
