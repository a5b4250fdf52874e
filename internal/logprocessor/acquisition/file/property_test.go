package file_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/acquisition/file"
	"shieldwall/internal/logprocessor/event"
)

// The law: whatever happens to the file and to the process, every complete line is delivered exactly once
// and in order, and by the clock that it belongs to. A crash gives back what was not acknowledged. Rotation by
// copying and truncating is left out: a line written between the copy and the truncation exists in no file
// that can be followed.
func TestEveryLineOnceInOrder(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	worlds := 0
	rapid.Check(t, func(t *rapid.T) {
		worlds++
		w := newWorld(t, filepath.Join(base, fmt.Sprint(worlds)))
		defer w.stop(t)
		t.Repeat(map[string]func(*rapid.T){
			"write":        w.write,
			"write again":  w.write,
			"part":         w.writePart,
			"rotate":       w.rotate,
			"rotate dated": w.rotateDated,
			"receive":      w.receive,
			"acknowledge":  w.acknowledge,
			"reload":       func(t *rapid.T) { w.stop(t); w.run(t) },
			"restart":      w.restart,
			"crash":        w.crash,
			"go down":      w.stop,
			"pause":        func(t *rapid.T) { w.stop(t); w.pass() },
		})
		w.finish(t)
	})
}

// world is a log, its writer, a source that follows it, and its reader.
type world struct {
	dir     string
	written []string
	part    string // of a line, written without its newline
	numbers int    // rotated files with a number
	dates   int    // rotated files with a date
	clock   clock
	pauses  int // long ones

	store    *checkpoint.Store
	source   *following // nil while down
	received []string
	allowed  []clocks  // of each line written; those beyond its end were written while the source ran
	pending  []issued  // positions from the first that is not acknowledged
	resume   condition // of the position before those
}

// issued is a position as the store knows it.
type issued struct {
	condition
	ack   func() // nil: given
	lines int    // of its batch
}

// condition is what a position says about the lines behind it, if reading resumes there.
type condition struct {
	pauses  int    // how many there were when the position was issued
	backlog clocks // past: they are backlog; both: they may be
}

// clocks is a set of clocks.
type clocks uint8

const (
	live clocks = 1 << iota
	past
)

type following struct {
	out    chan acquisition.Batch
	cancel context.CancelFunc
	ended  chan error
}

func newWorld(t *rapid.T, dir string) *world {
	w := &world{dir: dir, resume: condition{backlog: live}}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.append(t, "")
	w.open(t)
	w.run(t)
	return w
}

func (w *world) log() string { return filepath.Join(w.dir, "a.log") }

func (w *world) append(t *rapid.T, text string) {
	f, err := os.OpenFile(w.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func (w *world) write(t *rapid.T) {
	var text strings.Builder
	for range rapid.IntRange(1, 40).Draw(t, "lines") {
		padding := strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 70, 3000}).Draw(t, "padding"))
		rest := fmt.Sprintf("line %d %s", len(w.written), padding)
		w.written = append(w.written, w.part+rest)
		w.part = ""
		text.WriteString(rest + "\n")
	}
	w.append(t, text.String())
}

func (w *world) writePart(t *rapid.T) {
	w.part += "part "
	w.append(t, "part ")
}

func (w *world) endPart(t *rapid.T) {
	if w.part != "" {
		w.written = append(w.written, w.part)
		w.part = ""
		w.append(t, "\n")
	}
}

// rotate shifts a.log.1 to a.log.2 and so on, then a.log to a.log.1, and sometimes creates a new file.
func (w *world) rotate(t *rapid.T) {
	if w.dates > 0 {
		t.Skip("one way of rotating a log")
	}
	w.endPart(t)
	for n := w.numbers; n >= 1; n-- {
		w.rename(t, fmt.Sprintf("a.log.%d", n), fmt.Sprintf("a.log.%d", n+1))
	}
	w.rename(t, "a.log", "a.log.1")
	w.numbers++
	w.append(t, "")
}

func (w *world) rotateDated(t *rapid.T) {
	if w.numbers > 0 {
		t.Skip("one way of rotating a log")
	}
	w.endPart(t)
	w.dates++
	w.rename(t, "a.log", fmt.Sprintf("a.log-2026%04d", w.dates))
	w.append(t, "")
}

func (w *world) rename(t *rapid.T, from, to string) {
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		t.Fatal(err)
	}
}

// receive takes a batch if one comes at once.
func (w *world) receive(t *rapid.T) {
	if w.source == nil {
		t.Skip("down")
	}
	select {
	case batch := <-w.source.out:
		w.keep(t, batch)
	default:
	}
}

func (w *world) keep(t *rapid.T, batch acquisition.Batch) {
	clock, next := live, condition{w.pauses, live}
	if batch.Clock == event.TimeMachine {
		clock, next.backlog = past, live|past // more of the backlog may follow
	}
	for _, line := range batch.Lines {
		if i := len(w.received); i < len(w.allowed) && w.allowed[i]&clock == 0 || i >= len(w.allowed) && clock != live {
			t.Fatalf("line %d, %.60q, is delivered by clock %d", i, line.Raw, clock)
		}
		w.received = append(w.received, line.Raw)
	}
	w.pending = append(w.pending, issued{next, batch.Ack, len(batch.Lines)})
}

