package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/hub"
	"shieldwall/test/bench/corpus"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	for only, want := range map[string]string{
		"":           "nginx sshd workers memory buckets start allocations alerts import stream lookup firewall drops cscli",
		"start,sshd": "sshd start",
	} {
		chosen, err := choose(measurements(), only)
		if got := strings.Join(names(chosen), " "); err != nil || got != want {
			t.Errorf("%q: got %q, %v", only, got, err)
		}
	}
	if _, err := choose(measurements(), "speed"); err == nil {
		t.Error("an unknown measurement was accepted")
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	metrics := []byte(`# TYPE cs_parser_hits_total counter
cs_parser_hits_total{source="/a log",type="file"} 1.5e+06
cs_parser_hits_total{source="/b",type="file"} 2
cs_parser_hits_total_of_others{source="/b"} 64
cs_info{version="1"} 1
`)
	if got := sum(metrics, "cs_parser_hits_total"); got != 1_500_002 {
		t.Errorf("got %d", got)
	}
	if got := sum(metrics, "cs_missing"); got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	said := strings.NewReader("one\nthe source has ended\nthree\n")
	if err := await(said, "has ended"); err != nil {
		t.Error(err)
	}
	if err := await(strings.NewReader("one\ntwo\n"), "has ended"); err == nil || !strings.HasSuffix(err.Error(), "two") {
		t.Errorf("got %v", err)
	}
}

func TestBenchmarkResults(t *testing.T) {
	t.Parallel()
	results := benchmarkResults([]byte(`goos: linux
BenchmarkA/1000-2   	     100	     11.5 ns/op	  36 bytes/bucket
BenchmarkA/1000-2   	     100	     12 ns/op	  35 bytes/bucket
BenchmarkA/live=10        1	     9 ns/op
BenchmarkA/torn-2
BenchmarkAll/1000-2   	     100	     11.5 ns/op	  36 bytes/bucket
PASS
`), "BenchmarkA")
	if len(results) != 2 || !slices.Equal(results["1000"]["bytes/bucket"], []float64{36, 35}) || !slices.Equal(results["live=10"]["ns/op"], []float64{9}) {
		t.Errorf("got %v", results)
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	offered := index{
		hub.Collections: {
			"a/all":  {Path: "collections/a/all.yaml", Collections: []string{"a/web", "a/all"}, Parsers: []string{"a/syslog"}},
			"a/web":  {Path: "collections/a/web.yaml", Scenarios: []string{"a/crawl"}, Contexts: []string{"a/http"}},
			"a/torn": {Path: "collections/a/torn.yaml", Postoverflows: []string{"a/missing"}},
		},
		hub.Parsers:   {"a/syslog": {Path: "parsers/s00-raw/a/syslog.yaml", Stage: "s00-raw"}, "a/other": {Path: "other"}},
		hub.Scenarios: {"a/crawl": {Path: "scenarios/a/crawl.yaml"}},
		hub.Contexts:  {"a/http": {Path: "contexts/a/http.yaml"}},
	}
	wanted := map[string]string{}
	if err := offered.collect(hub.Collections, "a/all", wanted); err != nil {
		t.Fatal(err)
	}
	for path, folder := range map[string]string{
		"collections/a/all.yaml": "collections", "collections/a/web.yaml": "collections",
		"parsers/s00-raw/a/syslog.yaml": "parsers/s00-raw", "scenarios/a/crawl.yaml": "scenarios", "contexts/a/http.yaml": "contexts",
	} {
		if wanted[path] != folder {
			t.Errorf("%s: got %q, want %q", path, wanted[path], folder)
		}
		delete(wanted, path)
	}
	if len(wanted) > 0 {
		t.Errorf("nobody wanted %v", wanted)
	}
	if err := offered.collect(hub.Collections, "a/torn", wanted); err == nil || !strings.Contains(err.Error(), "postoverflows a/missing") {
		t.Errorf("got %v", err)
	}
}

func TestDataFiles(t *testing.T) {
	t.Parallel()
	item := filepath.Join(t.TempDir(), "item.yaml")
	text := "name: a\ndata: [{source_url: x, dest_file: one.txt}]\n---\nname: b\n---\ndata:\n  - dest_file: two.txt\n"
	if err := os.WriteFile(item, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := dataFiles(item); err != nil || !slices.Equal(got, []string{"one.txt", "two.txt"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestSelected looks at what the benchmark takes for lines that concern no scenario.
func TestSelected(t *testing.T) {
	t.Parallel()
	b := &bench{dir: t.TempDir(), seed: 1}
	for _, kind := range []corpus.Kind{corpus.Nginx, corpus.SSHD} {
		l, err := b.selected(kind, 50, quiet(kind))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(l.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for scanner := bufio.NewScanner(bytes.NewReader(text)); scanner.Scan(); lines++ {
			if line := scanner.Text(); strings.Contains(line, "Failed") || strings.Contains(line, " 404 ") {
				t.Errorf("this line is not quiet: %s", line)
			}
		}
		if lines != 50 {
			t.Errorf("%s: %d lines", kind, lines)
		}
	}
	if _, err := b.selected(corpus.Nginx, 1, func([]byte) bool { return false }); err == nil {
		t.Error("a log without lines was written")
	}
}
