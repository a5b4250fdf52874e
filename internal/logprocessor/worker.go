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
	event    *event.Event // of the line in hand: a single one stays near the processor
	job      job          // the one in hand
	watched  bool         // somebody is shown its lines
}

func (p *Pipeline) newWorker() *worker {
	w := &worker{pipeline: p, matcher: p.Scenarios.NewMatcher(), lines: lineCounts{metrics: p.Metrics}, event: &event.Event{}}
	w.parser = p.Parsers.NewRunner(w.waitForTurn, p.observe)
	return w
}

// waitForTurn returns when all batches before this one are poured.
func (w *worker) waitForTurn() { <-w.job.before }

// parse looks at the lines of a batch, until one reaches a rule that remembers earlier lines: from there on it
// is this batch's turn, as if there were one worker.
func (w *worker) parse(job job) parsed {
	w.job, w.watched = job, w.pipeline.watched()
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
	evt, recording := w.event, w.pipeline.observe != nil
	if recording {
		evt = &event.Event{} // the recorder is shown it again when it is poured
	}
	evt.Renew(*line, w.job.batch.Clock)
	evt.Time = line.Time
	ok := w.parser.Parse(evt)
	w.lines.add(line, ok)
	if w.watched {
		w.pipeline.Tap.Parsed(evt, ok)
	}
	if !ok || evt.Whitelisted {
		return
	}
	if w.pipeline.Scenarios.Remembers() {
		w.waitForTurn()
	}
	from := len(space.pours)
	space.pours = w.matcher.Append(space.pours, evt, w.job.now)
	if w.watched {
		w.pipeline.Tap.Matched(evt, space.pours[from:])
	}
	if to := len(space.pours); to > from || recording {
		m := matched{origin: evt.Line.Origin(), from: from, to: to}
		if recording {
			m.evt = evt
		}
		space.keep(m)
	}
}

// workspace is what the workers make of one batch: the pours that its events cause, in the order of the source.
// Its memory is used again once the batch is poured.
type workspace struct {
	matched []matched
	pours   []scenario.Pour // of all matched events
	free    *sync.Pool
}

// matched is an event that made it through the parsers, and where its pours stand.
type matched struct {
	evt      *event.Event // nil: nobody records it
	origin   event.Origin
	from, to int
}

func (p *Pipeline) takeWorkspace() *workspace {
	if space, ok := p.spaces.Get().(*workspace); ok {
		return space
	}
	return &workspace{free: &p.spaces}
}

func (s *workspace) keep(m matched) { s.matched = append(s.matched, m) }

// release gives the memory back.
func (s *workspace) release() {
	clear(s.pours)
	clear(s.matched)
	s.matched, s.pours = s.matched[:0], s.pours[:0]
	s.free.Put(s)
}