// acknowledge acknowledges any batch, not only the oldest.
func (w *world) acknowledge(t *rapid.T) {
	if len(w.pending) == 0 {
		t.Skip("nothing received")
	}
	i := rapid.IntRange(0, len(w.pending)-1).Draw(t, "batch")
	if w.pending[i].ack != nil {
		w.pending[i].ack()
		w.pending[i].ack = nil
	}
	w.commit()
}

func (w *world) commit() {
	for len(w.pending) > 0 && w.pending[0].ack == nil {
		w.resume, w.pending = w.pending[0].condition, w.pending[1:]
	}
}

// pass is a long pause.
func (w *world) pass() {
	w.clock.pass(long)
	w.pauses++
}

func (w *world) open(t *rapid.T) {
	store, err := checkpoint.Open(filepath.Join(w.dir, "checkpoints"), checkpoint.Options{Log: discard(), Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	w.store = store
}

// resumeLines says what clocks the lines that nobody has read may have, and issues the position at which
// reading begins.
func (w *world) resumeLines() {
	from := w.resume
	if len(w.pending) > 0 {
		from = w.pending[len(w.pending)-1].condition
	}
	if from.pauses < w.pauses {
		from.backlog = past
	}
	w.allowed = slices.Grow(w.allowed[:min(len(w.allowed), len(w.received))], len(w.written))
	for len(w.allowed) < len(w.written) {
		if len(w.allowed) < len(w.received) {
			w.allowed = append(w.allowed, live|past) // not read again but after a crash
			continue
		}
		w.allowed = append(w.allowed, from.backlog)
	}
	w.pending = append(w.pending, issued{condition: condition{w.pauses, from.backlog | live}})
	w.commit()
}

// run starts the source and waits until it has seen how much there is to read.
func (w *world) run(t *rapid.T) {
	if w.source != nil {
		return
	}
	w.resumeLines()
	log := &spy{records: make(chan string, 100)}
	w.follow(t, slog.New(log))
	for message := range log.records {
		if message == "following log file" {
			return
		}
	}
}

func (w *world) follow(t *rapid.T, log *slog.Logger) {
	keys := "filename: " + w.log() + "\npartial_line_timeout: 1h\nlabels: {type: test}\n"
	documents, err := acquisition.ParseDocuments("doc.yaml", []byte(keys))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := file.Factory{}.Decode(documents[0])
	if err != nil {
		t.Fatal(err)
	}
	source, err := settings.Open(acquisition.Env{Log: log, Now: w.clock.now, Checkpoints: w.store})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.source = &following{out: make(chan acquisition.Batch), cancel: cancel, ended: make(chan error, 1)}
	go func(f *following) { f.ended <- source.Run(ctx, f.out) }(w.source)
}

func (w *world) stop(t *rapid.T) {
	if w.source == nil {
		return
	}
	w.source.cancel()
	for running := true; running; {
		select {
		case batch := <-w.source.out:
			w.keep(t, batch)
		case err := <-w.source.ended:
			running = false
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	w.source = nil
}

// restart is an orderly one: everything received is acknowledged before the store is saved.
func (w *world) restart(t *rapid.T) {
	w.stop(t)
	for i := range w.pending {
		if ack := w.pending[i].ack; ack != nil {
			ack()
			w.pending[i].ack = nil
		}
	}
	w.commit()
	w.crash(t)
}

// crash forgets what was not saved, and the lines from the first unacknowledged batch on.
func (w *world) crash(t *rapid.T) {
	if err := w.store.Flush(); err != nil {
		t.Fatal(err)
	}
	w.stop(t)
	for _, position := range w.pending {
		w.received = w.received[:len(w.received)-position.lines]
	}
	w.pending = nil
	w.open(t)
	w.run(t)
}

// finish receives until everything written has arrived, then makes sure that nothing follows.
func (w *world) finish(t *rapid.T) {
	w.run(t)
	w.endPart(t)
	deadline := time.After(patience)
	for len(w.received) < len(w.written) {
		select {
		case batch := <-w.source.out:
			w.keep(t, batch)
		case <-deadline:
			t.Fatalf("%d of %d lines arrived, the last is %.60q", len(w.received), len(w.written), w.received[len(w.received)-1:])
		}
	}
	w.written = append(w.written, "the end")
	w.append(t, "the end\n")
	for len(w.received) == 0 || w.received[len(w.received)-1] != "the end" {
		select {
		case batch := <-w.source.out:
			w.keep(t, batch)
		case <-deadline:
			t.Fatal("the last line does not arrive")
		}
	}
	for i := range w.written {
		if i >= len(w.received) || w.received[i] != w.written[i] {
			t.Fatalf("line %d of %d is %.60q, want %.60q", i, len(w.received), w.received[i:min(i+1, len(w.received))], w.written[i])
		}
	}
	if len(w.received) != len(w.written) {
		t.Fatalf("%d lines arrived, %d were written", len(w.received), len(w.written))
	}
}
