package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// RunFollowers checks, with random histories, that whoever applies a snapshot and then the changes after it holds
// exactly the active decisions.
func RunFollowers(t *testing.T, open Open) {
	t.Helper()
	f := newFixture(t, open)
	rapid.Check(t, func(r *rapid.T) {
		// One store lives through all histories, so each begins with what the one before has left in the log.
		_, err := f.DeleteAlerts(t.Context(), store.AlertFilter{}, f.clock.Now())
		succeed(r, "emptying the store", err)
		h := &history{ctx: t.Context(), fixture: f, decisions: map[int64]domain.Decision{}}
		h.restart(r)
		r.Repeat(map[string]func(*rapid.T){
			"add": h.add, "repeat": h.repeat, "expire": h.expire, "delete": h.delete, "wait": h.wait, "flush": h.flush,
			"follow": h.follow, "restart": h.restart, "look": h.look,
		})
		for behind := true; behind; {
			before := h.follower.seq
			h.follow(r)
			behind = h.follower.seq > before
		}
		h.look(r)
	})
}

// history is what happened, as a model of the store.
type history struct {
	*fixture
	ctx       context.Context //nolint:containedctx // of the test, while it runs
	alerts    []domain.Alert  // that are stored
	decisions map[int64]domain.Decision
	follower  follower
}

// follower holds decisions the way a reader of the change log does.
type follower struct {
	seq  int64
	held map[int64]domain.Decision
}

func (f *follower) apply(changes []store.Change) error {
	for _, change := range changes {
		if change.Seq <= f.seq {
			return fmt.Errorf("change %d comes after %d", change.Seq, f.seq)
		}
		f.seq = change.Seq
		if change.Removed {
			delete(f.held, change.Decision.ID)
			continue
		}
		f.held[change.Decision.ID] = change.Decision
	}
	return nil
}

func active(decisions map[int64]domain.Decision, now time.Time) []domain.Decision {
	found := []domain.Decision{}
	for _, id := range slices.Sorted(maps.Keys(decisions)) {
		if decisions[id].Until.After(now) {
			found = append(found, decisions[id])
		}
	}
	return found
}

func (h *history) add(t *rapid.T) {
	var alerts []domain.Alert
	for range rapid.IntRange(1, 2).Draw(t, "alerts") {
		alert := domain.Alert{Scenario: "s", Simulated: rapid.Bool().Draw(t, "simulated")}
		for range rapid.IntRange(0, 3).Draw(t, "decisions") {
			alert.Decisions = append(alert.Decisions, domain.Decision{
				Origin: "o", Type: "ban", Scenario: "s", Scope: domain.ScopeIP, Value: drawValue(t),
				Until: h.clock.Now().Add(time.Duration(rapid.IntRange(-1000, 10_000).Draw(t, "milliseconds")) * time.Millisecond),
			})
		}
		alerts = append(alerts, alert)
	}
	ids, err := h.AddAlerts(h.ctx, alerts)
	succeed(t, "adding", err)
	for i, id := range ids {
		read, err := h.Alert(h.ctx, id)
		succeed(t, "reading", err)
		equal(t, "alert", read, stored(t, h.fixture, alerts[i], id, read))
		h.alerts = append(h.alerts, read)
		for _, d := range read.Decisions {
			h.decisions[d.ID] = d
		}
	}
}

func drawValue(t *rapid.T) string {
	return "192.0.2." + strconv.Itoa(rapid.IntRange(1, 4).Draw(t, "host"))
}

// repeat sends an alert again.
func (h *history) repeat(t *rapid.T) {
	if len(h.alerts) == 0 {
		return
	}
	alert := rapid.SampledFrom(h.alerts).Draw(t, "alert")
	ids, err := h.AddAlerts(h.ctx, []domain.Alert{alert})
	succeed(t, "adding again", err)
	equal(t, "ID", ids, []int64{alert.ID})
}

func (h *history) expire(t *rapid.T) {
	var (
		filter  store.DecisionFilter
		now     = h.clock.Now()
		matches func(domain.Decision) bool
	)
	switch known := slices.Sorted(maps.Keys(h.decisions)); {
	case len(known) > 0 && rapid.Bool().Draw(t, "by ID"):
		filter.IDs = []int64{rapid.SampledFrom(known).Draw(t, "ID")}
		matches = func(d domain.Decision) bool { return d.ID == filter.IDs[0] }
	default:
		filter.Value = drawValue(t)
		matches = func(d domain.Decision) bool { return d.Value == filter.Value && d.Until.After(now) }
	}
	count, err := h.ExpireDecisions(h.ctx, filter, now)
	succeed(t, "expiring", err)
	for id, d := range h.decisions {
		if matches(d) {
			d.Until = now
			h.decisions[id] = d
			count--
		}
	}
	equal(t, "expired too many", count, 0)
}

func (h *history) delete(t *rapid.T) {
	if len(h.alerts) == 0 {
		return
	}
	i := rapid.IntRange(0, len(h.alerts)-1).Draw(t, "alert")
	count, err := h.DeleteAlerts(h.ctx, store.AlertFilter{IDs: []int64{h.alerts[i].ID}}, h.clock.Now())
	succeed(t, "deleting", err)
	equal(t, "deleted", count, 1)
	for _, d := range h.alerts[i].Decisions {
		delete(h.decisions, d.ID)
	}
	h.alerts = slices.Delete(h.alerts, i, i+1)
}

func (h *history) wait(t *rapid.T) {
	h.clock.advance(time.Duration(rapid.IntRange(1, 5000).Draw(t, "milliseconds")) * time.Millisecond)
}

// flush removes what followers do not need, however far behind they are.
func (h *history) flush(t *rapid.T) {
	_, err := h.Flush(h.ctx, store.FlushPolicy{MaxChangeAge: time.Nanosecond})
	succeed(t, "flushing", err)
}

// follow reads some changes. The follower is compared when it has read the last.
func (h *history) follow(t *rapid.T) {
	limit := rapid.IntRange(1, 10).Draw(t, "limit")
	changes, err := h.ChangesSince(h.ctx, h.follower.seq, limit)
	succeed(t, "following", err)
	if len(changes) > limit {
		t.Fatalf("%d changes where %d were asked for", len(changes), limit)
	}
	succeed(t, "applying changes", h.follower.apply(changes))
	if len(changes) < limit {
		now := h.clock.Now()
		equal(t, "active decisions of the follower", active(h.follower.held, now), active(h.decisions, now))
	}
}

func (h *history) restart(t *rapid.T) {
	snapshot, err := h.Snapshot(h.ctx, h.clock.Now())
	succeed(t, "taking a snapshot", err)
	h.follower = follower{seq: snapshot.Seq, held: map[int64]domain.Decision{}}
	for _, d := range snapshot.Decisions {
		h.follower.held[d.ID] = d
	}
}

// look compares a snapshot.
func (h *history) look(t *rapid.T) {
	now := h.clock.Now()
	snapshot, err := h.Snapshot(h.ctx, now)
	succeed(t, "taking a snapshot", err)
	equal(t, "active decisions of the snapshot", append([]domain.Decision{}, snapshot.Decisions...), active(h.decisions, now))
}
