package output

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// Receiver is a Local API in the same process.
type Receiver interface {
	// Ready reports whether it can be told who sends: a login may be under way.
	Ready() bool
	// Receive returns nil when the alerts can no longer be lost. They have UUIDs, and it only reads them, until it returns.
	Receive(ctx context.Context, alerts []*wire.Alert) error
}

const (
	// directAlerts is how many alerts are handed over at once.
	directAlerts = 256
	// directTimeout is how long a Local API may take for them, while nothing else is read: the spool is quicker than any wait.
	directTimeout = 5 * time.Second
)

// Direct hands alerts to a Local API of the same process: its commit keeps them, so they need not be written down before.
// What it does not take, for whatever reason, goes into the spool, and then everything does until the deliverer, which sends
// through Direct for that, has succeeded. It is safe for concurrent use.
type Direct struct {
	spool    *Spool
	receiver Receiver
	sender   Sender
	log      *slog.Logger
	closed   atomic.Bool // after a failure
}

// NewDirect returns a Direct that falls back to spool, which is delivered with sender.
func NewDirect(spool *Spool, receiver Receiver, sender Sender, log *slog.Logger) *Direct {
	return &Direct{spool: spool, receiver: receiver, sender: sender, log: log}
}

// Accept gives every alert without one a UUID and returns nil when all are stored, or on disk. The errors are those of
// Spool.Accept. The same alerts may be offered again after one: a UUID is stored once.
func (d *Direct) Accept(ctx context.Context, alerts []*wire.Alert) error {
	for _, alert := range alerts {
		if alert.UUID == "" {
			alert.UUID = d.spool.options.NewUUID()
		}
	}
	for len(alerts) > 0 && !d.closed.Load() && d.receiver.Ready() {
		next := alerts[:min(len(alerts), directAlerts)]
		if err := d.hand(ctx, next); err != nil {
			d.closed.Store(true)
			d.log.Warn("alerts take the way through the spool", "error", err)
			break
		}
		alerts = alerts[len(next):]
	}
	if len(alerts) == 0 {
		return nil
	}
	err := d.spool.Accept(ctx, alerts)
	if err != nil {
		d.closed.Store(false) // nothing may be there whose delivery would open it
	}
	return err
}

func (d *Direct) hand(ctx context.Context, alerts []*wire.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, directTimeout)
	defer cancel()
	counts := d.spool.metrics
	if err := d.receiver.Receive(ctx, alerts); err != nil {
		if ctx.Err() != nil {
			err = fault.Mark(fault.Unavailable, err)
		}
		counts.failures.WithLabelValues(fault.KindOf(err).String()).Inc()
		return err
	}
	counts.accepted.Add(float64(len(alerts)))
	counts.delivered.Add(float64(len(alerts)))
	return nil
}

// PushEncoded is that of the sender, and notes when it succeeds.
func (d *Direct) PushEncoded(ctx context.Context, alerts [][]byte) ([]string, error) {
	ids, err := d.sender.PushEncoded(ctx, alerts)
	if err == nil {
		d.closed.Store(false)
	}
	return ids, err
}
