package remediation

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Start says what an Enforcer does while nothing is known of what is desired.
type Start string

// The kinds of start.
const (
	// OpenStart lets everything pass that is not enforced already.
	OpenStart Start = "open"
	// ClosedStart lets only those pass who are allowed or have a connection already.
	ClosedStart Start = "closed"
)

// Enforcer keeps a backend equal to the desired state. It is safe for concurrent use.
type Enforcer struct {
	backend Backend
	filter  Filter
	begin   Start
	now     func() time.Time
	log     *slog.Logger

	mu       sync.Mutex // guards all below, and the use of backend
	desired  *Desired   // until the first snapshot what was remembered and adopted
	allowed  []Element  // by the Local API, when answered
	answered bool       // allowed is known
	enforced belief     // what the backend holds since the last success; Sets is nil when that is not known
	known    knowledge
	changes  int // of the desired state
	audits   Audits
	standing standing
}

// knowledge is where the desired state comes from.
type knowledge int

const (
	nothing    knowledge = iota
	remembered           // from what was in force, or from disk
	told                 // by the Local API
)

// NewEnforcer returns an Enforcer that knows neither what is desired nor what is enforced.
func NewEnforcer(backend Backend, filter Filter, now func() time.Time, log *slog.Logger) *Enforcer {
	return &Enforcer{
		backend: backend, filter: filter, begin: OpenStart, now: now, log: log, desired: NewDesired(filter),
	}
}

// BeginWith says what to do while nothing is known. It is called before Start, if at all.
func (e *Enforcer) BeginWith(start Start) { e.begin = start }

// Recall takes over what was desired before, as far as it has not ended. It is called before Start, if at
// all. What is not enforced here is left out.
func (e *Enforcer) Recall(records []Record) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for _, record := range records {
		if inForce(record.Until, now) && e.desired.recall(record) == nil {
			e.known = remembered
		}
	}
}

// Start completes what is around the sets, adopts what is in force, so that it stays in force until the Local
// API has answered, and enforces what was recalled.
func (e *Enforcer) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.read(ctx); err != nil {
		return err
	}
	now := e.now()
	if inForce := e.enforced.bans(now); inForce > 0 {
		e.known = remembered
		e.log.InfoContext(ctx, "adopted what is in force", "elements", inForce)
	}
	e.desired.adopt(e.enforced.Enforced, now)
	plan := e.enforced.compare(e.desired, now)
	if added, _, _ := plan.counts(); added > 0 {
		e.log.InfoContext(ctx, "enforcing what was known last", "elements", added)
	}
	return e.apply(ctx, plan)
}

// Snapshot replaces the desired state by all decisions that are active, and enforces it. It reports whether
// the snapshot was believed: one without any content is not while something is in force, because that is
// also what a Local API answers that cannot read its own database; what is in force then stays until it
// expires. An error means that the desired state is known but not yet enforced. The batch is a Whole one, and the
// Enforcer's from now on.
func (e *Enforcer) Snapshot(ctx context.Context, batch *Batch) (believed bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.enforced.Sets == nil {
		if err := e.read(ctx); err != nil && batch.isEmpty() {
			return false, err
		}
	}
	if batch.isEmpty() {
		if inForce := e.enforced.bans(e.now()); inForce > 0 {
			e.log.WarnContext(ctx, "the local api knows no decision at all, keeping what is in force until it expires",
				"elements", inForce)
			return false, nil
		}
	}
	return true, e.replace(ctx, batch)
}

// Settle is Snapshot for one that is proven to be whole: it is believed, even when it is empty.
func (e *Enforcer) Settle(ctx context.Context, batch *Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.replace(ctx, batch)
}

func (e *Enforcer) replace(ctx context.Context, batch *Batch) error {
	now := e.now()
	e.keepAllowed(batch.desired)
	e.desired, e.known = batch.desired, told
	e.changes++
	e.standing.begin(batch.Revision)
	e.report(ctx, 0, batch.added)
	return e.attempt(ctx, func() Plan { return e.enforced.compare(e.desired, now) })
}

