package allowlist

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// batchSize is how many decisions are ended in one transaction, so that other writers need not wait.
const batchSize = 300

// Ender ends decisions.
type Ender interface {
	// ExpireDecisions ends those that match and returns how many.
	ExpireDecisions(ctx context.Context, filter store.DecisionFilter, now time.Time) (int, error)
}

// Concerned returns the IDs of those decisions about addresses that items of the set concern at now.
func (s *Set) Concerned(decisions iter.Seq[*domain.Decision], now time.Time) []int64 {
	var ids []int64
	for decision := range decisions {
		if !decision.Scope.IsAddress() {
			continue
		}
		addresses, err := domain.ParseIPRange(decision.Value)
		if err == nil && s.Concerns(addresses, now) {
			ids = append(ids, decision.ID)
		}
	}
	return ids
}

// End ends the decisions with the IDs, batch by batch, and returns how many it has ended, also when it
// fails half way.
func End(ctx context.Context, ender Ender, ids []int64, now time.Time) (int, error) {
	ended := 0
	for batch := range slices.Chunk(ids, batchSize) {
		count, err := ender.ExpireDecisions(ctx, store.DecisionFilter{IDs: batch}, now)
		ended += count
		if err != nil {
			return ended, fmt.Errorf("ending decisions about allowlisted addresses: %w", err)
		}
	}
	return ended, nil
}
