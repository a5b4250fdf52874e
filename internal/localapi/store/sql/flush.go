package sql

import (
	"context"
	"fmt"
	"time"

	"shieldwall/internal/localapi/store"
)

// flushBatch is how many rows one transaction removes, so that those who wait to write do not wait for long.
const flushBatch = 256

// Flush implements store.Housekeeping. Rows that belong to no alert any more always go. On an error what was
// removed before stays removed, and is counted.
func (s *Store) Flush(ctx context.Context, policy store.FlushPolicy) (store.Flushed, error) {
	var flushed store.Flushed
	threshold, err := s.alertThreshold(ctx, policy.MaxAlerts)
	if err != nil {
		return flushed, err
	}
	for _, rows := range s.doomed(policy, s.now(), threshold, &flushed) {
		count, err := s.purge(ctx, rows)
		*rows.count += count
		if err != nil {
			return flushed, err
		}
	}
	return flushed, nil
}

// doomed lists what has to go. Alerts come before machines, which stay as long as they have some.
func (s *Store) doomed(policy store.FlushPolicy, now time.Time, threshold int64, flushed *store.Flushed) []selection {
	at := s.engine.bindTime(now)
	before := func(age time.Duration) any { return s.engine.bindTime(now.Add(-age)) }
	inactive := "NOT " + hasDecision("until > ?")
	all := []selection{
		{&flushed.Events, "events", "id", "alert_events IS NULL", nil},
		{&flushed.Decisions, "decisions", "id", "alert_decisions IS NULL AND (until IS NULL OR until <= ?)", []any{at}},
	}
	if policy.MaxAlertAge > 0 {
		all = append(all, selection{&flushed.Alerts, "alerts", "id", "created_at <= ? AND " + inactive, []any{before(policy.MaxAlertAge), at}})
	}
	if threshold > 0 {
		all = append(all, selection{&flushed.Alerts, "alerts", "id", "id < ? AND " + inactive, []any{threshold, at}})
	}
	if policy.MaxUsageAge > 0 {
		all = append(all, selection{&flushed.UsageReports, "metrics", "id", "received_at <= ?", []any{before(policy.MaxUsageAge)}})
	}
	if policy.MaxAuditAge > 0 {
		all = append(all, selection{&flushed.AuditEntries, "audit_log", "id", "created_at <= ?", []any{before(policy.MaxAuditAge)}})
	}
	if policy.ExpiredAllowlist {
		all = append(all, selection{&flushed.AllowlistItems, "allow_list_items", "id", "expires_at <= ?", []any{at}})
	}
	for auth, age := range policy.IdleBouncers {
		all = append(all, selection{&flushed.Bouncers, "bouncers", "id", "auth_type = ? AND last_pull <= ?", []any{string(auth), before(age)}})
	}
	for auth, age := range policy.IdleMachines {
		all = append(all, selection{&flushed.Machines, "machines", "id", idleMachine, []any{string(auth), before(age)}})
	}
	if policy.MaxChangeAge > 0 {
		all = append(all, selection{&flushed.Changes, "decision_changes", "seq", deadChange, []any{at, before(policy.MaxChangeAge), at}})
	}
	return all
}

const (
	idleMachine = `auth_type = ? AND last_heartbeat <= ? AND ip_address NOT IN ('127.0.0.1', '::1')
		AND NOT EXISTS (SELECT 1 FROM alerts WHERE machine_alerts = machines.id)`

	// deadChange is an entry about a decision that would have ended by itself by now: who missed the addition missed
	// nothing, who missed the removal dropped the decision at its own end.
	deadChange = `(removed = TRUE AND (until IS NULL OR until <= ?) AND ended_at <= ?)
		OR (removed = FALSE AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.id = decision_changes.decision_id AND until > ?))`
)

// alertThreshold is the ID below which alerts are too many, 0 without a limit.
func (s *Store) alertThreshold(ctx context.Context, keep int) (threshold int64, err error) {
	if keep <= 0 {
		return 0, nil
	}
	err = s.ask(func(tx session) error {
		return tx.one(ctx, []any{nullable(&threshold)}, "SELECT MAX(id) FROM alerts")
	})
	return max(0, threshold-int64(keep)), err
}

// selection are rows of a table, which are counted when they are gone.
type selection struct {
	count      *int
	table, key string
	condition  string
	args       []any
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
			// A bouncer may have come back since it was selected, so the condition is asked again.
			query := "DELETE FROM " + rows.table + " WHERE " + rows.key + " IN " + idList(keys) + " AND (" + rows.condition + ")"
			count, err = tx.exec(ctx, query, rows.args...)
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
	err = s.ask(func(tx session) error {
		keys, err = collect(ctx, tx, scanID, query, append([]any{after}, rows.args...)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("searching %s to purge: %w", rows.table, err)
	}
	return keys, nil
}
