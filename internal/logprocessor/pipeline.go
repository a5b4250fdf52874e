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

// Tap shows people what happens while it happens. It is asked beside every event, by several goroutines, and must not
// wait; it must copy what it wants to keep.
type Tap interface {
	// Watching reports whether anybody wants to be shown something.
	Watching() bool
	// Parsed comes after the parsers of a line; ok says that they understood it.
	Parsed(evt *event.Event, ok bool)
	// Matched comes before a line is poured into the buckets of the scenarios that it concerns, if any.
	Matched(evt *event.Event, pours []scenario.Pour)
	// Overflowed comes after an overflow has passed its postoverflow parsers.
	Overflowed(evt *event.Event)
}

// Savepoints keep what a log processor remembers in step with what is acknowledged to its sources. Name and Save
// are called by two goroutines, but never at once; Abandon may be called beside them.
type Savepoints interface {
	// Name gives the alerts of an overflow UUIDs.
	Name(overflow *event.Event)
	// Save keeps what the buckets hold and then calls the acknowledgements of all lines that were poured into
	// them; those that it could not call yet belong to the next time.
	Save(acks []func()) error
	// Abandon says that lines were poured that must be read again after a restart: nothing is saved any more.
	Abandon()
}

// Options are the parts of a pipeline. All are required but Savepoints, Recorder, Tap and Metrics.
type Options struct {
	Sources       []acquisition.Source
	Parsers       *parser.Set
	Postoverflows *parser.Set
	Scenarios     *scenario.Set
	Engine        *scenario.Engine
	Alerts        Alerts
	Savepoints    Savepoints // nil: buckets are not kept, lines are acknowledged as soon as their alerts are safe
	Recorder      Recorder
	Tap           Tap
	Workers       int // 1 or more
	Now           func() time.Time
	Log           *slog.Logger
	Metrics       *Metrics
}

// Pipeline runs once.
type Pipeline struct {
	Options
	observe parser.Observer        // nil: nobody looks
	batches chan acquisition.Batch // written by the sources
	jobs    chan job               // written by dispatch, read by the workers
	ordered chan (<-chan parsed)   // one result a batch, in the order of the batches
	results chan delivery          // written by the sequencer
	spaces  sync.Pool              // of *workspace
	finish  finish
}

// job is a batch and where its result is expected.
type job struct {
	batch  acquisition.Batch
	now    time.Time // when its lines count as seen, by the wall clock
	result chan<- parsed
	before <-chan struct{} // closed when all batches before this one are poured
	poured chan<- struct{} // to be closed when this one is
}

// parsed is what the workers made of a batch.
type parsed struct {
	*workspace
	lines  []event.Line
	ack    func()
	poured chan<- struct{}
}

// delivery is what the sequencer made of a batch.
type delivery struct {
	overflows []*finishing
	ack       func()          // nil: nothing to acknowledge
	held      chan<- []func() // nil: no save point; otherwise it wants the acknowledgements of all batches before
}

const (
	tick         = time.Second
	saveInterval = 2 * time.Second
	// maxResults is how many batches may be poured while the overflows of one before them are still on their way.
	maxResults = 128
)

// New returns a pipeline that has not started.
func New(options Options) *Pipeline {
	var observe parser.Observer
	if options.Recorder == nil {
		options.Recorder = forgetful{}
	} else {
		observe = options.Recorder.Parsed
	}
	return &Pipeline{
		Options: options,
		observe: observe,
		batches: make(chan acquisition.Batch, options.Workers),
		jobs:    make(chan job),
		ordered: make(chan (<-chan parsed), 2*options.Workers),
		results: make(chan delivery, maxResults),
		finish:  newFinish(&options, observe),
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
	for range p.finish.workers() {
		stages.Go(p.finishOverflows)
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
	before := make(chan struct{})
	close(before)
	for batch := range p.batches {
		result, poured := make(chan parsed, 1), make(chan struct{})
		p.ordered <- result
		p.jobs <- job{batch, p.Now().UTC(), result, before, poured}
		before = poured
	}
}

func (p *Pipeline) work() {
	w := p.newWorker()
	for job := range p.jobs {
		job.result <- w.parse(job)
	}
}

// sequence pours batch after batch, lets idle buckets expire in between, and makes save points.
func (p *Pipeline) sequence() {
	defer close(p.results)
	defer close(p.finish.overflows)
	ticker, saves := time.NewTicker(tick), time.NewTicker(saveInterval)
	defer ticker.Stop()
	defer saves.Stop()
	p.expire() // what ended while nobody ran
	for {
		select {
		case result, ok := <-p.ordered:
			if !ok {
				p.save()
				return
			}
			batch := <-result
			overflows := p.pourBatch(batch)
			batch.release()
			close(batch.poured)
			p.results <- delivery{overflows: overflows, ack: batch.ack}
		case <-ticker.C:
			p.expire()
		case <-saves.C:
			p.save()
		}
	}
}

func (p *Pipeline) expire() {
	if overflows := p.settle(p.Engine.Expire(p.Now().UTC())); len(overflows) > 0 {
		p.results <- delivery{overflows: overflows}
	}
}

// save makes a save point between two batches, once the alerts of all lines before are safe.
func (p *Pipeline) save() {
	if p.Savepoints == nil {
		return
	}
	held := make(chan []func(), 1)
	p.results <- delivery{held: held}
	if err := p.Savepoints.Save(<-held); err != nil {
		p.Log.Error("no save point: after a crash, reading would go on from the one before", "error", err)
	}
}

func (p *Pipeline) pourBatch(batch parsed) []*finishing {
	began := time.Now()
	defer func() { p.Metrics.poured(batch.lines, time.Since(began)) }()
	p.Engine.Foresee(batch.pours)
	var overflows []*finishing
	for i := range batch.matched {
		m := &batch.matched[i]
		overflows = append(overflows, p.settle(p.pour(m.evt, m.origin, batch.pours[m.from:m.to]))...)
	}
	return overflows
}

// pour returns the overflows that an event causes. Only a recorder needs the event.
func (p *Pipeline) pour(evt *event.Event, from event.Origin, pours []scenario.Pour) []*event.Event {
	p.Recorder.Matched(evt, pours)
	return p.Engine.Pour(pours, from)
}

func (p *Pipeline) watched() bool { return p.Tap != nil && p.Tap.Watching() }

// deliver acknowledges batches once their alerts are safe, or gathers the acknowledgements for a save point.
func (p *Pipeline) deliver(ctx context.Context) {
	var (
		held []func()
		last time.Time
	)
	g := gatherer{pipeline: p}
	for {
		next, ok := g.gather(last)
		if !ok {
			return
		}
		if len(next.alerts) > 0 {
			last = time.Now()
			if !p.keep(ctx, next.alerts) {
				p.abandon() // without their acknowledgements the batches are read again after a restart
				next.acks = nil
			}
		}
		held = append(held, next.acks...)
		if p.Savepoints == nil {
			for _, ack := range held {
				ack()
			}
			held = nil
		}
		if next.held != nil {
			next.held <- held
			held = nil
		}
	}
}

func (p *Pipeline) abandon() {
	if p.Savepoints != nil {
		p.Savepoints.Abandon()
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
