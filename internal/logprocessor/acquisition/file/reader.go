package file

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition"
)

// readBytes is what one system call may read. A batch keeps at most that much text in memory for as long
// as any part of it is referenced.
const readBytes = 64 << 10

// reader reads finished files one after the other.
type reader struct {
	settings *settings
	env      acquisition.Env
	hits     *prometheus.CounterVec
}

func newReader(s *settings, env acquisition.Env, hits *prometheus.CounterVec) *reader {
	return &reader{s, env, hits}
}

// Run satisfies acquisition.Source.
func (r *reader) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	paths := r.settings.matches()
	if len(paths) == 0 {
		r.env.Log.Warn("no file matches", "patterns", r.settings.patterns)
	}
	var times acquisition.LineTimes
	for _, path := range paths {
		emitter := newEmitter(path, r.settings, r.env, r.hits)
		emitter.out, emitter.times = out, times
		if err := r.readFile(ctx, path, &emitter); err != nil {
			return unlessEnded(ctx, fmt.Errorf("reading %s: %w", path, err))
		}
		times = emitter.times
	}
	return nil
}

func (r *reader) readFile(ctx context.Context, path string, emitter *emitter) (err error) {
	file, err := os.Open(path) //nolint:gosec // the administrator names the files
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var input io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			return err
		}
		input = unzipped
	}
	return r.copyLines(ctx, input, emitter)
}

func (r *reader) copyLines(ctx context.Context, input io.Reader, emitter *emitter) error {
	splitter := splitter{limit: r.limit()}
	buffer := make([]byte, readBytes)
	var lines []line
	for {
		n, err := input.Read(buffer)
		lines = splitter.push(lines[:0], buffer[:n])
		if errors.Is(err, io.EOF) {
			lines = splitter.flush(lines)
		}
		if err := r.deliver(ctx, lines, emitter); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

var errLineTooLong = errors.New("line is longer than max_buffer_size")

// deliver hands over lines, where a limit was asked for only up to the first that is too long.
func (r *reader) deliver(ctx context.Context, lines []line, emitter *emitter) error {
	tooLong := slices.IndexFunc(lines, func(l line) bool { return l.cut })
	if tooLong >= 0 && r.settings.MaxBufferSize == 0 {
		r.env.Log.Warn("line too long, cut", "path", emitter.line.Src, "limit", maxLine)
		tooLong = -1
	}
	if tooLong >= 0 {
		lines = lines[:tooLong]
	}
	for i := range lines {
		lines[i].text = strings.TrimSuffix(lines[i].text, "\r")
	}
	for batch := range slices.Chunk(lines, maxBatchLines) {
		ready := acquisition.Batch{Lines: emitter.lines(batch), Clock: emitter.clock, Ack: func() {}}
		if len(ready.Lines) > 0 && !emitter.send(ctx, ready) {
			return ctx.Err()
		}
	}
	if tooLong >= 0 {
		return errLineTooLong
	}
	return nil
}

// limit is the longest line, in bytes without its newline.
func (r *reader) limit() int {
	if r.settings.MaxBufferSize == 0 {
		return maxLine
	}
	return r.settings.MaxBufferSize - 1
}
