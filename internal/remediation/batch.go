package remediation

import (
	"errors"
	"log/slog"
	"time"

	"shieldwall/internal/wire"
)

// Batch is one answer of the Local API, kept small while it arrives: a whole one as the state that it leads to,
// another one as what it changes. It is not safe for concurrent use.
type Batch struct {
	Revision int64 // of the decision log, up to which it tells; 0: that is not known

	log     *slog.Logger
	at      time.Time // when it began to arrive
	desired *Desired  // what a whole one leads to; otherwise it is only asked to read decisions
	whole   bool
	begun   []holding // of one that is not whole
	ceased  []ruling
	told    int // decisions, also those that are left out
	added   int
}

// holding is a ruling and its end.
type holding struct {
	ruling

	until time.Time
}

// Whole returns an empty Batch for everything that is active: what is deleted before needs no mention.
func (e *Enforcer) Whole() *Batch {
	batch := e.Delta()
	batch.whole = true
	return batch
}

// Delta returns an empty Batch for what has changed.
func (e *Enforcer) Delta() *Batch {
	return &Batch{log: e.log, at: e.now(), desired: NewDesired(e.filter)}
}

// Begin implements wire.StreamVisitor.
func (b *Batch) Begin(decision *wire.Decision) {
	b.told++
	h, err := b.desired.understand(*decision, b.at)
	switch {
	case b.leavesOut(decision, err):
		return
	case b.whole:
		b.desired.hold(h.ruling, h.until)
	default:
		b.begun = append(b.begun, h)
	}
	b.added++
}

// Cease implements wire.StreamVisitor.
func (b *Batch) Cease(decision *wire.Decision) {
	b.told++
	if b.whole {
		return
	}
	r, err := b.desired.read(*decision)
	if !b.leavesOut(decision, err) {
		b.ceased = append(b.ceased, r)
	}
}

func (b *Batch) leavesOut(decision *wire.Decision, err error) bool {
	if err == nil {
		return false
	}
	report := b.log.Warn
	if errors.Is(err, errNotOurs) {
		report = b.log.Debug
	}
	report("decision left out", "value", decision.Value, "origin", decision.Origin, "reason", err)
	return true
}

// isEmpty reports whether nothing at all was told.
func (b *Batch) isEmpty() bool { return b.told == 0 }
