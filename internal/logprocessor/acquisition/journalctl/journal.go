package journalctl

import (
	"context"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/event"
)

// journal is what both ways of reading have in common.
type journal struct {
	settings *settings
	env      acquisition.Env
	log      *slog.Logger
	hits     prometheus.Counter
	line     event.Line // what all lines have in common
	times    acquisition.LineTimes
}

func newJournal(s *settings, env acquisition.Env, hits *prometheus.CounterVec) *journal {
	source := "journalctl-" + strings.Join(s.Filters, ".")
	return &journal{
		settings: s, env: env, log: env.Log.With("source", source),
		hits: hits.WithLabelValues(source, Kind, s.Labels["type"]),
		line: event.Line{Src: source, Labels: s.Labels, Process: true, Module: Kind},
	}
}

// parse leaves out, with a warning, what cannot be understood.
func (j *journal) parse(texts []raw) []entry {
	zone := j.env.Now().Location()
	entries := make([]entry, 0, len(texts))
	for _, text := range texts {
		if text.error != nil {
			j.log.Warn("entry of the journal left out", "error", text.error)
			continue
		}
		parsed, err := parseEntry(text.text, j.settings.options.form, zone)
		if err != nil {
			j.log.Warn("entry of the journal left out", "error", err)
			continue
		}
		if parsed.cut {
			j.log.Warn("message too long, cut", "cursor", parsed.cursor, "limit", maxMessage)
		}
		entries = append(entries, parsed)
	}
	return entries
}

func (j *journal) lines(entries []entry) []event.Line {
	now := j.env.Now().UTC().Round(0) // dumps show no monotonic clock
	var lines []event.Line
	for _, e := range entries {
		for _, text := range e.lines {
			line := j.line
			line.Raw, line.Time = text, j.times.Next(now)
			lines = append(lines, line)
		}
	}
	return lines
}

// send reports false when ctx ended before anyone took the batch.
func (j *journal) send(ctx context.Context, out chan<- acquisition.Batch, batch acquisition.Batch) bool {
	select {
	case out <- batch:
		j.hits.Add(float64(len(batch.Lines)))
		return true
	case <-ctx.Done():
		return false
	}
}

// reader reads what there is, once.
type reader struct{ *journal }

// Run satisfies acquisition.Source.
func (r reader) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arguments := r.settings.options.arguments("--no-tail")
	if r.settings.since != "" {
		arguments = append(arguments, "--since="+r.settings.since)
	}
	running, err := startProgram(ctx, r.settings.program, arguments)
	if err != nil {
		return err
	}
	err = running.read(func(texts []raw) bool {
		lines := r.lines(r.parse(texts))
		return len(lines) == 0 || r.send(ctx, out, acquisition.Batch{Lines: lines, Clock: r.settings.Clock(), Ack: func() {}})
	})
	if ctx.Err() != nil {
		return nil // that is how reading ends, and no failure
	}
	return err
}
