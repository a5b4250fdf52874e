package storetest

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

const (
	writers        = 4
	alertsOfWriter = 12
)

// concurrentWriters checks that nobody is turned away, and that a follower who reads while others write misses
// nothing: had an entry become visible after a later one, the follower would have passed it by.
func concurrentWriters(f *fixture) {
	writing, done := errgroup.WithContext(f.t.Context())
	for writer := range writers {
		writing.Go(func() error { return writeAlerts(done, f, writer) })
	}
	finished := make(chan error, 1)
	go func() { finished <- writing.Wait() }()

	reader := follower{held: map[int64]domain.Decision{}}
	added := map[string]bool{}
	follow := func() int {
		changes, err := f.ChangesSince(f.t.Context(), reader.seq, 5)
		succeed(f.t, "following", err)
		reader.apply(f.t, changes)
		for _, change := range changes {
			added[change.Decision.Value] = true
		}
		return len(changes)
	}
	for running := true; running; {
		select {
		case err := <-finished:
			succeed(f.t, "writing", err)
			running = false
		default:
			follow()
		}
	}
	for follow() > 0 {
	}
	equal(f.t, "decisions that the follower saw", len(added), writers*alertsOfWriter*2)
	equal(f.t, "active decisions", active(reader.held, f.clock.Now()), snapshotNow(f).Decisions)
}

// writeAlerts adds alerts with a lasting decision, and with one that it ends at once.
func writeAlerts(ctx context.Context, f *fixture, writer int) error {
	for i := range alertsOfWriter {
		name := fmt.Sprintf("%d-%d", writer, i)
		alert := lasting(f, name+"-kept", name+"-ended")
		alert.UUID = name
		ids, err := f.AddAlerts(ctx, []domain.Alert{alert})
		if err != nil {
			return fmt.Errorf("adding %s: %w", name, err)
		}
		ended, err := f.ExpireDecisions(ctx, store.DecisionFilter{Value: name + "-ended"}, f.clock.advance(time.Microsecond))
		if err != nil || ended != 1 {
			return fmt.Errorf("expired %d of alert %d: %w", ended, ids[0], err)
		}
	}
	return nil
}
