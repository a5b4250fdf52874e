package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

// OpenReplicas returns count stores on one new, empty database.
type OpenReplicas func(t *testing.T, now func() time.Time, count int) []Store

// RunReplicas checks what several processes on one database may count on.
func RunReplicas(t *testing.T, open OpenReplicas) {
	t.Helper()
	for name, check := range map[string]func(*replicas){
		"writers at the same time, and who follows them": concurrentWriters,
		"an alert that is sent to all is stored once":    concurrentRepetition,
		"the same alerts are deleted at the same time":   concurrentDeletion,
		"flush beside writers":                           concurrentFlush,
		"allowlists change at the same time":             concurrentAllowlists,
		"one of many gets the lease":                     concurrentLease,
		"one of many gets the bouncer":                   concurrentClaim,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			stores := open(t, c.Now, 2)
			check(&replicas{fixture: &fixture{Store: stores[0], t: t, clock: c}, stores: stores})
		})
	}
}

// replicas are stores on one database; the fixture works with the first.
type replicas struct {
	*fixture

	stores []Store
}

// each calls do for the stores, times over, all at the same time.
func (r *replicas) each(times int, do func(ctx context.Context, s Store, number int) error) error {
	group, ctx := errgroup.WithContext(r.t.Context())
	for i := range times * len(r.stores) {
		group.Go(func() error { return do(ctx, r.stores[i%len(r.stores)], i) })
	}
	return group.Wait()
}

const (
	writersOfReplica = 2
	alertsOfWriter   = 12
)

// concurrentWriters checks that nobody is turned away, and that a follower who reads while others write misses
// nothing: had an entry become visible after a later one, the follower would have passed it by.
func concurrentWriters(r *replicas) {
	var writing atomic.Bool
	writing.Store(true)
	followers := make([]follower, len(r.stores))
	following, _ := errgroup.WithContext(r.t.Context())
	for i, s := range r.stores {
		following.Go(func() (err error) {
			followers[i], err = followWhile(r.t.Context(), s, writing.Load)
			return err
		})
	}
	err := r.each(writersOfReplica, func(ctx context.Context, s Store, writer int) error {
		return writeAlerts(ctx, r, s, writer)
	})
	writing.Store(false)
	succeed(r.t, "following", following.Wait())
	succeed(r.t, "writing", err)

	want := snapshotNow(r.fixture)
	for _, f := range followers {
		equal(r.t, "last change of the follower", f.seq, want.Seq)
		equal(r.t, "active decisions of the follower", active(f.held, r.clock.Now()), want.Decisions)
	}
	equal(r.t, "active decisions", len(want.Decisions), len(r.stores)*writersOfReplica*alertsOfWriter*2/3)
}

// followWhile reads the log in small pages until going on reports false, and then to its end.
func followWhile(ctx context.Context, s Store, goingOn func() bool) (follower, error) {
	f := follower{held: map[int64]domain.Decision{}}
	for {
		last := !goingOn()
		changes, err := s.ChangesSince(ctx, f.seq, 5)
		if err != nil {
			return f, err
		}
		if err := f.apply(changes); err != nil {
			return f, err
		}
		if last && len(changes) == 0 {
			return f, nil
		}
	}
}

// writeAlerts adds alerts with a decision that lasts and one that is ended at once, and deletes every third.
func writeAlerts(ctx context.Context, r *replicas, s Store, writer int) error {
	for i := range alertsOfWriter {
		name := fmt.Sprintf("%d-%d", writer, i)
		alert := lasting(r.fixture, name+"-kept", name+"-ended")
		alert.UUID = name
		ids, err := s.AddAlerts(ctx, []domain.Alert{alert})
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		ended, err := s.ExpireDecisions(ctx, store.DecisionFilter{Value: name + "-ended"}, r.clock.advance(time.Microsecond))
		if err != nil || ended != 1 {
			return fmt.Errorf("expired %d of alert %d: %w", ended, ids[0], err)
		}
		if i%3 != 0 {
			continue
		}
		if deleted, err := s.DeleteAlerts(ctx, store.AlertFilter{IDs: ids}, r.clock.Now()); err != nil || deleted != 1 {
			return fmt.Errorf("deleted %d of alert %d: %w", deleted, ids[0], err)
		}
	}
	return nil
}

func concurrentRepetition(r *replicas) {
	for round := range 5 {
		alerts := []domain.Alert{lasting(r.fixture, "a"), lasting(r.fixture, "b", "c")}
		for i := range alerts {
			alerts[i].UUID = fmt.Sprintf("%d-%d", round, i)
		}
		answers := make(chan []int64, 3*len(r.stores))
		succeed(r.t, "adding the same", r.each(3, func(ctx context.Context, s Store, _ int) error {
			ids, err := s.AddAlerts(ctx, alerts)
			answers <- ids
			return err
		}))
		first := <-answers
		for range cap(answers) - 1 {
			equal(r.t, "IDs", <-answers, first)
		}
		equal(r.t, "alerts", len(alertsNow(r.fixture, store.AlertFilter{})), (round+1)*2)
		equal(r.t, "changes", len(changesNow(r.fixture, 0)), (round+1)*3)
	}
}

