package remediation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"shieldwall/internal/wire"
)

// Enforcer keeps a backend equal to the desired state. It is safe for concurrent use.
type Enforcer struct {
	backend Backend
	filter  Filter
	now     func() time.Time
	log     *slog.Logger

	mu       sync.Mutex // guards all below, and the use of backend
	desired  *Desired   // nil until the first snapshot
	enforced Enforced   // what the backend held after the last success; Sets is nil when that is not known
}

// NewEnforcer returns an Enforcer that knows neither what is desired nor what is enforced.
func NewEnforcer(backend Backend, filter Filter, now func() time.Time, log *slog.Logger) *Enforcer {
	return &Enforcer{backend: backend, filter: filter, now: now, log: log}
}

// Start completes what is around the sets and adopts what is in force, so that it stays in force until the
// Local API has answered.
func (e *Enforcer) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.read(ctx); err != nil {
		return err
	}
	if adopted := e.enforced.live(e.now()); adopted > 0 {
		e.log.InfoContext(ctx, "adopted what is in force", "elements", adopted)
	}
	return e.apply(ctx, Plan{Repair: e.enforced.Incomplete})
}

// Snapshot replaces the desired state by all decisions that are active, and enforces it. It reports whether
// the snapshot was believed: one without any content is not while something is in force, because that is
// also what a Local API answers that cannot read its own database; what is in force then stays until it
// expires. An error means that the desired state is known but not yet enforced.
func (e *Enforcer) Snapshot(ctx context.Context, stream wire.DecisionsStream) (believed bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	empty := len(stream.New)+len(stream.Deleted) == 0
	if e.enforced.Sets == nil {
		if err := e.read(ctx); err != nil && empty {
			return false, err
		}
	}
	now := e.now()
	if inForce := e.enforced.live(now); empty && inForce > 0 {
		e.log.WarnContext(ctx, "the local api knows no decision at all, keeping what is in force until it expires",
			"elements", inForce)
		return false, nil
	}
	desired := NewDesired(e.filter)
	added := e.add(ctx, desired, stream.New, nil, now)
	e.desired = desired
	e.report(ctx, 0, added)
	return true, e.attempt(ctx, func() Plan { return Compare(desired, e.enforced, now) })
}

// Changes brings the desired state forward by what was decided since the last call, and enforces it.
func (e *Enforcer) Changes(ctx context.Context, stream wire.DecisionsStream) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, values := e.now(), touched{}
	removed := 0
	for _, decision := range stream.Deleted {
		set, value, err := e.desired.Remove(decision)
		if e.leftOut(ctx, decision, err) {
			continue
		}
		values.add(set, value)
		removed++
	}
	added := e.add(ctx, e.desired, stream.New, values, now)
	e.report(ctx, removed, added)
	return e.attempt(ctx, func() Plan { return compareTouched(e.desired, e.enforced, values, now) })
}

// Reconcile compares what is really enforced with the desired state and repairs the difference. Before the
// first snapshot it completes only what is around the sets.
func (e *Enforcer) Reconcile(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reconcile(ctx)
}

// Active returns how many elements of each group are in force, in the order of groups.
func (e *Enforcer) Active() []Active {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	counts := map[Active]int{}
	for set, elements := range e.enforced.Sets {
		counts[Active{Group: set.Group, IPv6: set.IPv6}] += elements.live(now)
	}
	active := make([]Active, 0, len(counts))
	for group, count := range counts {
		group.Count = count
		active = append(active, group)
	}
	slices.SortFunc(active, func(a, b Active) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), compareBools(a.IPv6, b.IPv6))
	})
	return active
}

// add takes note of decisions, in values too unless it is nil, and returns how many are enforced here.
func (e *Enforcer) add(
	ctx context.Context, desired *Desired, decisions []wire.Decision, values touched, now time.Time,
) int {
	added := 0
	for _, decision := range decisions {
		set, value, err := desired.Add(decision, now)
		if e.leftOut(ctx, decision, err) {
			continue
		}
		if values != nil {
			values.add(set, value)
		}
		added++
	}
	return added
}

func (e *Enforcer) leftOut(ctx context.Context, decision wire.Decision, err error) bool {
	if err == nil {
		return false
	}
	level := slog.LevelWarn
	if errors.Is(err, errNotOurs) {
		level = slog.LevelDebug
	}
	e.log.Log(ctx, level, "decision left out", "value", decision.Value, "origin", decision.Origin, "reason", err)
	return true
}

func (e *Enforcer) report(ctx context.Context, removed, added int) {
	if removed > 0 {
		e.log.InfoContext(ctx, fmt.Sprintf("%d decision(s) deleted", removed)) //nolint:sloglint // published text
	}
	if added > 0 {
		e.log.InfoContext(ctx, fmt.Sprintf("%d decision(s) added", added)) //nolint:sloglint // published text
	}
}

// attempt applies a plan that trusts the note of what is enforced. When there is none, or it was wrong
// because somebody else has changed the sets, everything is compared with what is really there.
func (e *Enforcer) attempt(ctx context.Context, plan func() Plan) error {
	if e.enforced.Sets == nil {
		return e.reconcile(ctx)
	}
	err := e.apply(ctx, plan())
	if err == nil {
		return nil
	}
	e.log.WarnContext(ctx, "applying changes did not work, comparing everything", "error", err)
	return e.reconcile(ctx)
}

func (e *Enforcer) reconcile(ctx context.Context) error {
	if err := e.read(ctx); err != nil {
		return err
	}
	if e.desired == nil {
		return e.apply(ctx, Plan{Repair: e.enforced.Incomplete})
	}
	now := e.now()
	e.desired.expire(now)
	plan := Compare(e.desired, e.enforced, now)
	if plan.IsEmpty() {
		return nil
	}
	added, refreshed, removed := plan.counts()
	if err := e.apply(ctx, plan); err != nil {
		return err
	}
	e.log.InfoContext(ctx, "reconciled", "added", added, "refreshed", refreshed, "removed", removed,
		"repaired", plan.Repair)
	return nil
}

func (e *Enforcer) read(ctx context.Context) error {
	enforced, err := e.backend.Read(ctx)
	if err != nil {
		e.enforced = Enforced{}
		return fmt.Errorf("reading what is in force: %w", err)
	}
	if enforced.Sets == nil {
		enforced.Sets = map[Set]Elements{}
	}
	e.enforced = enforced
	return nil
}

// apply performs plan and takes note of the outcome; after an error it is not known.
func (e *Enforcer) apply(ctx context.Context, plan Plan) error {
	if plan.IsEmpty() {
		return nil
	}
	if err := e.backend.Apply(ctx, plan); err != nil {
		e.enforced = Enforced{}
		return err
	}
	e.enforced.apply(plan)
	e.enforced.Incomplete = false
	return nil
}
