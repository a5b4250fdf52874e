package file_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/event"
)

const (
	short = 30 * time.Second
	long  = 2 * time.Minute
)

func TestBacklog(t *testing.T) {
	t.Parallel()
	tests := map[string]func(p *pausing){
		"short pause": func(p *pausing) {
			p.appendDown(short, "two")
			p.up("")
			p.expect("live two")
		},
		"long pause": func(p *pausing) {
			p.appendDown(long, "two", "three")
			p.up("")
			p.expect("past two", "past three")
			p.append("a.log", "four")
			p.expect("live four")
		},
		"one batch on either side of the boundary": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("")
			p.append("a.log", "three") // nobody has received yet
			p.expect("past two", "live three")
		},
		"pause that ended before another, short one": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("")
			p.expect("past two")
			p.append("a.log", "three")
			p.expect("live three")
			p.appendDown(short, "four")
			p.up("")
			p.expect("live four")
		},
		"clock that was set back": func(p *pausing) {
			p.appendDown(-time.Hour, "two")
			p.up("")
			p.expect("past two")
		},
		"reload after a long quiet": func(p *pausing) {
			p.quiet(time.Hour)
			p.halt()
			p.append("a.log", "two")
			p.run("", "following log file")
			p.expect("live two")
		},
		"restart after a long quiet": func(p *pausing) {
			p.quiet(time.Hour)
			p.appendDown(short, "two")
			p.up("")
			p.expect("live two")
		},
		"rotated twice meanwhile": func(p *pausing) {
			p.appendDown(0, "two")
			rename(p.t, p.path("a.log"), p.path("a.log.2"))
			p.append("a.log", "three")
			rename(p.t, p.path("a.log"), p.path("a.log.1"))
			p.append("a.log", "four")
			p.clock.pass(long)
			p.up("")
			p.expect("past two", "past three", "past four")
			rename(p.t, p.path("a.log.2"), p.path("a.log.3"))
			rename(p.t, p.path("a.log.1"), p.path("a.log.2"))
			rename(p.t, p.path("a.log"), p.path("a.log.1"))
			p.append("a.log", "five")
			p.expect("live five")
		},
		"rotated before anybody received": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("")
			rename(p.t, p.path("a.log"), p.path("a.log.1"))
			p.append("a.log", "three")
			p.expect("past two", "live three")
		},
		"replaced by another file": func(p *pausing) {
			p.appendDown(long)
			if err := os.Remove(p.path("a.log")); err != nil {
				p.t.Fatal(err)
			}
			p.append("a.log", "another first line", "two")
			p.up("")
			p.expect("past another first line", "past two")
			p.append("a.log", "three")
			p.expect("live three")
		},
		"truncated after it was met": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("")
			p.expect("past two")
			if err := os.Truncate(p.path("a.log"), 0); err != nil {
				p.t.Fatal(err)
			}
			p.await("log file was truncated, reading it from its start")
			p.append("a.log", "three")
			p.expect("live three")
		},
		"known under another name": func(p *pausing) {
			p.appendDown(long, "two")
			rename(p.t, p.path("a.log"), p.path("b.log"))
			p.up("")
			p.expect("past two")
			p.append("b.log", "three")
			p.expect("live three")
		},
		"file that appears later": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("")
			p.expect("past two")
			p.append("b.log", "three")
			p.expect("live three")
		},
		"log that goes on later": func(p *pausing) {
			p.appendDown(long, "two")
			rename(p.t, p.path("a.log"), p.path("a.log.1"))
			p.open()
			p.run("", "no file matches yet")
			p.append("a.log", "three")
			p.expect("past two", "live three")
		},
		"line that was begun before the boundary": func(p *pausing) {
			p.appendDown(long, "two")
			write(p.t, p.path("a.log"), "half")
			p.up("partial_line_timeout: 1h")
			p.expect("past two")
			write(p.t, p.path("a.log"), " done\n")
			p.expect("live half done")
		},
		"last line without an end": func(p *pausing) {
			p.appendDown(long, "two")
			write(p.t, p.path("a.log"), "half")
			p.up("partial_line_timeout: 10ms")
			p.expect("past two", "past half")
			write(p.t, p.path("a.log"), "\nthree\n")
			p.expect("live three")
		},
		"line that is begun for long": func(p *pausing) {
			p.appendDown(long)
			write(p.t, p.path("a.log"), "half")
			p.up("partial_line_timeout: 1h")
			p.quiet(long)
			write(p.t, p.path("a.log"), " done\n")
			p.expect("live half done")
		},
		"rotated file in between is missing": func(p *pausing) {
			p.appendDown(long, "two")
			rename(p.t, p.path("a.log"), p.path("a.log.3"))
			p.append("a.log.1", "never read")
			p.append("a.log", "three")
			p.up("")
			p.expect("past two")
			p.wakeUntil("a rotated log file is missing, going on with the newest", 10*time.Second)
			p.expect("past three")
			p.append("a.log", "four")
			p.expect("live four")
		},
		"crash in the middle": func(p *pausing) {
			lines := numbered("past ")
			p.appendDown(long, numbered("")...)
			p.up("")
			p.expect(lines[:512]...) // one batch
			p.appendDown(short)
			p.up("")
			p.expect(lines[512:]...)
			p.append("a.log", "two")
			p.expect("live two")
		},
		"reading takes long": func(p *pausing) {
			lines := numbered("past ")
			p.appendDown(long, numbered("")...)
			p.up("")
			p.expect(lines[:512]...) // one batch
			p.clock.pass(long)
			p.append("a.log", "two")
			p.expect(append(lines[512:], "past two")...)
			p.append("a.log", "three")
			p.expect("live three")
		},
		"time machine throughout": func(p *pausing) {
			p.appendDown(long, "two")
			p.up("use_time_machine: true")
			p.append("a.log", "three")
			p.expect("past two", "past three")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pausing{t: t, dir: t.TempDir(), clock: &clock{}, state: filepath.Join(t.TempDir(), "checkpoints.json")}
			p.append("a.log")
			p.up("")
			p.append("a.log", "one")
			p.expect("live one")
			test(p)
		})
	}
}

