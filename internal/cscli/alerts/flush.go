package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/filter"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/localapi/store"
)

// What stays unless the flags say otherwise.
const (
	keptAlerts = 5000
	keptAge    = 7 * 24 * time.Hour
)

type flushOptions struct {
	count int
	age   filter.Duration
}

func newFlush(runner *session.Runner) *cobra.Command {
	options := flushOptions{age: filter.Duration(keptAge)}
	cmd := &cobra.Command{
		Use:   "flush",
		Short: "Flush alerts [requires local API]",
		Long: "Delete the oldest alerts from the database of this machine's Local API: those beyond a number, and those beyond an\n" +
			"age. An alert stays as long as a decision of it is in force.",
		Example: "cscli alerts flush --max-items 1000 --max-age 7d",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			return flush(ctx, s, db, options)
		}),
	}
	cmd.Flags().IntVar(&options.count, "max-items", keptAlerts, "how many alerts to keep")
	cmd.Flags().Var(&options.age, "max-age", "how old the alerts to keep may be (4h, 30d)")
	return cmd
}

func flush(ctx context.Context, s *session.Session, db *session.Store, options flushOptions) error {
	if options.count < 1 || options.age <= 0 {
		return errors.New("--max-items and --max-age must be positive")
	}
	s.Info(ctx, "Flushing alerts. !! This may take a long time !!")
	flushed, err := db.Flush(ctx, store.FlushPolicy{MaxAlerts: options.count, MaxAlertAge: time.Duration(options.age)})
	db.Record(ctx, "alert.flush", fmt.Sprintf("beyond %d alerts or %s", options.count, &options.age), flushed.Alerts)
	if err != nil {
		return fmt.Errorf("unable to flush alerts: %w", err)
	}
	s.Info(ctx, "Alerts flushed")
	return nil
}
