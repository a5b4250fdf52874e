package allowlists

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/allowlist"
)

func newAdd(runner *session.Runner) *cobra.Command {
	var (
		comment    string
		expiration filter.Duration
	)
	cmd := &cobra.Command{
		Use:               "add [allowlist_name] [value...] [-e expiration] [-d comment]",
		Short:             "Add content to an allowlist",
		Example:           "cscli allowlists add my_allowlist 1.2.3.4 2.3.4.0/24 -e 1h -d 'my comment'",
		Args:              session.Args(cobra.MinimumNArgs(2)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			items := make([]domain.AllowlistItem, len(args)-1)
			for i, value := range args[1:] {
				items[i] = domain.AllowlistItem{Value: value, Comment: comment, ExpiresAt: expiry(s.Now(), time.Duration(expiration))}
			}
			return add(ctx, s, db, args[0], items)
		}),
	}
	cmd.Flags().VarP(&expiration, "expiration", "e", "how long the values stay on the list (24h, 7d); for ever without")
	cmd.Flags().StringVarP(&comment, "comment", "d", "", "why the values are on the list")
	return cmd
}

// expiry is when an item ends that is to last for so long; zero, for ever, without a length.
func expiry(now time.Time, length time.Duration) time.Time {
	if length == 0 {
		return time.Time{}
	}
	return now.UTC().Add(length)
}

// add puts items on the list with the name, and ends the decisions that they concern.
func add(ctx context.Context, s *session.Session, db *session.Store, name string, items []domain.AllowlistItem) error {
	list, err := own(ctx, db, name, s.Now())
	if err != nil {
		return err
	}
	items = addable(ctx, s, list, items)
	if len(items) == 0 {
		return s.Print("no new values for allowlist\n")
	}
	added, err := db.AddAllowlistItems(ctx, name, items)
	if err != nil {
		return err
	}
	db.Record(ctx, "allowlist.add_items", name, added)
	if err := s.Printf("added %d values to allowlist %s\n", added, name); err != nil {
		return err
	}
	ended, err := endDecisions(ctx, db, items, s.Now().UTC())
	if err != nil {
		return err
	}
	db.Record(ctx, "decisions.expire", "allowlist "+name, ended)
	if ended == 0 {
		return nil
	}
	return s.Printf("%d decisions deleted by allowlists\n", ended)
}

// addable leaves out what is no address, or on the list already, and says so.
func addable(ctx context.Context, s *session.Session, list domain.Allowlist, items []domain.AllowlistItem) []domain.AllowlistItem {
	known := make(map[string]bool, len(list.Items)+len(items))
	for _, item := range list.Items {
		known[item.Value] = true
	}
	var fresh []domain.AllowlistItem
	for _, item := range items {
		if known[item.Value] {
			s.Warn(ctx, "value %s already in allowlist", item.Value)
			continue
		}
		if _, err := domain.ParseIPRange(item.Value); err != nil {
			s.Error(ctx, "invalid ip address '%s'", item.Value)
			continue
		}
		known[item.Value] = true
		fresh = append(fresh, item)
	}
	return fresh
}

// endDecisions ends the active decisions that items concern, whoever made them, and returns how many.
func endDecisions(ctx context.Context, db *session.Store, items []domain.AllowlistItem, now time.Time) (int, error) {
	snapshot, err := db.Snapshot(ctx, now)
	if err != nil {
		return 0, err
	}
	listed := allowlist.NewSet([]domain.Allowlist{{Items: items}})
	concerned := listed.Concerned(func(yield func(*domain.Decision) bool) {
		for i := range snapshot.Decisions {
			if !yield(&snapshot.Decisions[i]) {
				return
			}
		}
	}, now)
	return allowlist.End(ctx, db, concerned, now)
}
