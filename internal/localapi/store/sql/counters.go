package sql

import (
	"context"
	"fmt"
)

// The counters. A transaction that moves one holds it until it ends, so the transactions that move the same
// counter follow each other in the order of its numbers.
const (
	changeCounter    = "decision_changes" // number of the last entry of the change log
	allowlistCounter = "allowlists"       // revision of all lists together
)

// counter returns the number a counter stands at.
func (s session) counter(ctx context.Context, name string) (value int64, err error) {
	err = s.one(ctx, []any{&value}, "SELECT value FROM counters WHERE name = ?", name)
	if err != nil {
		return 0, fmt.Errorf("reading counter %s: %w", name, err)
	}
	return value, nil
}

// advance moves a counter by steps and returns where it stood.
func (s session) advance(ctx context.Context, name string, steps int) (before int64, err error) {
	if _, err := s.exec(ctx, "UPDATE counters SET value = value + ? WHERE name = ?", steps, name); err != nil {
		return 0, fmt.Errorf("moving counter %s: %w", name, err)
	}
	after, err := s.counter(ctx, name)
	if err == nil && name == changeCounter {
		*s.logged = after
	}
	return after - int64(steps), err
}
