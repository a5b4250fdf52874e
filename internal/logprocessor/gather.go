package logprocessor

import (
	"time"

	"shieldwall/internal/wire"
)

const (
	// gatherTime is how long after one batch of alerts the next one is handed over, if there are any sooner: to make them
	// safe costs much the same for one alert as for fifty.
	gatherTime = 50 * time.Millisecond
	// gatherAlerts ends the wait.
	gatherAlerts = 250
)

// haul is deliveries whose alerts are kept together.
type haul struct {
	alerts []*wire.Alert
	acks   []func()
	held   chan<- []func() // of the last delivery: nothing is added after it
}

// gatherer makes hauls of what the sequencer delivers.
type gatherer struct {
	pipeline  *Pipeline
	postponed *delivery // the next one, whose overflows were not finished in time for the haul before
}

// gather returns the next delivery with what has come since, and, when it has alerts, what comes until the time is up.
// It reports false after the last one.
func (g *gatherer) gather(last time.Time) (h haul, ok bool) {
	first, ok := g.first()
	if !ok {
		return h, false
	}
	g.add(&h, first)
	if len(h.alerts) == 0 {
		return h, true
	}
	timer := time.NewTimer(time.Until(last.Add(gatherTime)))
	defer timer.Stop()
	for h.held == nil && len(h.alerts) < gatherAlerts {
		next, ok := g.another(timer.C)
		if !ok {
			break
		}
		if !next.finished(timer.C) {
			g.postponed = &next
			break
		}
		g.add(&h, next)
	}
	return h, true
}

// first waits for a delivery.
func (g *gatherer) first() (first delivery, ok bool) {
	if postponed := g.postponed; postponed != nil {
		g.postponed = nil
		return *postponed, true
	}
	first, ok = <-g.pipeline.results
	return first, ok
}

// another returns the next delivery, if there is one before the time is up or nothing else will come.
func (g *gatherer) another(late <-chan time.Time) (next delivery, ok bool) {
	select {
	case next, ok = <-g.pipeline.results: // what has come already is taken whatever the time
		return next, ok
	default:
	}
	select {
	case next, ok = <-g.pipeline.results:
		return next, ok
	case <-late:
		return delivery{}, false
	}
}

// finished reports whether the overflows of a delivery are finished before the time is up.
func (d *delivery) finished(late <-chan time.Time) bool {
	for _, one := range d.overflows {
		select {
		case <-one.done:
			continue
		default:
		}
		select {
		case <-one.done:
		case <-late:
			return false
		}
	}
	return true
}

// add waits for the overflows of a delivery.
func (g *gatherer) add(h *haul, next delivery) {
	h.alerts = append(h.alerts, g.pipeline.conclude(next.overflows)...)
	if next.ack != nil {
		h.acks = append(h.acks, next.ack)
	}
	h.held = next.held
}
