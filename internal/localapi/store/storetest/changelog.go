package storetest

import (
	"context"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

const allChanges = 1_000_000

func contextOf(f *fixture) (context.Context, context.CancelFunc) {
	f.t.Helper()
	return context.WithCancel(f.t.Context())
}

func snapshotNow(f *fixture) store.Snapshot {
	f.t.Helper()
	snapshot, err := f.Snapshot(f.t.Context(), f.clock.Now())
	succeed(f.t, "taking a snapshot", err)
	return snapshot
}

func changesNow(f *fixture, since int64) []store.Change {
	f.t.Helper()
	changes, err := f.ChangesSince(f.t.Context(), since, allChanges)
	succeed(f.t, "reading changes", err)
	return changes
}

// lasting is an alert with one decision a value, each for an hour.
func lasting(f *fixture, values ...string) domain.Alert {
	alert := domain.Alert{Scenario: "s"}
	for _, value := range values {
		alert.Decisions = append(alert.Decisions, domain.Decision{
			Origin: "o", Type: "ban", Scenario: "s", Scope: "user", Value: value, Until: f.clock.Now().Add(time.Hour),
		})
	}
	return alert
}

func changesOfNothing(f *fixture) {
	equal(f.t, "changes", len(changesNow(f, 0)), 0)
	equal(f.t, "snapshot", snapshotNow(f).Seq, 0)
	equal(f.t, "active", len(snapshotNow(f).Decisions), 0)
}

func changesInOrder(f *fixture) {
	addAlerts(f, lasting(f, "a", "b"), lasting(f, "c"))
	addAlerts(f, lasting(f, "d"))
	added := decisionsNow(f, store.DecisionFilter{})
	changes := changesNow(f, 0)
	equal(f.t, "number of changes", len(changes), 4)
	for i, change := range changes {
		equal(f.t, "change", change, store.Change{Seq: change.Seq, Decision: added[i]})
		if change.Seq < 1 || i > 0 && change.Seq <= changes[i-1].Seq {
			f.t.Fatalf("sequence numbers do not rise: %+v", changes)
		}
	}
	equal(f.t, "last change of the snapshot", snapshotNow(f).Seq, changes[3].Seq)

	some, err := f.ChangesSince(f.t.Context(), changes[0].Seq, 2)
	succeed(f.t, "reading some changes", err)
	equal(f.t, "changes after the first", some, changes[1:3])

	now := f.clock.advance(time.Minute)
	equal(f.t, "expired", expire(f, store.DecisionFilter{}), 4)
	for i, change := range changesNow(f, changes[3].Seq) {
		want := added[i]
		want.Until = now
		equal(f.t, "removal", change, store.Change{Seq: change.Seq, Removed: true, Decision: want})
	}
}

func changesOfDeletedAlert(f *fixture) {
	ids := addAlerts(f, fullAlert(f), lasting(f, "kept"))
	gone := alertNow(f, ids[0]).Decisions[0]
	kept := alertNow(f, ids[1]).Decisions[0]
	gone.Until = f.clock.advance(time.Second)
	_, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{IDs: ids[:1]}, f.clock.Now())
	succeed(f.t, "deleting", err)

	changes := changesNow(f, 0)
	equal(f.t, "number of changes", len(changes), 2)
	equal(f.t, "addition of what is left", changes[0], store.Change{Seq: changes[0].Seq, Decision: kept})
	equal(f.t, "removal", changes[1], store.Change{Seq: changes[1].Seq, Removed: true, Decision: gone})
	equal(f.t, "snapshot", snapshotNow(f), store.Snapshot{Seq: changes[1].Seq, Decisions: []domain.Decision{kept}})
}

func changesOfInactive(f *fixture) {
	addAlerts(f, lasting(f, "a"))
	f.clock.advance(time.Hour)
	last := snapshotNow(f).Seq
	_, err := f.DeleteAlerts(f.t.Context(), store.AlertFilter{}, f.clock.Now())
	succeed(f.t, "deleting", err)
	equal(f.t, "changes", len(changesNow(f, last)), 0)

	addAlerts(f, lasting(f, "b"))
	if next := snapshotNow(f).Seq; next <= last {
		f.t.Fatalf("sequence number %d was used before (%d)", next, last)
	}
}

func snapshotActive(f *fixture) {
	whole := f.clock.Now().Truncate(time.Second)
	for _, until := range []time.Duration{-time.Second, -1000, 0, 1000, 500 * time.Millisecond, time.Second} {
		alert := lasting(f, until.String())
		alert.Decisions[0].Until = whole.Add(until)
		addAlerts(f, alert)
	}
	for _, row := range []struct {
		now  time.Duration
		want []string
	}{
		{-1000, []string{"0s", "1µs", "500ms", "1s"}},
		{0, []string{"1µs", "500ms", "1s"}},
		{999, []string{"1µs", "500ms", "1s"}},
		{1000, []string{"500ms", "1s"}},
		{510 * time.Millisecond, []string{"1s"}},
		{time.Second, nil},
	} {
		snapshot, err := f.Snapshot(f.t.Context(), whole.Add(row.now))
		succeed(f.t, "taking a snapshot", err)
		var got []string
		for _, d := range snapshot.Decisions {
			got = append(got, d.Value)
		}
		equal(f.t, "active at "+row.now.String(), got, row.want)
	}
}
