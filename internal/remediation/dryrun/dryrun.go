// Package dryrun is a backend that says what it would do and remembers it. It needs no privilege; nothing
// is enforced.
package dryrun

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
)

// Backend keeps in memory what it would enforce. It is safe for concurrent use.
type Backend struct {
	now func() time.Time
	log *slog.Logger

	mu   sync.Mutex // guards sets
	sets map[remediation.Set]remediation.Elements
}

// New returns a Backend that holds nothing.
func New(now func() time.Time, log *slog.Logger) *Backend {
	log.Info("backend type: dry-run")
	log.Info("backend.Init() called")
	return &Backend{now: now, log: log, sets: map[remediation.Set]remediation.Elements{}}
}

// Traits are none: every origin is kept by itself, with any time.
func (b *Backend) Traits() remediation.Traits { return remediation.Traits{} }

// Check always succeeds.
func (b *Backend) Check(context.Context) error { return nil }

// Read returns what was applied and has not expired.
func (b *Backend) Read(context.Context) (remediation.Enforced, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	copied := make(map[remediation.Set]remediation.Elements, len(b.sets))
	for set, elements := range b.sets {
		maps.DeleteFunc(elements, func(_ domain.IPRange, until time.Time) bool { return !until.IsZero() && !until.After(now) })
		copied[set] = maps.Clone(elements)
	}
	return remediation.Enforced{Sets: copied}, nil
}

// Apply says what plan changes and remembers it.
func (b *Backend) Apply(_ context.Context, plan remediation.Plan) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, change := range plan.Changes {
		b.apply(change)
	}
	b.log.Info("backend.Commit() called")
	return nil
}

// Counters returns none: no packet was seen.
func (b *Backend) Counters(context.Context) ([]remediation.Counter, error) {
	b.log.Info("backend.CollectMetrics() called")
	return nil, nil
}

// Remove forgets everything.
func (b *Backend) Remove(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log.Info("backend.ShutDown() called")
	clear(b.sets)
	return nil
}

func (b *Backend) apply(change remediation.Change) {
	elements := b.sets[change.Set]
	if elements == nil {
		elements = remediation.Elements{}
		b.sets[change.Set] = elements
	}
	for _, gone := range change.Remove {
		//nolint:sloglint // published text
		b.log.Info("backend.Delete() called with " + remediation.Text(gone.IPRange))
		delete(elements, gone.IPRange)
	}
	for _, list := range [][]remediation.Element{change.Refresh, change.Add} {
		for _, element := range list {
			//nolint:sloglint // published text
			b.log.Info("backend.Add() called with " + remediation.Text(element.IPRange))
			elements[element.IPRange] = element.Until
		}
	}
}
