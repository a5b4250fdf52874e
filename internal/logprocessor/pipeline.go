package logprocessor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// Alerts takes over alerts. When Accept returns nil they can no longer be lost; an Unavailable error says
// that there are too many, any other one that none was taken.
type Alerts interface {
	Accept(ctx context.Context, alerts []*wire.Alert) error
}

// Recorder is told what happens to every event. It must copy what it wants to keep.
type Recorder interface {
	// Parsed comes after each parser, and postoverflow parser, that an event reached.
	Parsed(stage, parser string, evt *event.Event, succeeded bool)
	// Matched comes before an event is poured into the buckets of the scenarios that it concerns.
	Matched(evt *event.Event, pours []scenario.Pour)
	// Overflowed comes after an overflow has passed its postoverflow parsers.
	Overflowed(evt *event.Event)
}

// Options are the parts of a pipeline. All are required but Recorder and Metrics.
type Options struct {
	Sources       []acquisition.Source
	Parsers       *parser.Set
	Postoverflows *parser.Set
	Scenarios     *scenario.Set
	Engine        *scenario.Engine
	Alerts        Alerts
	Recorder      Recorder
	Workers       int // 1 or more
	Now           func() time.Time
	Log           *slog.Logger
	Metrics       *Metrics
}

// Pipeline runs once.
type Pipeline struct {
	Options
	batches chan acquisition.Batch // written by the sources
	jobs    chan job               // written by dispatch, read by the workers
	ordered chan (<-chan parsed)   // one result a batch, in the order of the batches
	results chan delivery          // written by the sequencer
}

// job is a batch and where its result is expected.
type job struct {
	batch  acquisition.Batch
	result chan<- parsed
}

// parsed is what the workers made of a batch.
type parsed struct {
	events []matched
	ack    func()
}

// matched is an event that made it through the parsers.
type matched struct {
	evt   *event.Event
	pours []scenario.Pour
}

// delivery is what the sequencer made of a batch.
type delivery struct {
	alerts []*wire.Alert
	ack    func() // nil: nothing to acknowledge
}

const tick = time.Second

// New returns a pipeline that has not started.
func New(options Options) *Pipeline {
	if options.Recorder == nil {
		options.Recorder = forgetful{}
	}
	return &Pipeline{
		Options: options,
		batches: make(chan acquisition.Batch, options.Workers),
		jobs:    make(chan job),
		ordered: make(chan (<-chan parsed), 2*options.Workers),
		results: make(chan delivery, 16),
	}
}

// Run processes everything the sources deliver. It returns when all sources have ended, or ctx has, and
// every line that was delivered until then is through. The error is that of the sources.
func (p *Pipeline) Run(ctx context.Context) error {
	var stages sync.WaitGroup
	stages.Go(p.dispatch)
	for range p.Workers {
		stages.Go(p.work)
	}
	stages.Go(p.sequence)
	stages.Go(func() { p.deliver(ctx) })
	err := p.runSources(ctx)
	close(p.batches)
	stages.Wait()
	return err
}

// runSources returns when all sources have; one that fails stops the others.
func (p *Pipeline) runSources(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, source := range p.Sources {
		group.Go(func() error { return source.Run(ctx, p.batches) })
	}
	return group.Wait()
}

func (p *Pipeline) dispatch() {
	defer close(p.ordered)
	defer close(p.jobs)
	for batch := range p.batches {
		result := make(chan parsed, 1)
		p.ordered <- result
		p.jobs <- job{batch, result}
	}
}

func (p *Pipeline) work() {
	for job := range p.jobs {
		job.result <- p.parse(job.batch)
	}
}

func (p *Pipeline) parse(batch acquisition.Batch) parsed {
	out := parsed{ack: batch.Ack}
	for _, line := range batch.Lines {
		evt := event.New(line, batch.Clock)
		evt.Time = line.Time
		ok := p.Parsers.ParseObserved(evt, p.Recorder.Parsed)
		p.Metrics.parsed(evt, ok)
		if !ok || evt.Whitelisted {
			continue
		}
		pours := p.Scenarios.Match(evt, p.Now().UTC())
		if len(pours) > 0 {
			evt.Detach() // a bucket may keep it long after the batch
		}
		out.events = append(out.events, matched{evt, pours})
	}
	return out
}

