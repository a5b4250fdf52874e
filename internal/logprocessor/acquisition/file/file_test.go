package file_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/acquisitiontest"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/acquisition/file"
	"shieldwall/internal/logprocessor/event"
)

const patience = 20 * time.Second

func TestContract(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]string{"notified": "", "polling": "poll_without_inotify: true\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			acquisitiontest.Run(t, func(t *testing.T) acquisitiontest.Harness {
				t.Helper()
				path := filepath.Join(t.TempDir(), "x.log")
				return acquisitiontest.Harness{
					Kind:   "file",
					Labels: map[string]string{"type": "test"},
					Open: func(t *testing.T, env acquisition.Env) acquisition.Source {
						t.Helper()
						return open(t, "filename: "+path+"\nlabels: {type: test}\n"+keys, env)
					},
					Append: func(t *testing.T, lines ...string) {
						t.Helper()
						appendLines(t, path, lines...)
					},
				}
			})
		})
	}
}

func TestFollowing(t *testing.T) {
	t.Parallel()
	tests := map[string]func(f *follow){
		"existing file from its end": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"), "old")
			f.start("filename: " + f.path("a.log"))
			f.await("following log file")
			appendLines(t, f.path("a.log"), "new")
			f.expect("new")
		},
		"line that is written before anybody looks": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"), "old")
			source := open(t, "filename: "+f.path("*.log")+"\nlabels: {type: test}\n", f.env)
			appendLines(t, f.path("a.log"), "new")
			f.run(source)
			f.expect("new")
			appendLines(t, f.path("b.log"), "first of another")
			f.expect("first of another")
		},
		"rewritten before anybody looks": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"), "old", "older")
			source := open(t, "filename: "+f.path("a.log")+"\nlabels: {type: test}\n", f.env)
			if err := os.Truncate(f.path("a.log"), 0); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("a.log"), "new")
			f.run(source)
			f.expect("new")
		},
		"file that appears later from its start": func(f *follow) {
			t := f.t
			f.start("filename: " + f.path("sub/deep/a.log"))
			f.await("no file matches yet")
			if err := os.MkdirAll(f.path("sub/deep"), 0o700); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("sub/deep/a.log"), "first", "second")
			f.expect("first", "second")
		},
		"new folders below a glob": func(f *follow) {
			t := f.t
			f.start("filename: " + f.path("*/log/*.log"))
			f.await("no file matches yet")
			if err := os.MkdirAll(f.path("site/log"), 0o700); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("site/log/a.log"), "first")
			f.expect("first")
		},
		"rename and create": func(f *follow) {
			t := f.t
			f.startEmpty()
			appendLines(t, f.path("a.log"), "one")
			rename(t, f.path("a.log"), f.path("a.log.1"))
			appendLines(t, f.path("a.log"), "two")
			f.expect("one", "two")
		},
		"late writer to a rotated file": func(f *follow) {
			t := f.t
			f.startEmpty()
			late, err := os.OpenFile(f.path("a.log"), os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = late.Close() })
			rename(t, f.path("a.log"), f.path("a.log.1"))
			appendLines(t, f.path("a.log"), "new")
			f.expect("new")
			if _, err := late.WriteString("late\n"); err != nil {
				t.Fatal(err)
			}
			f.expect("late")
		},
		"copy and truncate": func(f *follow) {
			t := f.t
			f.startEmpty()
			appendLines(t, f.path("a.log"), "one", "two")
			f.expect("one", "two")
			if err := os.Truncate(f.path("a.log"), 0); err != nil {
				t.Fatal(err)
			}
			f.await("log file was truncated, reading it from its start")
			appendLines(t, f.path("a.log"), "three")
			f.expect("three")
		},
		"deleted and created again": func(f *follow) {
			t := f.t
			f.startEmpty()
			appendLines(t, f.path("a.log"), "one")
			f.expect("one")
			if err := os.Remove(f.path("a.log")); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("a.log"), "two")
			f.expect("two")
		},
		"rotated names that the glob matches too": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"))
			f.start("filename: " + f.path("*.log*"))
			f.await("following log file")
			appendLines(t, f.path("a.log"), "one")
			f.expect("one")
			rename(t, f.path("a.log"), f.path("a.log.1"))
			appendLines(t, f.path("a.log"), "two")
			f.expect("two")
			appendLines(t, f.path("b.log"), "three")
			f.expect("three")
		},
		"one file under two names": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"))
			if err := os.Symlink("a.log", f.path("b.log")); err != nil {
				t.Fatal(err)
			}
			f.start("filename: " + f.path("*.log"))
			f.await("following log file")
			appendLines(t, f.path("a.log"), "one")
			f.expect("one")
			appendLines(t, f.path("a.log"), "two")
			f.expect("two")
		},
		"symbolic link that is turned to another file": func(f *follow) {
			t := f.t
			if err := os.Mkdir(f.path("pods"), 0o700); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("pods/0"))
			if err := os.Symlink("pods/0", f.path("a.log")); err != nil {
				t.Fatal(err)
			}
			f.start("filename: " + f.path("*.log"))
			f.await("following log file")
			appendLines(t, f.path("pods/0"), "one")
			f.expect("one")
			appendLines(t, f.path("pods/1"), "two")
			if err := os.Symlink("pods/1", f.path("link")); err != nil {
				t.Fatal(err)
			}
			rename(t, f.path("link"), f.path("a.log"))
			f.expect("two")
			appendLines(t, f.path("pods/1"), "three")
			f.expect("three")
		},
		"excluded files, folders and compressed files": func(f *follow) {
			t := f.t
			f.start("filename: " + f.path("*") + "\nexclude_regexps: ['/skip[^/]*$']")
			f.await("no file matches yet")
			if err := os.Mkdir(f.path("folder"), 0o700); err != nil {
				t.Fatal(err)
			}
			appendLines(t, f.path("skip.log"), "skipped")
			appendLines(t, f.path("old.gz"), "compressed")
			appendLines(t, f.path("a.log"), "read")
			f.expect("read")
		},
		"one line in two writes": func(f *follow) {
			t := f.t
			f.startEmpty()
			write(t, f.path("a.log"), "first ")
			write(t, f.path("a.log"), "half\nnext\n")
			f.expect("first half", "next")
		},
		"line without newline after a while": func(f *follow) {
			t := f.t
			appendLines(t, f.path("a.log"))
			f.start("filename: " + f.path("a.log") + "\npartial_line_timeout: 10ms")
			f.await("following log file")
			write(t, f.path("a.log"), "no newline")
			f.expect("no newline")
			write(t, f.path("a.log"), "\nnext\n")
			f.expect("next")
		},
		"unfinished line of a rotated file comes first": func(f *follow) {
			t := f.t
			f.startEmpty()
			write(t, f.path("a.log"), "unfinished")
			rename(t, f.path("a.log"), f.path("a.log.1"))
			appendLines(t, f.path("a.log"), "next")
			f.expect("unfinished", "next")
		},
		"carriage returns stay, empty lines go": func(f *follow) {
			t := f.t
			f.startEmpty()
			write(t, f.path("a.log"), "dos\r\n\n\nunix\n")
			f.expect("dos\r", "unix")
		},
		"line beyond the limit is cut": func(f *follow) {
			t := f.t
			f.startEmpty()
			write(t, f.path("a.log"), strings.Repeat("x", 3<<20)+"\nnext\n")
			f.expect(strings.Repeat("x", 1<<20), "next")
			f.await("line too long, cut")
		},
		"any bytes": func(f *follow) {
			t := f.t
			f.startEmpty()
			write(t, f.path("a.log"), "\x00\xff\xfe\n")
			f.expect("\x00\xff\xfe")
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newFollow(t))
		})
	}
}

