package detection

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/content"
	"shieldwall/internal/app/engine"
	"shieldwall/internal/expression"
	"shieldwall/internal/hub/hubtest"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/platform/yamlfile"
	"shieldwall/test/bench/corpus"
)

// TestShortcutsChangeNothing replays the logs of the benchmark with our own rules: the alerts are the same, to the
// byte, when every rule is evaluated the slow way. SHIELDWALL_LONG=1 makes the logs ten times longer.
func TestShortcutsChangeNothing(t *testing.T) {
	t.Parallel()
	own := ruleset{parsers: parserItems(t, content.Items()), scenarios: scenarioItems(t, content.Items()), dataDir: embeddedData(t)}
	own.compareWays(t, 2_000)
}

// TestShortcutsChangeNothingOfTheHub is the same with the collections of the public hub that the benchmark has.
// SHIELDWALL_HUB_SAMPLE names a folder with the hub; data files are in the folder data beside it.
func TestShortcutsChangeNothingOfTheHub(t *testing.T) {
	t.Parallel()
	sample := hubSample(t)
	rules := ruleset{dataDir: filepath.Join(sample, "..", "data")}
	for _, name := range []string{"linux", "sshd", "nginx", "apache2", "base-http-scenarios", "http-cve"} {
		rules.addCollection(t, sample, "crowdsecurity/"+name)
	}
	rules.compareWays(t, 1_000)
}

// TestShortcutsChangeNoTestOfTheHub runs the test cases of the public hub both ways, and wants the same dumps.
func TestShortcutsChangeNoTestOfTheHub(t *testing.T) {
	t.Parallel()
	hub, err := hubtest.Open(hubSample(t))
	if err != nil {
		t.Fatal(err)
	}
	names, err := hub.Names()
	if err != nil || len(names) < 100 {
		t.Fatalf("%d test cases: %v", len(names), err)
	}
	data := filepath.Join(hub.Dir, "..", "data")
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fast := dumpsOf(t, hubtest.Options{Hub: hub, Data: data, Replay: inProcess(engine.Options{})}, name)
			slow := dumpsOf(t, hubtest.Options{Hub: hub, Data: data, Replay: inProcess(engine.Options{NoShortcuts: true})}, name)
			for file, want := range slow {
				if !bytes.Equal(fast[file], want) {
					t.Errorf("%s: %s", file, difference(fast[file], want))
				}
			}
		})
	}
}

func hubSample(t *testing.T) string {
	t.Helper()
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		t.Skip("needs a copy of the public hub: set SHIELDWALL_HUB_SAMPLE to its folder")
	}
	return sample
}

// ruleset is what an installation has.
type ruleset struct {
	parsers   []parser.Item
	scenarios []scenario.Item
	dataDir   string
}

// addCollection adds what a collection asks for, and those below it, each once.
func (r *ruleset) addCollection(t *testing.T, hub, name string) {
	t.Helper()
	var wanted struct{ Parsers, Scenarios, Collections []string }
	path, text := hubItem(t, hub, "collections/"+name)
	if err := yamlfile.DecodeLenient(path, text, &wanted); err != nil {
		t.Fatal(err)
	}
	for _, below := range wanted.Collections {
		r.addCollection(t, hub, below)
	}
	for _, name := range wanted.Parsers {
		path, text := hubItem(t, hub, "parsers/*/"+name)
		if !slices.ContainsFunc(r.parsers, func(known parser.Item) bool { return known.Path == path }) {
			stage := filepath.Base(filepath.Dir(filepath.Dir(path)))
			r.parsers = append(r.parsers, parser.Item{Path: path, Stage: stage, Text: text})
		}
	}
	for _, name := range wanted.Scenarios {
		path, text := hubItem(t, hub, "scenarios/"+name)
		if !slices.ContainsFunc(r.scenarios, func(known scenario.Item) bool { return known.Path == path }) {
			r.scenarios = append(r.scenarios, scenario.Item{Path: path, Text: text})
		}
	}
}

func hubItem(t *testing.T, hub, name string) (path string, text []byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(hub, name+".y*ml"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s: %q, %v", name, paths, err)
	}
	if text, err = os.ReadFile(paths[0]); err != nil {
		t.Fatal(err)
	}
	return paths[0], text
}

