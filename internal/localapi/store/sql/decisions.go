package sql

import (
	"context"
	"fmt"
	"slices"
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
		ids, err := tx.lockDecisions(ctx, which)
		if err != nil {
			return err
		}
		if err := tx.logRemovals(ctx, ids, now); err != nil {
			return err
		}
		ended = len(ids)
		return tx.endDecisions(ctx, ids, now, s.now())
	})
	s.recent.forget()
	if err != nil {
		return 0, err
	}
	return ended, nil
}

// lockDecisions returns the IDs of the decisions that fulfil the conditions, in order.
func (s session) lockDecisions(ctx context.Context, which conditions) ([]int64, error) {
	ids, err := collect(ctx, s, scanID, "SELECT id FROM decisions"+which.where()+" ORDER BY id"+s.engine.forUpdate, which.args...)
	if err != nil {
		return nil, fmt.Errorf("selecting decisions: %w", err)
	}
	return ids, nil
}

func scanID(scan scanFunc) (id int64, err error) {
	err = scan(&id)
	return id, err
}

func (s session) endDecisions(ctx context.Context, ids []int64, until, now time.Time) error {
	for batch := range slices.Chunk(ids, idsPerStatement) {
		_, err := s.exec(ctx, "UPDATE decisions SET until = ?, updated_at = ? WHERE id IN "+idList(batch), s.time(until), s.time(now))
		if err != nil {
			return fmt.Errorf("ending decisions: %w", err)
		}
	}
	return nil
}

// Decisions implements store.Decisions.
func (s *Store) Decisions(ctx context.Context, filter store.DecisionFilter) (found []domain.Decision, err error) {
	err = s.ask(func(tx session) error {
		must := tx.decisionConditions(filter)
		return tx.eachDecision(ctx, func(d *domain.Decision) { found = append(found, *d) }, must.where()+" ORDER BY id", must.args...)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
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