func TestTwoSourcesDoNotReadOneFileTwice(t *testing.T) {
	t.Parallel()
	f := newFollow(t)
	f.startEmpty()
	second := newFollow(t)
	second.env.Checkpoints = f.env.Checkpoints
	second.start("filename: " + f.path("a.log"))
	second.await("log file cannot be followed, trying again")
}

func TestCat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.log"), "one\r\n\ntwo\nthree")
	write(t, filepath.Join(dir, "b.log.gz"), zip(t, "four\n"))
	write(t, filepath.Join(dir, "long.log"), strings.Repeat("x", 70_000)+"\n")
	write(t, filepath.Join(dir, "very_long.log"), strings.Repeat("y", 3<<20)+"\nz\n")
	write(t, filepath.Join(dir, "bad.gz"), "not compressed")
	if err := os.Mkdir(filepath.Join(dir, "folder.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		dsn  string
		want []string
		err  string
	}{
		"file":                 {"a.log", []string{"one", "two", "three"}, ""},
		"glob and compression": {"[ab].log*", []string{"one", "two", "three", "four"}, ""},
		"folders are skipped":  {"[af]*.log", []string{"one", "two", "three"}, ""},
		"line too long":        {"[al]*.log?max_buffer_size=65536", []string{"one", "two", "three"}, "longer than max_buffer_size"},
		"long lines":           {"[alv]*.log", []string{"one", "two", "three", strings.Repeat("x", 70_000), strings.Repeat("y", 1<<20), "z"}, ""},
		"larger buffer":        {"long.log?max_buffer_size=100000", []string{strings.Repeat("x", 70_000)}, ""},
		"damaged compression":  {"bad.gz", nil, "gzip: invalid header"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			batches, err := cat(t, "file://"+filepath.Join(dir, test.dsn))
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("error %v, want %q", err, test.err)
			}
			var got []string
			times := map[time.Time]bool{}
			for _, batch := range batches {
				if batch.Clock != event.TimeMachine {
					t.Errorf("clock %v", batch.Clock)
				}
				batch.Ack()
				for _, line := range batch.Lines {
					got = append(got, line.Raw)
					times[line.Time] = true
				}
			}
			if !slices.Equal(got, test.want) || len(times) != len(got) {
				t.Fatalf("lines %.80q at %d times, want %.80q", got, len(times), test.want)
			}
		})
	}
}

