package output

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"shieldwall/internal/domain/fault"
)

// Sender pushes alerts, which are JSON, to the Local API. It returns the identifiers of those that were stored. The kind of
// an error decides what happens: Invalid and TooLarge will never be taken, Internal may be the fault of the
// alerts or of the server, anything else passes. An error with a method Pause says how long to wait at least.
type Sender interface {
	PushEncoded(ctx context.Context, alerts [][]byte) ([]string, error)
}

// DeliveryOptions tune a Deliverer. Zero values take the defaults.
type DeliveryOptions struct {
	MaxAlerts  int            // in one push; default 100
	MaxBytes   int64          // in one push, about; default 1 MiB
	Timeout    time.Duration  // of one push; default 30 s
	MinBackOff time.Duration  // after the first failure; default 200 ms
	MaxBackOff time.Duration  // after many, unless the Local API asks for more; default 5 s
	Random     func() float64 // in [0,1), for jitter; default math/rand
}

const (
	defaultPushAlerts = 100
	defaultPushBytes  = 1 << 20
	defaultTimeout    = 30 * time.Second
	defaultMinBackOff = 200 * time.Millisecond
	defaultMaxBackOff = 5 * time.Second

	// longestPause bounds what the Local API may ask for.
	longestPause = 5 * time.Minute

	// suspicion is the number of internal errors in a row after which single alerts are tried.
	suspicion = 3
	// maxProbes bounds how many single alerts one try may cost a server that is merely ill.
	maxProbes = 10
)

// Deliverer sends what waits in a spool. There is one for a spool.
type Deliverer struct {
	spool   *Spool
	sender  Sender
	options DeliveryOptions
	log     *slog.Logger

	busy     sync.Mutex // Run and Flush never send at the same time
	failures int        // in a row
	internal int        // internal errors in a row
}

// NewDeliverer returns a deliverer for spool.
func NewDeliverer(spool *Spool, sender Sender, options DeliveryOptions, log *slog.Logger) *Deliverer {
	return &Deliverer{spool: spool, sender: sender, options: options.withDefaults(), log: log}
}

