// Package audit holds the commands on the record of who changed what: through the Local API, and with cscli on the
// database. They work on the database of this machine's Local API, and change nothing.
package audit

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
)

// defaultLimit is how many entries are listed when nobody says otherwise.
const defaultLimit = 50

// New returns the group "audit".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "audit [action]",
			Short: "Show who changed what [requires local API]",
			Long: "Show the changes that were made with cscli, by machines and by registrations: who, from where, when and what.\n" +
				"Entries are kept for a year.",
		},
		newList(runner),
	)
}

type listOptions struct {
	limit uint
	since filter.Duration
}

func newList(runner *session.Runner) *cobra.Command {
	options := listOptions{limit: defaultLimit}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list changes, newest first",
		Example: "cscli audit list\ncscli audit list --since 7d --limit 0 -o json",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			return list(ctx, s, db, options)
		}),
	}
	cmd.Flags().UintVarP(&options.limit, "limit", "l", options.limit, "how many at most, 0 for all")
	cmd.Flags().Var(&options.since, "since", "only changes newer than this duration (4h, 30d)")
	return cmd
}

func list(ctx context.Context, s *session.Session, db *session.Store, options listOptions) error {
	limit := int(min(options.limit, math.MaxInt32))
	if limit == 0 {
		limit = math.MaxInt32
	}
	entries, err := db.AuditEntries(ctx, limit)
	if err != nil {
		return err
	}
	if options.since != 0 {
		since := s.Now().Add(-time.Duration(options.since))
		entries = slices.DeleteFunc(entries, func(e domain.AuditEntry) bool { return e.At.Before(since) })
	}
	return changes().Print(s, entries)
}

// record is an entry as JSON.
type record struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ActorKind string    `json:"actor_kind"`
	Actor     string    `json:"actor"`
	Address   string    `json:"address,omitempty"`
	Action    string    `json:"action"`
	Subject   string    `json:"subject"`
	Count     int       `json:"count"`
}

func changes() listing.List[domain.AuditEntry] {
	return listing.List[domain.AuditEntry]{
		Record: func(e domain.AuditEntry) any {
			return record{e.ID, e.At, e.ActorKind, e.Actor, e.Address, e.Action, e.Subject, e.Count}
		},
		Header: []string{"Time", "Who", "From", "Action", "Subject", "Count"},
		Row: func(e domain.AuditEntry) []string {
			return []string{e.At.Format(time.RFC3339), who(e), e.Address, e.Action, e.Subject, strconv.Itoa(e.Count)}
		},
		RawHeader: []string{"id", "created_at", "actor_kind", "actor", "address", "action", "subject", "count"},
		RawRow: func(e domain.AuditEntry) []string {
			return []string{
				strconv.FormatInt(e.ID, 10), e.At.Format(time.RFC3339), e.ActorKind, e.Actor, e.Address, e.Action, e.Subject, strconv.Itoa(e.Count),
			}
		},
	}
}

// who names the actor: "cscli:root", "machine:web-1".
func who(e domain.AuditEntry) string { return e.ActorKind + ":" + e.Actor }
