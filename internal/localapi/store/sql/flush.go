package sql

import (
	"context"
	"fmt"
	"time"
)

// FlushPolicy says which alerts are too many or too old. Alerts with an active decision stay whatever it says.
type FlushPolicy struct {
	MaxItems int           // alerts to keep, the newest; 0: no limit
	MaxAge   time.Duration // since the alert was created; 0: no limit
}

// flushBatch is how many rows one transaction removes, so that those who wait to write do not wait for long.
const flushBatch = 256

// Flush removes, with everything they own, the alerts that the policy does not keep; also rows that belong to
// no alert, and entries of the change log that no follower can need any more. It returns how many alerts went.
// On an error what was removed before stays removed.
func (s *Store) Flush(ctx context.Context, policy FlushPolicy, now time.Time) (int, error) {
	at := s.dialect.bindTime(now)
	if _, err := s.purge(ctx, rowsOf("events", "alert_events IS NULL")); err != nil {
		return 0, err
	}
	if _, err := s.purge(ctx, rowsOf("decisions", "alert_decisions IS NULL AND (until IS NULL OR until <= ?)", at)); err != nil {
		return 0, err
	}
	flushed, err := s.flushAlerts(ctx, policy, now)
	if err != nil {
		return flushed, err
	}
	_, err = s.purge(ctx, deadChanges(at))
	return flushed, err
}

func (s *Store) flushAlerts(ctx context.Context, policy FlushPolicy, now time.Time) (flushed int, err error) {
	inactive := "NOT " + hasDecision("until > ?")
	at := s.dialect.bindTime(now)
	if policy.MaxAge > 0 {
		oldest := s.dialect.bindTime(now.Add(-policy.MaxAge))
		if flushed, err = s.purge(ctx, rowsOf("alerts", "created_at <= ? AND "+inactive, oldest, at)); err != nil {
			return flushed, err
		}
	}
	if policy.MaxItems > 0 {
		surplus, err := s.purge(ctx, rowsOf("alerts", "id < (SELECT MAX(id) FROM alerts) - ? AND "+inactive, policy.MaxItems, at))
		return flushed + surplus, err
	}
	return flushed, nil
}

// deadChanges are the entries about decisions that would have ended by themselves by now: who missed the
// addition missed nothing, who missed the removal dropped the decision at its own end. The last entry stays:
// its number is where a snapshot begins.
func deadChanges(now any) selection {
	return selection{table: "decision_changes", key: "seq", condition: `seq < (SELECT MAX(seq) FROM decision_changes) AND (
		(removed = TRUE AND (until IS NULL OR until <= ?)) OR (removed = FALSE AND NOT EXISTS (
			SELECT 1 FROM decisions WHERE decisions.id = decision_changes.decision_id AND until > ?)))`, args: []any{now, now}}
}

// selection are rows of a table. A row that is selected once must stay so.
type selection struct {
	table, key string
	condition  string
	args       []any
}

func rowsOf(table, condition string, args ...any) selection {
	return selection{table: table, key: "id", condition: condition, args: args}
}

// purge removes the rows in batches, in the order of their keys, and returns how many.
func (s *Store) purge(ctx context.Context, rows selection) (purged int, err error) {
	var last int64
	for {
		keys, err := s.nextKeys(ctx, rows, last)
		if err != nil || len(keys) == 0 {
			return purged, err
		}
		last = keys[len(keys)-1]
		var count int
		err = s.write(ctx, func(tx session) error {
			count, err = tx.exec(ctx, "DELETE FROM "+rows.table+" WHERE "+rows.key+" IN "+idList(keys))
			return err
		})
		if err != nil {
			return purged, fmt.Errorf("purging %s: %w", rows.table, err)
		}
		purged += count
	}
}

// nextKeys searches outside of a writing transaction, because it may have to look at every row.
func (s *Store) nextKeys(ctx context.Context, rows selection, after int64) (keys []int64, err error) {
	query := fmt.Sprintf("SELECT %[2]s FROM %[1]s WHERE %[2]s > ? AND (%[3]s) ORDER BY %[2]s LIMIT %[4]d",
		rows.table, rows.key, rows.condition, flushBatch)
	err = s.read(ctx, func(tx session) error {
		keys, err = collect(ctx, tx, func(scan scanFunc) (key int64, err error) {
			err = scan(&key)
			return key, err
		}, query, append([]any{after}, rows.args...)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("searching %s to purge: %w", rows.table, err)
	}
	return keys, nil
}
