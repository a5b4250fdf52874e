package acquisition_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/all"
	"shieldwall/internal/logprocessor/event"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "acquis.yaml"), `# one file, several documents
filenames: [/var/log/auth.log, "${LOGS}/x.log"]
labels: {type: syslog, price: $5, left: $UNDEFINED}
---
# nothing but a comment
---
filename: /var/log/b.log
labels:
  type: b
`)
	write(t, filepath.Join(dir, "acquis.d", "2.yml"), "source: test\nlabels: {type: third}\n")
	write(t, filepath.Join(dir, "acquis.d", "9.yaml"), "source: test\nlabels: {type: second}\n")
	write(t, filepath.Join(dir, "acquis.d", "1.yaml"), "source: test\nlabels: {type: first}\n")
	write(t, filepath.Join(dir, "acquis.d", "1.txt"), "not: read")
	loader, _ := newLoader()
	definitions, err := loader.Files(filepath.Join(dir, "acquis.yaml"), filepath.Join(dir, "acquis.d"))
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, d := range definitions {
		types = append(types, d.Base().Source+":"+d.Base().Labels["type"])
	}
	want := []string{"file:syslog", "file:b", "test:first", "test:second", "test:third"}
	if !slices.Equal(types, want) {
		t.Fatalf("definitions %v, want %v", types, want)
	}
	if labels := definitions[0].Base().Labels; labels["price"] != "$5" || labels["left"] != "$UNDEFINED" {
		t.Errorf("labels %v: unknown variables must stay", labels)
	}
	if want := filepath.Join(dir, "acquis.yaml") + ": document 3"; definitions[1].Origin != want {
		t.Errorf("origin %s, want %s", definitions[1].Origin, want)
	}
}

func TestMissingFilesAndFoldersArePassedOver(t *testing.T) {
	t.Parallel()
	loader, _ := newLoader()
	missing := filepath.Join(t.TempDir(), "missing")
	definitions, err := loader.Files(missing, missing)
	if err != nil || len(definitions) != 0 {
		t.Fatalf("definitions %v, %v", definitions, err)
	}
}

func TestNothingConfiguredIsAWarning(t *testing.T) {
	t.Parallel()
	loader, log := newLoader()
	if _, err := loader.Files("", ""); err != nil || !strings.Contains(log.String(), "level=WARN") {
		t.Fatalf("error %v, log %q", err, log)
	}
}

func TestMistakesNameTheirPlace(t *testing.T) {
	t.Parallel()
	good := "source: test\nlabels: {type: a}\n---\n"
	tests := map[string]struct{ text, want string }{
		"unknown key":        {good + "source: test\nlabels: {type: b}\nwrong: 1\n", `document 2: line 6: unknown key "wrong"`},
		"repeated key":       {"source: test\nsource: test\n", `document 1: line 2: key "source" repeats line 1`},
		"wrong type":         {"source: test\nuse_time_machine: perhaps\n", `document 1: line 2: key "use_time_machine": cannot unmarshal`},
		"wrong nested type":  {"source: test\nlabels:\n  type: []\n", `document 1: line 3: key "labels.type": cannot unmarshal`},
		"not YAML":           {good + "source: [\n", "document 2: line"},
		"not a mapping":      {"- source: test\n", "document 1: line 1: a data source is a mapping of keys"},
		"no source":          {"labels: {type: a}\n", `document 1: key "source" is missing`},
		"unknown source":     {"source: carrier-pigeon\n", `document 1: key "source": unknown data source "carrier-pigeon" (known: file, journalctl, nowhere, test)`},
		"journalctl guessed": {"journalctl_filter: []\nlabels: {type: a}\n", `key "journalctl_filter"`},
		"no labels":          {"source: test\n", `document 1: key "labels": at least one label is required`},
		"mode":               {"source: test\nmode: dog\nlabels: {type: a}\n", `key "mode": "dog" is neither tail nor cat`},
		"log level":          {"source: test\nlog_level: loud\nlabels: {type: a}\n", `key "log_level": not a valid log level: "loud"`},
		"transform":          {"source: test\ntransform: bad\nlabels: {type: a}\n", `key "transform": no such expression`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "acquis.yaml")
			write(t, path, test.text)
			loader, _ := newLoader()
			_, err := loader.Files(path, "")
			if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "settings") {
				t.Errorf("error names a Go type: %v", err)
			}
		})
	}
}

