// Package acquisitiontest is the contract suite of data sources: every kind that follows its input passes
// Run.
package acquisitiontest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

// patience is how long the suite waits for something that must happen; nothing waits that long in good times.
const patience = 20 * time.Second

// Harness is one input and the way to read it.
type Harness struct {
	Kind   string            // what Line.Module must say
	Labels map[string]string // what Line.Labels must hold
	// Open returns a new source over the input.
	Open func(t *testing.T, env acquisition.Env) acquisition.Source
	// Append makes lines available, in order. It is called whether a source runs or not.
	Append func(t *testing.T, lines ...string)
}

// Run checks that the sources of a harness keep the promises of package acquisition. newHarness returns a
// fresh, empty input.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *bench){
		"describes its lines":                  describesLines,
		"keeps the order":                      keepsOrder,
		"ends when idle":                       endsWhenIdle,
		"ends when nobody receives":            endsWhenNobodyReceives,
		"continues after a restart":            continuesAfterRestart,
		"repeats what was not acknowledged":    repeatsUnacknowledged,
		"neither skips nor repeats at reloads": survivesReloads,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBench(t, newHarness(t)))
		})
	}
}

func describesLines(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	b.Append(t, "one", "two")
	seen := map[time.Time]bool{}
	for _, line := range r.take(t, 2) {
		if line.Module != b.Kind || line.Src == "" || !line.Process {
			t.Errorf("line %+v: module, source or process not set", line)
		}
		if len(line.Labels) != len(b.Labels) || line.Labels["type"] != b.Labels["type"] {
			t.Errorf("labels %v, want %v", line.Labels, b.Labels)
		}
		if line.Time.IsZero() || seen[line.Time] {
			t.Errorf("time %v of a line is missing or taken", line.Time)
		}
		seen[line.Time] = true
	}
}

func keepsOrder(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	want := numbered(0, 2000)
	for part := range slices.Chunk(want, 70) {
		b.Append(t, part...)
	}
	r.expect(t, want)
}

func endsWhenIdle(t *testing.T, b *bench) {
	t.Helper()
	b.start(t).stop(t)
}

func endsWhenNobodyReceives(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	b.Append(t, numbered(0, 2000)...)
	r.expect(t, numbered(0, 1))
	r.stop(t)
}

func continuesAfterRestart(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	b.Append(t, numbered(0, 3)...)
	r.expect(t, numbered(0, 3))
	r.acknowledge()
	r.stop(t)
	b.Append(t, numbered(3, 6)...)
	b.restart(t)
	r = b.run(t)
	b.Append(t, numbered(6, 9)...)
	r.expect(t, numbered(3, 9))
}

func repeatsUnacknowledged(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	b.Append(t, "safe")
	r.expect(t, []string{"safe"})
	r.acknowledge()
	b.Append(t, numbered(0, 3)...)
	r.expect(t, numbered(0, 3))
	r.stop(t)
	b.restart(t)
	b.run(t).expect(t, numbered(0, 3))
}

func survivesReloads(t *testing.T, b *bench) {
	t.Helper()
	r := b.start(t)
	for i := range 5 {
		b.Append(t, numbered(10*i, 10*i+10)...)
		r.expect(t, numbered(10*i, 10*i+5)) // the rest is still on its way, and nothing was acknowledged
		r.stop(t)
		rest := r.leftovers()
		r = b.run(t)
		r.received = append(rest, r.received...)
		r.expect(t, numbered(10*i+5, 10*i+10))
	}
}

// bench is a harness with the store that its sources use.
type bench struct {
	Harness
	path  string
	store *checkpoint.Store
}

func newBench(t *testing.T, h Harness) *bench {
	t.Helper()
	b := &bench{Harness: h, path: filepath.Join(t.TempDir(), "checkpoints.json")}
	b.restart(t)
	return b
}

// restart is a new process: only what was flushed is known.
func (b *bench) restart(t *testing.T) {
	t.Helper()
	if b.store != nil {
		if err := b.store.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	store, err := checkpoint.Open(b.path, checkpoint.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	b.store = store
}

// start runs a source and waits until it reads.
func (b *bench) start(t *testing.T) *running {
	t.Helper()
	r := b.run(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for probe := 0; ; probe++ {
		last := fmt.Sprintf("probe %d", probe)
		b.Append(t, last)
		select {
		case batch := <-r.out:
			r.keep(batch)
			for r.received[len(r.received)-1].Raw != last {
				r.receive(t)
			}
			r.received = nil
			r.acknowledge()
			return r
		case <-tick.C:
		case <-deadline:
			t.Fatal("source does not deliver")
		}
	}
}

func (b *bench) run(t *testing.T) *running {
	t.Helper()
	source := b.Open(t, acquisition.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now, Checkpoints: b.store})
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{out: make(chan acquisition.Batch), cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- source.Run(ctx, r.out) }()
	t.Cleanup(func() { r.stop(t) })
	return r
}

// running is a source and what came from it.
type running struct {
	out      chan acquisition.Batch
	received []event.Line
	acks     []func()
	cancel   context.CancelFunc
	ended    chan error
	stopped  bool
}

func (r *running) receive(t *testing.T) {
	t.Helper()
	select {
	case batch, open := <-r.out:
		if !open {
			t.Fatal("source closed the channel")
		}
		if len(batch.Lines) == 0 || batch.Ack == nil {
			t.Fatalf("batch without lines or acknowledgement: %+v", batch)
		}
		r.keep(batch)
	case err := <-r.ended:
		t.Fatalf("source ended: %v", err)
	case <-time.After(patience):
		t.Fatal("source delivers nothing")
	}
}

func (r *running) keep(batch acquisition.Batch) {
	r.received = append(r.received, batch.Lines...)
	r.acks = append(r.acks, batch.Ack)
}

func (r *running) acknowledge() {
	for _, ack := range r.acks {
		ack()
	}
	r.acks = nil
}

func (r *running) take(t *testing.T, n int) []event.Line {
	t.Helper()
	for len(r.received) < n {
		r.receive(t)
	}
	taken := r.received[:n]
	r.received = r.received[n:]
	return taken
}

func (r *running) expect(t *testing.T, want []string) {
	t.Helper()
	taken := r.take(t, len(want))
	for i, text := range want {
		if taken[i].Raw != text {
			t.Fatalf("line %d is %q, want %q", i, taken[i].Raw, text)
		}
	}
}

// leftovers returns what was received and not looked at.
func (r *running) leftovers() []event.Line { return r.received }

func (r *running) stop(t *testing.T) {
	t.Helper()
	if r.stopped {
		return
	}
	r.stopped = true
	r.cancel()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("source ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("source does not end")
	}
	select {
	case _, open := <-r.out:
		if !open {
			t.Error("source closed the channel")
		}
	default:
	}
}

func numbered(from, to int) []string {
	lines := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	return lines
}