func concurrentDeletion(r *replicas) {
	const count = 20
	var alerts []domain.Alert
	for i := range count {
		alerts = append(alerts, lasting(r.fixture, strconv.Itoa(i)))
	}
	addAlerts(r.fixture, alerts...)
	var gone atomic.Int64
	now := r.clock.Now()
	succeed(r.t, "deleting and ending the same", r.each(3, func(ctx context.Context, s Store, i int) error {
		if i%3 == 0 {
			_, err := s.ExpireDecisions(ctx, store.DecisionFilter{}, now)
			return err
		}
		deleted, err := s.DeleteAlerts(ctx, store.AlertFilter{}, now)
		gone.Add(int64(deleted))
		return err
	}))
	equal(r.t, "deleted", gone.Load(), count)
	removed := map[int64]int{}
	for _, change := range changesNow(r.fixture, 0) {
		removed[change.Decision.ID]++
		equal(r.t, "removed", change.Removed, true)
	}
	equal(r.t, "decisions that were removed", len(removed), count)
	for id, times := range removed {
		equal(r.t, fmt.Sprintf("removals of decision %d", id), times, 1)
	}
}

// concurrentFlush checks that housekeeping and writers get along, whoever locks what.
func concurrentFlush(r *replicas) {
	addMachine(r.fixture, domain.Machine{ID: "m", AuthType: domain.AuthTLS, IPAddress: "192.0.2.1", LastHeartbeat: r.clock.Now().Add(-time.Hour)})
	var old []domain.Alert
	for i := range 400 {
		alert := domain.Alert{MachineID: "m", Events: make([]domain.AlertEvent, 2), Meta: []domain.KeyValue{{Key: "k"}}}
		alert.Decisions = []domain.Decision{{Scope: "s", Value: strconv.Itoa(i), Until: r.clock.Now()}}
		old = append(old, alert)
	}
	addAlerts(r.fixture, old...)
	r.clock.advance(time.Hour)
	policy := store.FlushPolicy{
		MaxAlertAge: time.Minute, MaxAlerts: 1000, MaxChangeAge: time.Minute,
		IdleMachines: map[domain.AuthType]time.Duration{domain.AuthTLS: time.Hour},
	}
	succeed(r.t, "flushing and writing", r.each(3, func(ctx context.Context, s Store, i int) error {
		if i < len(r.stores) {
			_, err := s.Flush(ctx, policy)
			return err
		}
		for j := range 10 {
			alert := lasting(r.fixture, fmt.Sprintf("%d-%d", i, j))
			alert.MachineID = "m"
			if _, err := s.AddAlerts(ctx, []domain.Alert{alert}); err != nil {
				return err
			}
			if err := s.UpdateMachine(ctx, "m", store.MachineChange{Version: new("v1")}); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return nil
	}))
	flushNow(r.fixture, policy)
	kept := 2 * len(r.stores) * 10
	equal(r.t, "alerts", len(alertsNow(r.fixture, store.AlertFilter{})), kept)
	equal(r.t, "active decisions", len(snapshotNow(r.fixture).Decisions), kept)
}

func concurrentAllowlists(r *replicas) {
	createList(r.fixture, domain.Allowlist{Name: "a"})
	before := revisionNow(r.fixture)
	const times = 3
	var added atomic.Int64
	succeed(r.t, "adding at the same time", r.each(times, func(ctx context.Context, s Store, i int) error {
		count, err := s.AddAllowlistItems(ctx, "a", []domain.AllowlistItem{
			{Value: "203.0.113.1"}, {Value: "192.0.2." + strconv.Itoa(i)}, {Value: "203.0.113.2"},
		})
		added.Add(int64(count))
		return err
	}))
	writers := times * len(r.stores)
	equal(r.t, "added", int(added.Load()), writers+2)
	equal(r.t, "items", len(listsNow(r.fixture)[0].Items), writers+2)
	if after := revisionNow(r.fixture); after < before+int64(writers) {
		r.t.Fatalf("revision %d after %d changes of %d", after, writers, before)
	}
}

// concurrentLease checks that one of those who ask at the same time gets the lease, free or run out.
func concurrentLease(r *replicas) {
	for range 3 {
		var winners atomic.Int64
		succeed(r.t, "asking at the same time", r.each(3, func(ctx context.Context, s Store, i int) error {
			acquired, err := s.Acquire(ctx, "pull", strconv.Itoa(i), farAhead)
			if acquired {
				winners.Add(1)
			}
			return err
		}))
		equal(r.t, "holders", winners.Load(), 1)
		for i := range 3 * len(r.stores) { // the next round finds a lease that has run out
			acquire(r.fixture, "pull", strconv.Itoa(i), -time.Second)
		}
	}
}

// concurrentClaim checks that a bouncer that was never used has one owner, whoever else wants it.
func concurrentClaim(r *replicas) {
	for round := range 3 {
		b := addBouncer(r.fixture, domain.Bouncer{Name: "b" + strconv.Itoa(round), AuthType: domain.AuthAPIKey})
		var owners atomic.Int64
		succeed(r.t, "claiming at the same time", r.each(3, func(ctx context.Context, s Store, i int) error {
			address := "192.0.2." + strconv.Itoa(i)
			err := s.UpdateBouncer(ctx, b.ID, store.BouncerChange{IPAddress: &address})
			switch {
			case err == nil:
				owners.Add(1)
			case fault.Is(err, fault.NotFound):
				return nil
			}
			return err
		}))
		equal(r.t, "owners", owners.Load(), 1)
	}
}