func TestBadDSN(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"file://":                              "no file named",
		"file:///nonexistent/*.log":            "no file matches /nonexistent/*.log",
		"file:///etc/passwd?follow=yes":        "unknown parameter follow",
		"file:///etc/passwd?max_buffer_size=x": "parameter max_buffer_size",
		"file:///etc/passwd?log_level=loud":    `not a valid log level: "loud"`,
		"nofile:///etc/passwd":                 `unknown data source "nofile"`,
	} {
		t.Run(dsn, func(t *testing.T) {
			t.Parallel()
			_, err := defineDSN(t, dsn)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("error %v, want %q", err, want)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for keys, want := range map[string]string{
		"source: file":                              `key "filenames": at least one file is required`,
		"filenames: ['[']":                          `key "filenames": "[" is not a path or a pattern`,
		"filename: /x\nexclude_regexps: ['(']":      `key "exclude_regexps"`,
		"filename: /x\nmax_buffer_size: -1":         `key "max_buffer_size": -1 is negative`,
		"filename: /x\ndiscovery_poll_interval: 0s": `key "discovery_poll_interval": 0s is not positive`,
		"filename: /x\nfilenmae: /y":                `doc.yaml: document 1: line 2: unknown key "filenmae"`,
		"filename: /x\nforce_inotify: 3":            `doc.yaml: document 1: line 2: key "force_inotify": cannot unmarshal`,
	} {
		t.Run(keys, func(t *testing.T) {
			t.Parallel()
			documents, err := acquisition.ParseDocuments("doc.yaml", []byte(keys))
			if err != nil {
				t.Fatal(err)
			}
			_, err = file.Factory{}.Decode(documents[0])
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("error %v, want %q", err, want)
			}
		})
	}
}

func TestLinesAreCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	write(t, path, "one\ntwo\n")
	registry := prometheus.NewRegistry()
	for range 2 { // a second source, or a reload, goes on counting
		definition, err := defineDSN(t, "file://"+path)
		if err != nil {
			t.Fatal(err)
		}
		e := env(t, discard())
		e.Metrics, e.Aggregated = registry, true
		source, err := definition.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := source.Run(t.Context(), make(chan acquisition.Batch, 10)); err != nil {
			t.Fatal(err)
		}
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "cs_filesource_hits_total" {
		t.Fatalf("metrics %v, %v", families, err)
	}
	got := families[0].GetMetric()[0].String()
	for _, want := range []string{"acquis_type", "datasource_type", `"source" value:"a.log"`, "counter:{value:4"} {
		if !strings.Contains(strings.ReplaceAll(got, "  ", " "), want) {
			t.Errorf("metric %s does not show %s", got, want)
		}
	}
}

// follow is a following source over a folder of its own.
type follow struct {
	t    *testing.T
	dir  string
	env  acquisition.Env
	log  *spy
	out  chan acquisition.Batch
	rest []string
}

func newFollow(t *testing.T) *follow {
	t.Helper()
	log := &spy{records: make(chan string, 1000)}
	return &follow{t: t, dir: t.TempDir(), env: env(t, slog.New(log)), log: log, out: make(chan acquisition.Batch)}
}

func (f *follow) path(name string) string { return filepath.Join(f.dir, name) }

func (f *follow) start(keys string) {
	f.t.Helper()
	f.run(open(f.t, keys+"\nlabels: {type: test}\n", f.env))
}

func (f *follow) run(source acquisition.Source) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, f.out) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Error(err)
		}
	})
}