// Run delivers until ctx ends, and returns nil then. It sends at once what is accepted while nothing else
// is being sent, and waits longer after each failure.
func (d *Deliverer) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := d.deliverHead(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			d.backOff(ctx, err)
		case more:
			d.recovered()
		default:
			select {
			case <-d.spool.changed:
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// Flush tries once to deliver all that waits: it ends at the first failure, which it returns. What is left
// stays on disk.
func (d *Deliverer) Flush(ctx context.Context) error {
	for {
		more, err := d.deliverHead(ctx)
		if err != nil || !more {
			return err
		}
	}
}

func (o DeliveryOptions) withDefaults() DeliveryOptions {
	if o.MaxAlerts <= 0 {
		o.MaxAlerts = defaultPushAlerts
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultPushBytes
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MinBackOff <= 0 {
		o.MinBackOff = defaultMinBackOff
	}
	if o.MaxBackOff <= 0 {
		o.MaxBackOff = defaultMaxBackOff
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}

// deliverHead delivers one batch; it reports false when there was nothing to deliver.
func (d *Deliverer) deliverHead(ctx context.Context) (bool, error) {
	d.busy.Lock()
	defer d.busy.Unlock()
	batch, err := d.spool.head(d.options.MaxAlerts, d.options.MaxBytes)
	if err != nil || len(batch) == 0 {
		return false, err
	}
	return true, d.deliver(ctx, batch)
}

// deliver sends a batch that is the head of the spool. When it returns nil the whole batch needs no sending
// any more.
func (d *Deliverer) deliver(ctx context.Context, batch []waitingAlert) error {
	err := d.push(ctx, batch)
	switch {
	case err == nil:
		return d.delivered(batch)
	case isRefusal(err) && len(batch) > 1:
		middle := len(batch) / 2
		if err := d.deliver(ctx, batch[:middle]); err != nil {
			return err
		}
		return d.deliver(ctx, batch[middle:])
	case isRefusal(err):
		d.internal = 0
		d.setAside(batch[0], err)
		return d.spool.commit(batch[0].number)
	case fault.Is(err, fault.Internal):
		return d.suspect(ctx, batch, err)
	}
	d.internal = 0
	return err
}

// suspect handles an internal error. After some in a row it tries single alerts: when a later one is taken
// and an earlier one is not, twice, it is the alert and not the server that is ill.
func (d *Deliverer) suspect(ctx context.Context, batch []waitingAlert, err error) error {
	if d.internal++; d.internal < suspicion || len(batch) == 1 || ctx.Err() != nil {
		return err
	}
	for i := range min(len(batch), maxProbes) {
		probe := d.push(ctx, batch[i:i+1])
		if probe == nil {
			d.internal = 0
			d.spool.metrics.delivered.Add(1)
			return d.settle(ctx, batch[:i], batch[i].number)
		}
		if !fault.Is(probe, fault.Internal) && !isRefusal(probe) {
			return probe
		}
	}
	return err
}

// settle gives alerts that were refused before a healthy one a last chance, and finishes with all up to
// number.
func (d *Deliverer) settle(ctx context.Context, suspects []waitingAlert, number uint64) error {
	for i := range suspects {
		err := d.push(ctx, suspects[i:i+1])
		switch {
		case err == nil:
			d.spool.metrics.delivered.Add(1)
		case fault.Is(err, fault.Internal) || isRefusal(err):
			d.setAside(suspects[i], err)
		default:
			return err
		}
	}
	return d.spool.commit(number)
}

func (d *Deliverer) push(ctx context.Context, batch []waitingAlert) error {
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	alerts := make([][]byte, len(batch))
	for i := range batch {
		alerts[i] = batch[i].alert
	}
	_, err := d.sender.PushEncoded(ctx, alerts)
	if err != nil && ctx.Err() != nil {
		err = fault.Mark(fault.Unavailable, err) // whatever the sender made of it, time was up
	}
	if err != nil {
		d.spool.metrics.failures.WithLabelValues(fault.KindOf(err).String()).Inc()
	}
	return err
}

func (d *Deliverer) delivered(batch []waitingAlert) error {
	d.internal = 0
	d.spool.metrics.delivered.Add(float64(len(batch)))
	return d.spool.commit(batch[len(batch)-1].number)
}

func (d *Deliverer) setAside(refused waitingAlert, reason error) {
	d.spool.metrics.rejected.Inc()
	d.spool.aside.putRefused(refused, reason, d.spool.options.Now())
}

// backOff waits longer after each failure, with jitter so that many log processors do not come back at once.
func (d *Deliverer) backOff(ctx context.Context, err error) {
	wait := d.options.MaxBackOff
	if d.failures < 30 {
		wait = min(wait, d.options.MinBackOff<<d.failures)
	}
	wait = max(pauseIn(err), wait/2+time.Duration(d.options.Random()*float64(wait/2)))
	if d.failures == 0 {
		d.log.Warn("alerts cannot be delivered, trying again", "error", err, "waiting", d.spool.Len())
	} else {
		d.log.Debug("alerts still cannot be delivered", "error", err, "failures", d.failures+1)
	}
	d.failures++
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pauseIn returns how long the Local API has asked to be left alone.
func pauseIn(err error) time.Duration {
	var asked interface{ Pause() time.Duration }
	if errors.As(err, &asked) {
		return min(asked.Pause(), longestPause)
	}
	return 0
}

func (d *Deliverer) recovered() {
	if d.failures > 0 {
		d.log.Info("alerts are delivered again", "failures", d.failures, "waiting", d.spool.Len())
	}
	d.failures = 0
}

// isRefusal reports whether the same alerts would be refused again.
func isRefusal(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge)
}
