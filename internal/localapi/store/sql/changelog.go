package sql

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// logAdditions appends an entry for each of the count decisions that fulfil the conditions, by ID.
func (s session) logAdditions(ctx context.Context, count int, which conditions) error {
	before, err := s.advance(ctx, changeCounter, count)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO decision_changes (seq, removed, decision_id)
		SELECT ? + ROW_NUMBER() OVER (ORDER BY id), FALSE, id FROM decisions`+which.where(), append([]any{before}, which.args...)...)
	if err != nil {
		return fmt.Errorf("logging additions: %w", err)
	}
	return nil
}

// logAdditionsFrom is logAdditions for all decisions from the first ID on, whose IDs follow each other without a gap. It
// returns the number of the last entry.
func (s session) logAdditionsFrom(ctx context.Context, first int64, count int) (last int64, err error) {
	before, err := s.advance(ctx, changeCounter, count)
	if err != nil {
		return 0, err
	}
	_, err = s.exec(ctx, "INSERT INTO decision_changes (seq, removed, decision_id) SELECT id + ?, FALSE, id FROM decisions WHERE id >= ?",
		before+1-first, first)
	if err != nil {
		return 0, fmt.Errorf("logging additions: %w", err)
	}
	return before + int64(count), nil
}

// logRemovals appends an entry for each of the decisions, by ID. It comes before the removal itself, as it copies
// the rows; the caller has locked them, because whoever waits for a row must not hold the counter.
func (s session) logRemovals(ctx context.Context, ids []int64, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	last, err := s.advance(ctx, changeCounter, len(ids))
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, idsPerStatement) {
		logged, err := s.exec(ctx, `INSERT INTO decision_changes (seq, removed, ended_at, decision_id, alert_id, uuid, origin, type,
				scenario, scope, value, simulated, until, created_at)
			SELECT ? + ROW_NUMBER() OVER (ORDER BY id), TRUE, ?, id, alert_decisions, uuid, origin, type, scenario, scope, value,
				simulated, until, created_at
			FROM decisions WHERE id IN `+idList(batch), last, s.time(now))
		if err != nil {
			return fmt.Errorf("logging removals: %w", err)
		}
		last += int64(logged)
	}
	return nil
}

// Snapshot implements store.ChangeLog.
func (s *Store) Snapshot(ctx context.Context, now time.Time) (snapshot store.Snapshot, err error) {
	snapshot.Seq, err = s.VisitActive(ctx, now, func(d *domain.Decision) { snapshot.Decisions = append(snapshot.Decisions, *d) })
	if err != nil {
		return store.Snapshot{}, err
	}
	return snapshot, nil
}

// VisitActive implements store.ChangeLog.
func (s *Store) VisitActive(ctx context.Context, now time.Time, visit func(*domain.Decision)) (seq int64, err error) {
	err = s.read(ctx, func(tx session) error {
		if seq, err = tx.counter(ctx, changeCounter); err != nil {
			return err
		}
		return tx.eachDecision(ctx, visit, " WHERE until > ? ORDER BY id", tx.time(now))
	})
	if err != nil {
		return 0, err
	}
	return seq, s.settle(ctx, seq)
}

// ChangesSince implements store.ChangeLog. The decision of a removal ends when it was removed. An addition
// whose decision is gone may be left out: its removal follows, or it had expired.
func (s *Store) ChangesSince(ctx context.Context, seq int64, limit int) ([]store.Change, error) {
	own := s.recent.after(seq, limit)
	if len(own) == limit {
		return own, nil
	}
	if len(own) > 0 {
		seq = own[len(own)-1].Seq
	}
	others, err := s.readChanges(ctx, seq, limit-len(own))
	if err != nil {
		return nil, err
	}
	return append(own, others...), nil
}

func (s *Store) readChanges(ctx context.Context, seq int64, limit int) (changes []store.Change, err error) {
	// Exactly one side of each COALESCE has a value: the join finds rows for additions only.
	const query = `SELECT c.seq, c.removed, c.decision_id, COALESCE(d.alert_decisions, c.alert_id), COALESCE(d.uuid, c.uuid),
			COALESCE(d.origin, c.origin), COALESCE(d.type, c.type), COALESCE(d.scenario, c.scenario),
			COALESCE(d.scope, c.scope), COALESCE(d.value, c.value), COALESCE(d.simulated, c.simulated),
			COALESCE(d.until, c.ended_at), COALESCE(d.created_at, c.created_at)
		FROM decision_changes AS c LEFT JOIN decisions AS d ON d.id = c.decision_id AND c.removed = FALSE
		WHERE c.seq > ? AND (c.removed = TRUE OR d.id IS NOT NULL) ORDER BY c.seq LIMIT ?`
	err = s.ask(func(tx session) error {
		changes, err = collect(ctx, tx, scanChange, query, seq, limit)
		return err
	})
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	if err := s.settle(ctx, changes[len(changes)-1].Seq); err != nil {
		return nil, err
	}
	return changes, nil
}

func scanChange(scan scanFunc) (c store.Change, err error) {
	err = scan(append([]any{&c.Seq, &c.Removed}, decisionFields(&c.Decision)...)...)
	return c, err
}

// eachDecision shows the decisions that which selects to visit, one after the other in the same place.
func (s session) eachDecision(ctx context.Context, visit func(*domain.Decision), which string, args ...any) error {
	var d domain.Decision
	fields := decisionFields(&d)
	return s.each(ctx, func(scan scanFunc) error {
		err := scan(fields...)
		if err == nil {
			visit(&d)
		}
		return err
	}, "SELECT id, alert_decisions, uuid, origin, type, scenario, scope, value, simulated, "+
		s.engine.times("until", "created_at")+" FROM decisions"+which, args...)
}

// decisionFields receive the columns of a decision, in the order in which they are selected.
func decisionFields(d *domain.Decision) []any {
	return []any{
		&d.ID, nullable(&d.AlertID), nullable(&d.UUID), &d.Origin, &d.Type, &d.Scenario, &d.Scope, &d.Value,
		&d.Simulated,
		instant{&d.Until},
		instant{&d.CreatedAt},
	}
}
