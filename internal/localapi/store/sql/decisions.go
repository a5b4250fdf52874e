package sql

import (
	"context"
	"fmt"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// ExpireDecisions implements store.Decisions.
func (s *Store) ExpireDecisions(ctx context.Context, filter store.DecisionFilter, now time.Time) (ended int, err error) {
	err = s.write(ctx, func(tx session) error {
		which := tx.decisionConditions(filter)
		if len(filter.IDs) == 0 {
			which.add("until > ?", tx.time(now))
		}
		if err := tx.logRemovals(ctx, which, now); err != nil {
			return err
		}
		ended, err = tx.exec(ctx, "UPDATE decisions SET until = ?, updated_at = ?"+which.where(),
			append([]any{tx.time(now), tx.time(s.now())}, which.args...)...)
		if err != nil {
			return fmt.Errorf("ending decisions: %w", err)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return ended, nil
}

// Decisions implements store.Decisions.
func (s *Store) Decisions(ctx context.Context, filter store.DecisionFilter) (found []domain.Decision, err error) {
	err = s.read(ctx, func(tx session) error {
		must := tx.decisionConditions(filter)
		found, err = collect(ctx, tx, scanDecision, selectDecisions+must.where()+" ORDER BY id", must.args...)
		return err
	})
	return found, err
}

func (s session) decisionConditions(filter store.DecisionFilter) conditions {
	var must conditions
	must.inIDs("id", filter.IDs)
	must.in("uuid", filter.UUIDs)
	must.equal("scope", string(filter.Scope))
	must.equal("value", filter.Value)
	must.equal("type", filter.Type)
	must.equal("origin", filter.Origin)
	must.equal("scenario", filter.Scenario)
	must.covers(filter.Range, filter.Inside)
	if !filter.CreatedSince.IsZero() {
		must.add("created_at >= ?", s.time(filter.CreatedSince))
	}
	return must
}