// numbered returns more lines than one batch may have.
func numbered(prefix string) []string {
	lines := make([]string, 600)
	for i := range lines {
		lines[i] = fmt.Sprintf("%sline %d", prefix, i)
	}
	return lines
}

// clock is the real one, moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())).Round(0) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// pausing is a source that follows *.log in a folder of its own, through pauses.
type pausing struct {
	t      *testing.T
	dir    string
	clock  *clock
	state  string // the file of the store
	store  *checkpoint.Store
	log    *spy
	source *following // nil while down
	lines  []string   // received, each with its clock
}

func (p *pausing) path(name string) string { return filepath.Join(p.dir, name) }

func (p *pausing) append(name string, lines ...string) { appendLines(p.t, p.path(name), lines...) }

// appendDown ends the process, after which time passes and a.log gets more lines.
func (p *pausing) appendDown(pause time.Duration, lines ...string) {
	p.t.Helper()
	p.halt()
	p.flush()
	p.clock.pass(pause)
	p.append("a.log", lines...)
}

// up starts a new process and waits until the source reads a.log.
func (p *pausing) up(keys string) {
	p.t.Helper()
	p.open()
	p.run(keys, "following log file")
}

func (p *pausing) open() {
	p.t.Helper()
	store, err := checkpoint.Open(p.state, checkpoint.Options{Log: discard(), Now: p.clock.now})
	if err != nil {
		p.t.Fatal(err)
	}
	p.store = store
}

func (p *pausing) run(keys, message string) {
	p.t.Helper()
	p.log = &spy{records: make(chan string, 1000)}
	source := open(p.t, "filename: "+p.path("*.log")+"\nlabels: {type: test}\n"+keys+"\n", acquisition.Env{
		Log: slog.New(p.log), Now: p.clock.now, Checkpoints: p.store,
	})
	ctx, cancel := context.WithCancel(context.Background())
	running := &following{out: make(chan acquisition.Batch), cancel: cancel, ended: make(chan error, 1)}
	go func() { running.ended <- source.Run(ctx, running.out) }()
	p.source = running
	p.t.Cleanup(p.halt)
	p.await(message)
}

func (p *pausing) await(message string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case record := <-p.log.records:
			if record == message {
				return
			}
		case <-deadline:
			p.t.Fatalf("source does not log %q", message)
		}
	}
}

func (p *pausing) halt() {
	if p.source == nil {
		return
	}
	p.source.cancel()
	if err := <-p.source.ended; err != nil {
		p.t.Error(err)
	}
	p.source = nil
}

func (p *pausing) flush() {
	p.t.Helper()
	if err := p.store.Flush(); err != nil {
		p.t.Fatal(err)
	}
}

// quiet lets time pass while the source runs, until the store has heard of it.
func (p *pausing) quiet(d time.Duration) {
	p.t.Helper()
	p.clock.pass(d)
	since := p.clock.now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		p.wake(15 * time.Second) // so that the store writes what it hears
		for key, stop := range checkpoint.Stops[map[string]any](p.reopened(), "") {
			if filepath.Base(key) == "a.log" && !stop.At.Before(since) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.t.Fatal("nothing confirms that the log is quiet")
		}
	}
}

// wake makes the source look at a.log after time has passed.
func (p *pausing) wake(d time.Duration) {
	p.t.Helper()
	p.clock.pass(d)
	if err := os.Chmod(p.path("a.log"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// wakeUntil wakes the source until it logs a message.
func (p *pausing) wakeUntil(message string, d time.Duration) {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		select {
		case record := <-p.log.records:
			if record == message {
				return
			}
		case <-tick.C:
			p.wake(d)
		case <-deadline:
			p.t.Fatalf("source does not log %q", message)
		}
	}
}

// reopened returns what another process would find.
func (p *pausing) reopened() *checkpoint.Store {
	p.t.Helper()
	p.flush()
	store, err := checkpoint.Open(p.state, checkpoint.Options{Log: discard(), Now: p.clock.now})
	if err != nil {
		p.t.Fatal(err)
	}
	return store
}

// expect receives lines, each named with its clock.
func (p *pausing) expect(want ...string) {
	p.t.Helper()
	for len(p.lines) < len(want) {
		select {
		case batch := <-p.source.out:
			for _, line := range batch.Lines {
				p.lines = append(p.lines, clockNames[batch.Clock]+" "+line.Raw)
			}
			batch.Ack()
		case <-time.After(patience):
			p.t.Fatalf("got %.200q, want %.200q", p.lines, want)
		}
	}
	if !slices.Equal(p.lines, want) {
		p.t.Fatalf("got %.200q, want %.200q", p.lines, want)
	}
	p.lines = nil
}

var clockNames = [...]string{event.Live: "live", event.TimeMachine: "past"}
