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

func (h *haul) add(next delivery) {
	h.alerts = append(h.alerts, next.alerts...)
	if next.ack != nil {
		h.acks = append(h.acks, next.ack)
	}
	h.held = next.held
}

// gather adds to a delivery what has come since, and, when it has alerts, what comes until the time is up.
func (p *Pipeline) gather(first delivery, last time.Time) (h haul) {
	h.add(first)
	if len(h.alerts) == 0 {
		return h
	}
	timer := time.NewTimer(time.Until(last.Add(gatherTime)))
	defer timer.Stop()
	for h.held == nil && len(h.alerts) < gatherAlerts {
		next, ok := p.another(timer.C)
		if !ok {
			break
		}
		h.add(next)
	}
	return h
}

// another returns the next delivery, if there is one before the time is up or nothing else will come.
func (p *Pipeline) another(late <-chan time.Time) (next delivery, ok bool) {
	select {
	case next, ok = <-p.results: // what has come already is taken whatever the time
		return next, ok
	default:
	}
	select {
	case next, ok = <-p.results:
		return next, ok
	case <-late:
		return delivery{}, false
	}
}
