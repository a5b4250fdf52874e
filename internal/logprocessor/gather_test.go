package logprocessor_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// TestAlertsThatComeTogetherAreKeptTogether: one that comes alone does not wait, and those that follow it wait for each other.
func TestAlertsThatComeTogetherAreKeptTogether(t *testing.T) {
	t.Parallel()
	const batches = 300
	r := load(t, lines+every)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var (
			sizes []int
			first time.Duration
			acked []int
		)
		alerts := &inbox{refuse: func(alerts []*wire.Alert) error {
			if sizes = append(sizes, len(alerts)); len(sizes) == 1 {
				first = time.Since(began)
			}
			time.Sleep(3 * time.Millisecond) // a disk
			return nil
		}}
		s := &script{clock: event.TimeMachine, pause: time.Millisecond}
		s.acked = func(batch int) {
			if acked = append(acked, batch); len(alerts.about()) <= batch {
				t.Errorf("batch %d was acknowledged when %d alerts were kept", batch, len(alerts.about()))
			}
		}
		for i := range batches {
			s.batches = append(s.batches, []string{at(i, "192.0.2.1", "root")})
		}
		run(t, logprocessor.New(r.options(2, alerts, s)))
		if len(alerts.about()) != batches || len(acked) != batches || !slices.IsSorted(acked) {
			t.Errorf("%d alerts kept, acknowledged %v", len(alerts.about()), acked)
		}
		if first != s.pause || sizes[0] != 1 {
			t.Errorf("%d alerts were kept first, after %v", sizes[0], first)
		}
		if len(sizes) > 10 {
			t.Errorf("alerts were kept %d times: %v", len(sizes), sizes)
		}
		if took := time.Since(began); took > 400*time.Millisecond {
			t.Errorf("all took %v", took)
		}
	})
}

// TestAlertsAreNotHeldBackWithoutBound: neither their number nor what has to be saved waits.
func TestAlertsAreNotHeldBackWithoutBound(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	synctest.Test(t, func(t *testing.T) {
		largest := 0
		alerts := &inbox{refuse: func(alerts []*wire.Alert) error {
			largest = max(largest, len(alerts))
			return nil
		}}
		s := &script{clock: event.TimeMachine}
		for i := range 2000 {
			s.batches = append(s.batches, []string{at(i, "192.0.2.1", "root")})
		}
		began := time.Now()
		run(t, logprocessor.New(r.options(2, alerts, s)))
		if len(alerts.about()) != 2000 || largest > 250 {
			t.Errorf("%d alerts kept, %d of them at once", len(alerts.about()), largest)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("all took %v", took)
		}
	})
}
