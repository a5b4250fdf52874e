package logprocessor

import (
	"sync"
	"time"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
)

// worker looks at lines beside other workers.
type worker struct {
	pipeline *Pipeline
	parser   *parser.Runner
	matcher  *scenario.Matcher
	lines    lineCounts
	job      job // the one in hand
}

func (p *Pipeline) newWorker() *worker {
	w := &worker{pipeline: p, matcher: p.Scenarios.NewMatcher(), lines: lineCounts{metrics: p.Metrics}}
	w.parser = p.Parsers.NewRunner(w.waitForTurn, p.observe)
	return w
}

// waitForTurn returns when all batches before this one are poured.
func (w *worker) waitForTurn() { <-w.job.before }

// parse looks at the lines of a batch, until one reaches a rule that remembers earlier lines: from there on it
// is this batch's turn, as if there were one worker.
func (w *worker) parse(job job) parsed {
	w.job = job
	began := time.Now()
	space := w.pipeline.takeWorkspace()
	for i := range job.batch.Lines {
		w.parseLine(space, &job.batch.Lines[i])
	}
	w.parser.Flush()
	w.lines.flush()
	w.pipeline.Metrics.parsed(job.batch.Lines, time.Since(began))
	return parsed{workspace: space, lines: job.batch.Lines, ack: job.batch.Ack, poured: job.poured}
}

func (w *worker) parseLine(space *workspace, line *event.Line) {
	evt := space.next()
	evt.Renew(*line, w.job.batch.Clock)
	evt.Time = line.Time
	ok := w.parser.Parse(evt)
	w.lines.add(line, ok)
	if !ok || evt.Whitelisted {
		return
	}
	if w.pipeline.Scenarios.Remembers() {
		w.waitForTurn()
	}
	from := len(space.pours)
	space.pours = w.matcher.Append(space.pours, evt, w.job.now)
	if to := len(space.pours); to > from || w.pipeline.observe != nil {
		space.keep(matched{evt, from, to})
	}
}

// workspace is what the workers make of one batch: the events that buckets wait for, in the order of the
// source. Its memory is used again once the batch is poured.
type workspace struct {
	events  []*event.Event // those of matched, then one to come
	matched []matched
	pours   []scenario.Pour // of all matched events
	free    *sync.Pool
}

// matched is an event that made it through the parsers, and where its pours stand.
type matched struct {
	evt      *event.Event
	from, to int
}

func (p *Pipeline) takeWorkspace() *workspace {
	if space, ok := p.spaces.Get().(*workspace); ok {
		return space
	}
	return &workspace{free: &p.spaces}
}

// next returns an event, the same one until it is kept.
func (s *workspace) next() *event.Event {
	if len(s.matched) == len(s.events) {
		s.events = append(s.events, &event.Event{})
	}
	return s.events[len(s.matched)]
}

func (s *workspace) keep(m matched) { s.matched = append(s.matched, m) }

// release gives the memory back, with the events.
func (s *workspace) release() {
	clear(s.pours)
	s.matched, s.pours = s.matched[:0], s.pours[:0]
	s.free.Put(s)
}
