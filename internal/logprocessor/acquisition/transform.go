package acquisition

import (
	"context"
	"maps"

	"shieldwall/internal/logprocessor/event"
)

// Transform turns one line into the texts of the lines that replace it; false leaves the line as it is.
type Transform func(line event.Line) (texts []string, ok bool)

// transformed applies a transform to everything that a source hands over.
type transformed struct {
	source    Source
	transform Transform
}

// Run satisfies Source.
func (t transformed) Run(ctx context.Context, out chan<- Batch) error {
	raw := make(chan Batch)
	ended := make(chan error, 1)
	go func() {
		defer close(raw)
		ended <- t.source.Run(ctx, raw)
	}()
	var times LineTimes
	for batch := range raw {
		batch.Lines = t.apply(batch.Lines, &times)
		if len(batch.Lines) == 0 {
			batch.Ack()
			continue
		}
		out <- batch // not given up when ctx ends: the source counts what it handed to us as handed over
	}
	return <-ended
}

func (t transformed) apply(lines []event.Line, times *LineTimes) []event.Line {
	result := make([]event.Line, 0, len(lines))
	add := func(line event.Line) {
		line.Time = times.Next(line.Time)
		result = append(result, line)
	}
	for _, line := range lines {
		texts, ok := t.transform(line)
		if !ok {
			add(line)
			continue
		}
		for _, text := range texts {
			replaced := line
			replaced.Raw, replaced.Labels = text, maps.Clone(line.Labels)
			add(replaced)
		}
	}
	return result
}