// sequence pours batch after batch, and lets idle buckets expire in between.
func (p *Pipeline) sequence() {
	defer close(p.results)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case result, ok := <-p.ordered:
			if !ok {
				return
			}
			batch := <-result
			p.results <- delivery{alerts: p.pourBatch(batch), ack: batch.ack}
		case <-ticker.C:
			if alerts := p.settle(p.Engine.Expire(p.Now().UTC())); len(alerts) > 0 {
				p.results <- delivery{alerts: alerts}
			}
		}
	}
}

func (p *Pipeline) pourBatch(batch parsed) []*wire.Alert {
	var alerts []*wire.Alert
	for _, m := range batch.events {
		alerts = append(alerts, p.settle(p.pour(m.evt, m.pours))...)
	}
	return alerts
}

// pour returns the overflows that an event causes.
func (p *Pipeline) pour(evt *event.Event, pours []scenario.Pour) []*event.Event {
	p.Recorder.Matched(evt, pours)
	return p.Engine.Pour(pours)
}

// maxReprocessed bounds how often the overflows that one event causes are fed back, so that a scenario that
// answers its own overflow comes to an end.
const maxReprocessed = 1000

// settle runs overflows through the postoverflows, feeds back those that scenarios want to see again, and
// returns the alerts to send.
func (p *Pipeline) settle(overflows []*event.Event) []*wire.Alert {
	var alerts []*wire.Alert
	for fedBack := 0; len(overflows) > 0; {
		evt := overflows[0]
		overflows = overflows[1:]
		p.Postoverflows.ParseObserved(evt, p.Recorder.Parsed)
		p.Recorder.Overflowed(evt)
		if evt.Overflow.Whitelisted {
			p.Log.Info("overflow is whitelisted, skipping it", "alert", evt.Overflow.Alert.Message, "reason", evt.WhitelistReason)
			continue
		}
		p.Log.Info("overflow", "alert", evt.Overflow.Alert.Message)
		alerts = append(alerts, evt.Overflow.APIAlerts...)
		if !evt.Overflow.Reprocess {
			continue
		}
		if fedBack++; fedBack > maxReprocessed {
			p.Log.Error("not feeding back an overflow: one event caused too many", "alert", evt.Overflow.Alert.Message)
			continue
		}
		overflows = append(overflows, p.pour(evt, p.Scenarios.Match(evt, p.Now().UTC()))...)
	}
	return alerts
}

// deliver acknowledges a batch once its alerts are safe.
func (p *Pipeline) deliver(ctx context.Context) {
	for delivery := range p.results {
		if len(delivery.alerts) > 0 && !p.keep(ctx, delivery.alerts) {
			continue // without its acknowledgement the batch is read again after a restart
		}
		if delivery.ack != nil {
			delivery.ack()
		}
	}
}

// keep hands alerts over, and tries again until ctx ends when they cannot be written down: meanwhile
// nothing is read that would be lost too. Alerts that are refused because too many wait already are given
// up; their number is what the error says.
func (p *Pipeline) keep(ctx context.Context, alerts []*wire.Alert) bool {
	for {
		err := p.Alerts.Accept(context.WithoutCancel(ctx), alerts)
		if err == nil {
			return true
		}
		p.Log.Error("alerts could not be kept", "count", len(alerts), "error", err)
		if fault.Is(err, fault.Unavailable) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(tick):
		}
	}
}

// forgetful is the recorder of a pipeline that nobody looks into.
type forgetful struct{}

// Parsed satisfies Recorder.
func (forgetful) Parsed(string, string, *event.Event, bool) {}

// Matched satisfies Recorder.
func (forgetful) Matched(*event.Event, []scenario.Pour) {}

// Overflowed satisfies Recorder.
func (forgetful) Overflowed(*event.Event) {}