// compareWays replays logs with and without shortcuts.
func (r *ruleset) compareWays(t *testing.T, lines int) {
	t.Helper()
	if os.Getenv("SHIELDWALL_LONG") != "" {
		lines *= 10
	}
	for _, kind := range []corpus.Kind{corpus.Nginx, corpus.SSHD, corpus.Mix} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			log := generated(t, kind, lines)
			got := r.alerts(t, log, parserDeps(t, r.dataDir))
			begin := time.Now()
			want := r.alerts(t, log, withoutShortcuts(parserDeps(t, r.dataDir)))
			if !bytes.Equal(got, want) {
				t.Fatal(difference(got, want))
			}
			if len(want) == 0 {
				t.Error("too little happens in the log: no alert")
			}
			t.Logf("measured: the same %d alerts in %d bytes; the slow way took %v",
				bytes.Count(want, []byte("\n")), len(want), time.Since(begin).Round(time.Millisecond))
		})
	}
}

func (r *ruleset) alerts(t *testing.T, log mixed, deps parser.Deps) []byte {
	t.Helper()
	parsers, scenarios := loadWith(t, deps, r.parsers, r.scenarios)
	return encoded(t, log.replay(t, 1, parsers, scenarios))
}

// withoutShortcuts is what crowdsec -no-shortcuts gives to its parsers and scenarios.
func withoutShortcuts(deps parser.Deps) parser.Deps {
	deps.Patterns.Plain()
	deps.Expressions = expression.New(expression.Deps{Log: deps.Log, Now: time.Now, Data: deps.Data, Stash: deps.Stash, Plain: true})
	return deps
}

// generated is a log of the benchmark, with each line as the type that it would come as.
func generated(t *testing.T, kind corpus.Kind, count int) mixed {
	t.Helper()
	var text strings.Builder
	if err := corpus.Write(&text, kind, count, 7); err != nil {
		t.Fatal(err)
	}
	received := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	log := make(mixed, 0, count)
	for raw := range strings.Lines(text.String()) {
		line := event.Line{Raw: strings.TrimSuffix(raw, "\n"), Src: "generated.log", Module: "file", Process: true, Time: received}
		line.Labels = map[string]string{"type": "syslog"}
		if kind == corpus.Nginx || kind == corpus.Mix && len(log)%2 == 1 {
			line.Labels = map[string]string{"type": "nginx"}
		}
		log = append(log, line)
	}
	return log
}

// dumpsOf runs a test case and returns what it dumps, by the name of the file.
func dumpsOf(t *testing.T, options hubtest.Options, name string) map[string][]byte {
	t.Helper()
	tested, err := options.Hub.Case(name)
	if err != nil {
		t.Fatal(err)
	}
	options.Work = filepath.Join(t.TempDir(), "work") // of the same length each time: paths are in the dumps
	dir, err := hubtest.NewRunner(options).Replay(t.Context(), tested)
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 3 {
		t.Fatalf("dumps %q: %v", paths, err)
	}
	dumps := map[string][]byte{}
	for _, path := range paths {
		if dumps[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return dumps
}

// inProcess replays like the program does, at a time that stands still, where no name is known.
func inProcess(options engine.Options) func(context.Context, hubtest.Replay) error {
	return func(ctx context.Context, replay hubtest.Replay) error {
		options := options
		options.ConfigPath, options.DSN, options.Type, options.Labels = replay.Config, replay.DSN, replay.Type, replay.Labels
		options.DumpDir, options.NoLocalAPI = replay.DumpDir, true
		return engine.Run(ctx, options, engine.Surroundings{
			Env: environment(replay.Env), Now: func() time.Time { return time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC) },
			Stdout: io.Discard, Stderr: io.Discard, Names: nameless{},
		})
	}
}

func environment(pairs []string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

// nameless is a resolver that finds nothing.
type nameless struct{}

var errNoName = errors.New("no such name")

// LookupHost satisfies dns.Resolver.
func (nameless) LookupHost(context.Context, string) ([]string, error) { return nil, errNoName }

// LookupAddr satisfies dns.Resolver.
func (nameless) LookupAddr(context.Context, string) ([]string, error) { return nil, errNoName }