// startEmpty follows a new, empty a.log.
func (f *follow) startEmpty() {
	f.t.Helper()
	appendLines(f.t, f.path("a.log"))
	f.start("filename: " + f.path("a.log") + "\npartial_line_timeout: 1h")
	f.await("following log file")
}

// await waits until the source logs a message.
func (f *follow) await(message string) {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case record := <-f.log.records:
			if record == message {
				return
			}
		case <-deadline:
			f.t.Fatalf("source does not log %q", message)
		}
	}
}

func (f *follow) expect(want ...string) {
	f.t.Helper()
	for len(f.rest) < len(want) {
		select {
		case batch := <-f.out:
			for _, line := range batch.Lines {
				f.rest = append(f.rest, line.Raw)
			}
			batch.Ack()
		case <-time.After(patience):
			f.t.Fatalf("got %.200q, want %.200q", f.rest, want)
		}
	}
	if !slices.Equal(f.rest, want) {
		f.t.Fatalf("got %.200q, want %.200q", f.rest, want)
	}
	f.rest = nil
}

// spy hands on messages.
type spy struct{ records chan string }

func (*spy) Enabled(context.Context, slog.Level) bool { return true }
func (s *spy) WithAttrs([]slog.Attr) slog.Handler     { return s }
func (s *spy) WithGroup(string) slog.Handler          { return s }
func (s *spy) Handle(_ context.Context, r slog.Record) error {
	select {
	case s.records <- r.Message:
	default:
	}
	return nil
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func env(tb testing.TB, log *slog.Logger) acquisition.Env {
	tb.Helper()
	store := checkpoint.InMemory(checkpoint.Options{Log: log, Now: time.Now})
	return acquisition.Env{Log: log, Now: time.Now, Checkpoints: store}
}

func open(tb testing.TB, keys string, env acquisition.Env) acquisition.Source {
	tb.Helper()
	documents, err := acquisition.ParseDocuments("doc.yaml", []byte(keys))
	if err != nil {
		tb.Fatal(err)
	}
	settings, err := file.Factory{}.Decode(documents[0])
	if err != nil {
		tb.Fatal(err)
	}
	source, err := settings.Open(env)
	if err != nil {
		tb.Fatal(err)
	}
	return source
}

func defineDSN(t *testing.T, text string) (acquisition.Definition, error) {
	t.Helper()
	dsn, err := acquisition.ParseDSN(text)
	if err != nil {
		t.Fatal(err)
	}
	dsn.Labels = map[string]string{"type": "test"}
	return acquisition.Loader{Registry: acquisition.Registry{"file": file.Factory{}}, Log: discard()}.DSN(dsn)
}

func cat(t *testing.T, dsn string) ([]acquisition.Batch, error) {
	t.Helper()
	definition, err := defineDSN(t, dsn)
	if err != nil {
		t.Fatal(err)
	}
	source, err := definition.Open(env(t, discard()))
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan acquisition.Batch, 100)
	err = source.Run(t.Context(), out)
	close(out)
	var batches []acquisition.Batch
	for batch := range out {
		batches = append(batches, batch)
	}
	return batches, err
}

func appendLines(t *testing.T, path string, lines ...string) {
	t.Helper()
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintln(&text, line)
	}
	write(t, path, text.String())
}

func write(tb testing.TB, path, text string) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var packed strings.Builder
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}
