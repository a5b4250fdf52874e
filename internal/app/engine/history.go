package engine

import (
	"context"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// history answers what expressions in profiles ask about earlier decisions.
type history struct {
	store store.Decisions
	now   func() time.Time
}

// about selects the decisions that cover an address or range, or, of anything else, have that very value.
func about(value string) store.DecisionFilter {
	addresses, err := domain.ParseIPRange(value)
	if err != nil {
		return store.DecisionFilter{Value: value}
	}
	return store.DecisionFilter{Range: addresses}
}

// CountDecisions counts all decisions on value that are still stored.
func (h history) CountDecisions(ctx context.Context, value string) (int, error) {
	decisions, err := h.store.Decisions(ctx, about(value))
	return len(decisions), err
}

// CountDecisionsSince counts those taken at since or later.
func (h history) CountDecisionsSince(ctx context.Context, value string, since time.Time) (int, error) {
	filter := about(value)
	filter.CreatedSince = since
	decisions, err := h.store.Decisions(ctx, filter)
	return len(decisions), err
}

// CountActiveDecisions counts those that have not expired.
func (h history) CountActiveDecisions(ctx context.Context, value string) (int, error) {
	decisions, err := h.store.Decisions(ctx, about(value))
	count, now := 0, h.now()
	for i := range decisions {
		if decisions[i].Until.After(now) {
			count++
		}
	}
	return count, err
}

// ActiveDecisionsTimeLeft returns how long until the last active decision expires, 0 without one.
func (h history) ActiveDecisionsTimeLeft(ctx context.Context, value string) (time.Duration, error) {
	decisions, err := h.store.Decisions(ctx, about(value))
	var left time.Duration
	now := h.now()
	for i := range decisions {
		left = max(left, decisions[i].Until.Sub(now))
	}
	return left, err
}
