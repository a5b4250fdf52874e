package remediation_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/backendtest"
	"shieldwall/internal/remediation/dryrun"
	"shieldwall/internal/wire"
)

// fragile is a backend that fails when told to, and forgets what others delete.
type fragile struct {
	*dryrun.Backend

	mu      sync.Mutex // guards all below
	failing error
	applied []remediation.Plan
	reads   int
}

func newFragile(now func() time.Time) *fragile {
	return &fragile{Backend: dryrun.New(now, slog.New(slog.DiscardHandler))}
}

func (f *fragile) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing = err
}

func (f *fragile) Read(ctx context.Context) (remediation.Enforced, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.failing != nil {
		return remediation.Enforced{}, f.failing
	}
	return f.Backend.Read(ctx)
}

func (f *fragile) Apply(ctx context.Context, plan remediation.Plan) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return f.failing
	}
	f.applied = append(f.applied, plan)
	return f.Backend.Apply(ctx, plan)
}

func (f *fragile) Counters(context.Context) ([]remediation.Counter, error) {
	return []remediation.Counter{
		{Packets: 10, Bytes: 1000},
		{Dropped: true, Group: "crowdsec", Packets: 3, Bytes: 300},
	}, nil
}

// holds returns the values in force for crowdsec.
func (f *fragile) holds(t *testing.T) map[string]bool {
	t.Helper()
	enforced, err := f.Backend.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	for _, elements := range enforced.Sets {
		for value := range elements {
			values[remediation.Text(value)] = true
		}
	}
	return values
}

func fixed() time.Time { return epoch }

func newEnforcer(backend remediation.Backend, now func() time.Time) *remediation.Enforcer {
	return remediation.NewEnforcer(backend, filter(), now, slog.New(slog.DiscardHandler))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func snapshot(t *testing.T, e *remediation.Enforcer, stream wire.DecisionsStream) {
	t.Helper()
	believed, err := e.Snapshot(t.Context(), backendtest.Told(e.Whole(), stream))
	must(t, err)
	if !believed {
		t.Fatal("the snapshot was not believed")
	}
}

func TestEnforcerHealsAfterAFailedApply(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	e := newEnforcer(backend, fixed)
	must(t, e.Start(t.Context()))
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "1h")}})
	backend.fail(errors.New("out of memory"))
	if err := e.Changes(t.Context(), backendtest.Told(e.Delta(), wire.DecisionsStream{
		Deleted: []wire.Decision{decision("192.0.2.1", "crowdsec", "0s")},
		New:     []wire.Decision{decision("192.0.2.2", "crowdsec", "1h")},
	})); err == nil {
		t.Fatal("no error")
	}
	backend.fail(nil)
	must(t, e.Changes(t.Context(), e.Delta()))
	if holds := backend.holds(t); len(holds) != 1 || !holds["192.0.2.2"] {
		t.Errorf("holds %v", holds)
	}
}

func TestEnforcerKnowsTheSnapshotThatItCouldNotApply(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	e := newEnforcer(backend, fixed)
	backend.fail(errors.New("no privilege"))
	believed, err := e.Snapshot(t.Context(), backendtest.Told(e.Whole(), added("192.0.2.1").stream))
	if !believed || err == nil {
		t.Fatalf("got %t, %v", believed, err)
	}
	backend.fail(nil)
	must(t, e.Reconcile(t.Context()))
	if !backend.holds(t)["192.0.2.1"] {
		t.Error("the ban was lost")
	}
}

func TestEnforcerRestoresWhatOthersDeleted(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	e := newEnforcer(backend, fixed)
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{
		decision("192.0.2.1", "crowdsec", "1h"), decision("198.51.100.0/24", "crowdsec", "1h"),
	}})
	must(t, backend.Remove(t.Context()))
	must(t, e.Reconcile(t.Context()))
	if holds := backend.holds(t); len(holds) != 2 {
		t.Errorf("holds %v", holds)
	}
}

func TestEnforcerDoesNotBelieveAnEmptySnapshot(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	first := newEnforcer(backend, fixed)
	snapshot(t, first, wire.DecisionsStream{}) // nothing is in force: believed
	snapshot(t, first, wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "1h")}})

	second := newEnforcer(backend, fixed)
	must(t, second.Start(t.Context()))
	believed, err := second.Snapshot(t.Context(), second.Whole())
	must(t, err)
	must(t, second.Reconcile(t.Context()))
	if believed || !backend.holds(t)["192.0.2.1"] {
		t.Errorf("believed %t, holds %v", believed, backend.holds(t))
	}
	snapshot(t, second, wire.DecisionsStream{Deleted: []wire.Decision{decision("192.0.2.1", "crowdsec", "0s")}})
	if holds := backend.holds(t); len(holds) != 0 {
		t.Errorf("holds %v after a snapshot with content", holds)
	}
}

// A change must not cost as much as everything that is in force.
func TestEnforcerAppliesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	backend := newFragile(fixed)
	e := newEnforcer(backend, fixed)
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{
		decision("192.0.2.1", "crowdsec", "1h"), decision("192.0.2.2", "cscli", "1h"),
	}})
	reads, applied := backend.reads, len(backend.applied)
	repeated := wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.1", "crowdsec", "59m59s")}}
	must(t, e.Changes(t.Context(), backendtest.Told(e.Delta(), repeated)))
	if len(backend.applied) != applied {
		t.Errorf("a repeated decision was applied: %+v", backend.applied[applied:])
	}
	must(t, e.Changes(t.Context(), backendtest.Told(e.Delta(), wire.DecisionsStream{New: []wire.Decision{decision("192.0.2.3", "cscli", "1h")}})))
	plan := backend.applied[len(backend.applied)-1]
	if backend.reads != reads || len(plan.Changes) != 1 || len(plan.Changes[0].Add) != 1 || len(plan.Changes[0].Refresh) != 0 {
		t.Errorf("%d reads, planned %+v", backend.reads-reads, plan)
	}
}

func TestEnforcerCountsWhatIsActive(t *testing.T) {
	t.Parallel()
	now := epoch
	clock := func() time.Time { return now }
	e := newEnforcer(newFragile(clock), clock)
	snapshot(t, e, wire.DecisionsStream{New: []wire.Decision{
		decision("192.0.2.1", "crowdsec", "1h"), decision("192.0.2.0/24", "crowdsec", "2h"),
		decision("2001:db8::1", "crowdsec", "2h"), decision("192.0.2.1", "cscli", "2h"),
	}})
	now = epoch.Add(90 * time.Minute)
	want := []remediation.Active{
		{Group: "crowdsec", Count: 1}, {Group: "crowdsec", IPv6: true, Count: 1}, {Group: "cscli", Count: 1},
	}
	got := e.Active()
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}
