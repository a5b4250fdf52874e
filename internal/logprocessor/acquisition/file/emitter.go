package file

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/event"
)

// maxBatchLines bounds a batch, so that short lines do not make a huge one.
const maxBatchLines = 512

// emitter turns texts into lines and hands them over. One goroutine uses it.
type emitter struct {
	out   chan<- acquisition.Batch
	now   func() time.Time
	clock event.Clock
	line  event.Line // what all lines have in common
	hits  prometheus.Counter
	times acquisition.LineTimes
}

func newEmitter(path string, s *settings, env acquisition.Env, hits *prometheus.CounterVec) emitter {
	source := path
	if env.Aggregated {
		source = filepath.Base(path)
	}
	return emitter{
		now:   env.Now,
		clock: s.Clock(),
		line:  event.Line{Src: source, Labels: s.Labels, Process: true, Module: Kind},
		hits:  hits.WithLabelValues(source, Kind, s.Labels["type"]),
	}
}

// lines makes lines out of texts, leaving empty ones out. Each has a time of its own, which is its identity
// for tools.
func (e *emitter) lines(texts []line) []event.Line {
	lines := make([]event.Line, 0, len(texts))
	now := e.now().UTC().Round(0) // dumps show no monotonic clock
	for _, text := range texts {
		if text.text == "" {
			continue
		}
		line := e.line
		line.Raw, line.Time = text.text, e.times.Next(now)
		lines = append(lines, line)
	}
	return lines
}

// unlessEnded returns err unless ctx has ended: that is how reading ends, and no failure.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// send reports false when ctx ended before anyone took the batch.
func (e *emitter) send(ctx context.Context, batch acquisition.Batch) bool {
	select {
	case e.out <- batch:
		e.hits.Add(float64(len(batch.Lines)))
		return true
	case <-ctx.Done():
		return false
	}
}