func TestSourceThatCannotRunHereIsSkipped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "acquis.yaml")
	write(t, path, "source: nowhere\nlabels: {type: a}\n---\nsource: test\nlabels: {type: b}\n")
	loader, log := newLoader()
	definitions, err := loader.Files(path, "")
	if err != nil || len(definitions) != 1 || definitions[0].Base().Source != "test" {
		t.Fatalf("definitions %v, %v", definitions, err)
	}
	if !strings.Contains(log.String(), "data source cannot run on this host") {
		t.Fatalf("log %q", log)
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		expression string
		want       []string
	}{
		"none":       {"", []string{"a,b", "c"}},
		"split":      {"split", []string{"a", "b", "c"}},
		"leaves all": {"leave", []string{"a,b", "c"}},
		"drops all":  {"drop", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "acquis.yaml")
			write(t, path, "source: test\nlabels: {type: b}\ntransform: '"+test.expression+"'\n")
			loader, _ := newLoader()
			definitions, err := loader.Files(path, "")
			if err != nil {
				t.Fatal(err)
			}
			source, err := definitions[0].Open(acquisition.Env{Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			lines := collect(t, source)
			var got []string
			var last time.Time
			for _, line := range lines {
				got = append(got, line.Raw)
				if !line.Time.After(last) || line.Labels["type"] != "b" || line.Module != "test" {
					t.Errorf("line %+v: time does not increase, or labels or module are lost", line)
				}
				last = line.Time
			}
			if !slices.Equal(got, test.want) {
				t.Fatalf("lines %q, want %q", got, test.want)
			}
		})
	}
}

func TestSourceHasItsOwnLogLevel(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]bool{"": false, "debug": true, "error": false} {
		path := filepath.Join(t.TempDir(), "acquis.yaml")
		write(t, path, "source: test\nlabels: {type: b}\nlog_level: '"+level+"'\n")
		loader, _ := newLoader()
		definitions, err := loader.Files(path, "")
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := definitions[0].Open(acquisition.Env{Log: slog.New(slog.NewTextHandler(&text, nil))}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), "detail"); got != want {
			t.Errorf("level %q: debug message shown is %v", level, got)
		}
	}
}

func TestRegistryOfThisBinary(t *testing.T) {
	t.Parallel()
	if _, ok := all.Registry()["file"]; !ok {
		t.Fatal("no file source")
	}
}

func FuzzParseDocuments(f *testing.F) {
	f.Add([]byte("source: test\nlabels: {type: a}\n---\n# none\n---\nfilename: x\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("source: test\nlabels: {type: [1]}\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, err := acquisition.ParseDocuments("fuzz.yaml", text)
		if err != nil {
			return
		}
		for _, document := range documents {
			if _, err := all.Registry()["file"].Decode(document); err != nil && !strings.HasPrefix(err.Error(), "fuzz.yaml: document ") {
				t.Fatalf("error without its place: %v", err)
			}
		}
	})
}

// stub is a source of two lines in one batch, which ends when that was acknowledged.
type stub struct {
	acquisition.Common `yaml:",inline"`

	unavailable bool
}

type factory struct{ unavailable bool }

func (f factory) Decode(document acquisition.Document) (acquisition.Settings, error) {
	s := stub{unavailable: f.unavailable}
	err := document.Decode(&s)
	return s, err
}

func (factory) DecodeDSN(acquisition.DSN) (acquisition.Settings, error) {
	return nil, errors.New("not in this test")
}

func (s stub) Check() error {
	if s.unavailable {
		return fault.Errorf(fault.Unavailable, "no such thing here")
	}
	return nil
}

func (s stub) Open(env acquisition.Env) (acquisition.Source, error) {
	env.Log.Debug("detail")
	return s, nil
}

func (s stub) Run(_ context.Context, out chan<- acquisition.Batch) error {
	now := time.Unix(1, 0)
	line := event.Line{Time: now, Labels: s.Labels, Module: "test", Process: true}
	first, second := line, line
	first.Raw, second.Raw, second.Time = "a,b", "c", now.Add(1)
	acknowledged := make(chan struct{})
	out <- acquisition.Batch{Lines: []event.Line{first, second}, Ack: func() { close(acknowledged) }}
	<-acknowledged
	return nil
}

func newLoader() (acquisition.Loader, *bytes.Buffer) {
	var log bytes.Buffer
	registry := all.Registry()
	registry["test"], registry["nowhere"] = factory{}, factory{unavailable: true}
	return acquisition.Loader{
		Registry: registry,
		Env: func(name string) (string, bool) {
			return map[string]string{"LOGS": "/logs"}[name], name == "LOGS"
		},
		Log:     slog.New(slog.NewTextHandler(&log, nil)),
		Compile: compile,
	}, &log
}

func compile(expression string) (acquisition.Transform, error) {
	transforms := map[string]acquisition.Transform{
		"split": func(line event.Line) ([]string, bool) { return strings.Split(line.Raw, ","), true },
		"leave": func(event.Line) ([]string, bool) { return nil, false },
		"drop":  func(event.Line) ([]string, bool) { return nil, true },
	}
	if transform, ok := transforms[expression]; ok {
		return transform, nil
	}
	return nil, errors.New("no such expression")
}

// collect runs a source to its end and acknowledges its batches.
func collect(t *testing.T, source acquisition.Source) (lines []event.Line) {
	t.Helper()
	out := make(chan acquisition.Batch)
	ended := make(chan error, 1)
	go func() {
		defer close(out)
		ended <- source.Run(t.Context(), out)
	}()
	for batch := range out {
		lines = append(lines, batch.Lines...)
		batch.Ack()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return lines
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