// keepAllowed hands over to desired what passes; what was remembered, when that is not known.
func (e *Enforcer) keepAllowed(desired *Desired) {
	if e.answered {
		desired.Allow(e.allowed)
		return
	}
	for _, set := range allowSets() {
		if held := e.desired.sets[set]; held != nil {
			desired.sets[set] = held
		}
	}
}

// Changes brings the desired state forward by what was decided since the last call, and enforces it. The batch is a
// Delta.
func (e *Enforcer) Changes(ctx context.Context, batch *Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, values := e.now(), touched{}
	e.desired.journal = values
	for _, r := range batch.ceased {
		e.desired.release(r)
	}
	for _, h := range batch.begun {
		e.desired.hold(h.ruling, h.until)
	}
	e.desired.journal = nil
	if len(batch.begun)+len(batch.ceased) > 0 {
		e.changes++
	}
	e.standing.told = batch.Revision
	e.report(ctx, len(batch.ceased), batch.added)
	return e.attempt(ctx, func() Plan { return e.enforced.compareTouched(e.desired, values, now) })
}

// Allow replaces what passes in spite of bans, and enforces it.
func (e *Enforcer) Allow(ctx context.Context, elements []Element) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answered && slices.Equal(e.allowed, elements) {
		return nil
	}
	e.allowed, e.answered = elements, true
	e.desired.Allow(elements)
	e.changes++
	e.log.InfoContext(ctx, "new allowlists", "elements", len(elements))
	values := touched{}
	for _, set := range allowSets() {
		values[set] = nil
	}
	now := e.now()
	return e.attempt(ctx, func() Plan { return e.enforced.compareTouched(e.desired, values, now) })
}

// Reconcile compares what is really enforced with the desired state and repairs the difference.
func (e *Enforcer) Reconcile(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reconcile(ctx)
}

// Audits returns what comparisons have found so far.
func (e *Enforcer) Audits() Audits {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.audits
}

// Active returns how many bans of each group are in force, in the order of groups.
func (e *Enforcer) Active() []Active {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	counts := map[Active]int{}
	for set := range e.enforced.Sets {
		if !set.Allow {
			counts[Active{Group: set.Group, IPv6: set.IPv6}] += e.enforced.live(set, now)
		}
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
	begin := e.now()
	e.enforced = belief{} // two readings at once would take twice the memory
	if err := e.read(ctx); err != nil {
		e.standing.verified = 0
		return err
	}
	now := e.now()
	e.desired.expire(now)
	plan := e.enforced.compare(e.desired, now)
	found := audit(plan)
	found.At, found.Took = now, e.now().Sub(begin)
	err := e.apply(ctx, plan)
	found.Repaired = err == nil
	e.audits.note(found)
	e.standing.read(found)
	e.say(ctx, found)
	return err
}

// say logs what a comparison has found; that everything is as it should be only for those who look closely.
func (e *Enforcer) say(ctx context.Context, found Audit) {
	level, message := slog.LevelDebug, "verified"
	if found.Missing+found.Stale+found.Foreign > 0 || found.Damaged {
		level, message = slog.LevelInfo, "verified, and found differences"
	}
	e.log.Log(ctx, level, message, found.fields()...) //nolint:sloglint // one of two
}

func (e *Enforcer) read(ctx context.Context) error {
	enforced, err := e.backend.Read(ctx)
	if err != nil {
		e.enforced = belief{}
		return fmt.Errorf("reading what is in force: %w", err)
	}
	if enforced.Sets == nil {
		enforced.Sets = map[Set]Elements{}
	}
	e.enforced = belief{Enforced: enforced}
	return nil
}

// apply performs plan, and opens or closes the gate, and takes note of the outcome; after an error it is not
// known.
func (e *Enforcer) apply(ctx context.Context, plan Plan) error {
	plan.Closed = e.begin == ClosedStart && e.known == nothing
	if plan.Closed != e.enforced.Closed {
		plan.Repair = true
	}
	if !plan.IsEmpty() {
		if err := e.backend.Apply(ctx, plan); err != nil {
			e.enforced = belief{}
			return err
		}
	}
	e.enforced.applied(plan, e.desired)
	e.standing.applied = e.standing.told
	return nil
}
