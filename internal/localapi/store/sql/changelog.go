package sql

import (
	"context"
	"fmt"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// logAdditions appends an entry for each decision that fulfils the condition, by ID.
func (s session) logAdditions(ctx context.Context, condition string, args ...any) error {
	_, err := s.exec(ctx, `INSERT INTO decision_changes (removed, decision_id)
		SELECT FALSE, id FROM decisions WHERE `+condition+` ORDER BY id`, args...)
	if err != nil {
		return fmt.Errorf("logging additions: %w", err)
	}
	return nil
}

// logRemovals appends an entry for each decision that fulfils the conditions, by ID. It comes before the
// removal itself, as it copies the rows.
func (s session) logRemovals(ctx context.Context, which conditions, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO decision_changes (removed, ended_at, decision_id, alert_id, uuid, origin, type,
			scenario, scope, value, simulated, until, created_at)
		SELECT TRUE, ?, id, alert_decisions, uuid, origin, type, scenario, scope, value, simulated, until, created_at
		FROM decisions`+which.where()+` ORDER BY id`, append([]any{s.time(now)}, which.args...)...)
	if err != nil {
		return fmt.Errorf("logging removals: %w", err)
	}
	return nil
}

// Snapshot implements store.ChangeLog.
func (s *Store) Snapshot(ctx context.Context, now time.Time) (snapshot store.Snapshot, err error) {
	err = s.read(ctx, func(tx session) error {
		err := tx.one(ctx, []any{nullable(&snapshot.Seq)}, "SELECT MAX(seq) FROM decision_changes")
		if err != nil {
			return fmt.Errorf("reading the last change: %w", err)
		}
		snapshot.Decisions, err = collect(ctx, tx, scanDecision, selectDecisions+" WHERE until > ? ORDER BY id", tx.time(now))
		return err
	})
	return snapshot, err
}

// ChangesSince implements store.ChangeLog. The decision of a removal ends when it was removed. An addition
// whose decision is gone is left out: its removal follows, or it had expired.
func (s *Store) ChangesSince(ctx context.Context, seq int64, limit int) (changes []store.Change, err error) {
	// Exactly one side of each COALESCE has a value: the join finds rows for additions only.
	const query = `SELECT c.seq, c.removed, c.decision_id, COALESCE(d.alert_decisions, c.alert_id), COALESCE(d.uuid, c.uuid),
			COALESCE(d.origin, c.origin), COALESCE(d.type, c.type), COALESCE(d.scenario, c.scenario),
			COALESCE(d.scope, c.scope), COALESCE(d.value, c.value), COALESCE(d.simulated, c.simulated),
			COALESCE(d.until, c.ended_at), COALESCE(d.created_at, c.created_at)
		FROM decision_changes AS c LEFT JOIN decisions AS d ON d.id = c.decision_id AND c.removed = FALSE
		WHERE c.seq > ? AND (c.removed = TRUE OR d.id IS NOT NULL) ORDER BY c.seq LIMIT ?`
	err = s.read(ctx, func(tx session) error {
		changes, err = collect(ctx, tx, scanChange, query, seq, limit)
		return err
	})
	return changes, err
}

func scanChange(scan scanFunc) (c store.Change, err error) {
	err = scan(append([]any{&c.Seq, &c.Removed}, decisionFields(&c.Decision)...)...)
	return c, err
}

const selectDecisions = `SELECT id, alert_decisions, uuid, origin, type, scenario, scope, value, simulated, until,
	created_at FROM decisions`

func scanDecision(scan scanFunc) (d domain.Decision, err error) {
	err = scan(decisionFields(&d)...)
	return d, err
}

// decisionFields receive the columns of selectDecisions, in their order.
func decisionFields(d *domain.Decision) []any {
	return []any{
		&d.ID, nullable(&d.AlertID), nullable(&d.UUID), &d.Origin, &d.Type, &d.Scenario, &d.Scope, &d.Value,
		&d.Simulated,
		instant{&d.Until},
		instant{&d.CreatedAt},
	}
}
