// Package detection runs the cases of content/tests: each is a cold log that goes through all our own
// parsers into all our own scenarios.
package detection

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/content"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/platform/yamlfile"
	"shieldwall/internal/wire"
)

// expectation is expect.yaml; content/tests/README.md explains it.
type expectation struct {
	LogType string          `yaml:"log_type"`
	LogFile string          `yaml:"log_file"`
	Expect  []expectedAlert `yaml:"expect"`
	Silent  []string        `yaml:"silent"`
}

type expectedAlert struct {
	Scenario string `yaml:"scenario"`
	Source   string `yaml:"source"`
	Events   int32  `yaml:"events"` // 0: any number
}

func (e expectedAlert) is(alert *wire.Alert) bool {
	return e.Scenario == alert.Scenario && e.Source == alert.GetValue() && (e.Events == 0 || e.Events == alert.EventsCount)
}

const cases = "../../content/tests"

func TestOurContent(t *testing.T) {
	t.Parallel()
	parsers, scenarios := loadContent(t)
	paths, err := filepath.Glob(filepath.Join(cases, "*", "expect.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", cases, err)
	}
	expected := map[string]bool{}
	for _, path := range paths {
		var want expectation
		readYAML(t, path, &want)
		for _, alert := range want.Expect {
			expected[alert.Scenario] = true
		}
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(filepath.Dir(path), want.LogFile)
			want.compare(t, replay(t, log, want.LogType, parsers, scenarios))
		})
	}
	for _, name := range scenarios.Names() {
		if !expected[name] {
			t.Errorf("no case expects %s to fire", name)
		}
	}
}

func (e *expectation) compare(t *testing.T, alerts []*wire.Alert) {
	t.Helper()
	for _, want := range e.Expect {
		i := slices.IndexFunc(alerts, want.is)
		if i < 0 {
			t.Errorf("no alert %+v", want)
			continue
		}
		alerts = slices.Delete(alerts, i, i+1)
	}
	for _, alert := range alerts {
		if slices.Contains(e.Silent, alert.Scenario) {
			t.Errorf("unwanted alert: %s", alert.Message)
		}
	}
}

// replay runs a log through a pipeline of its own.
func replay(t *testing.T, path, kind string, parsers *parser.Set, scenarios *scenario.Set) []*wire.Alert {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []event.Line
	for raw := range strings.Lines(string(text)) {
		lines = append(lines, event.Line{
			Raw: strings.TrimRight(raw, "\n"), Src: path, Module: "file", Process: true,
			Time: time.Now(), Labels: map[string]string{"type": kind},
		})
	}
	var collected alerts
	pipeline := logprocessor.New(logprocessor.Options{
		Sources: []acquisition.Source{once(lines)}, Parsers: parsers, Postoverflows: &parser.Set{}, Scenarios: scenarios,
		Engine: scenario.NewEngine(scenarios, bucket.NewReplay(time.Now()), nil), Alerts: &collected,
		Workers: 2, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err := pipeline.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return collected
}

// once is a source that delivers its lines and ends.
type once []event.Line

// Run satisfies acquisition.Source.
func (o once) Run(_ context.Context, out chan<- acquisition.Batch) error {
	out <- acquisition.Batch{Lines: o, Clock: event.TimeMachine, Ack: func() {}}
	return nil
}

// alerts collects what a pipeline hands over, from one goroutine.
type alerts []*wire.Alert

// Accept satisfies logprocessor.Alerts.
func (a *alerts) Accept(_ context.Context, more []*wire.Alert) error {
	*a = append(*a, more...)
	return nil
}

// loadContent loads everything that is embedded.
func loadContent(t *testing.T) (*parser.Set, *scenario.Set) {
	t.Helper()
	return load(t, parserItems(t, content.Items()), scenarioItems(t, content.Items()))
}

// load takes the data files that are embedded.
func load(t *testing.T, parserItems []parser.Item, scenarioItems []scenario.Item) (*parser.Set, *scenario.Set) {
	t.Helper()
	return loadWith(t, parserDeps(t, embeddedData(t)), parserItems, scenarioItems)
}

func embeddedData(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, content.Data()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func loadWith(t *testing.T, deps parser.Deps, parserItems []parser.Item, scenarioItems []scenario.Item) (*parser.Set, *scenario.Set) {
	t.Helper()
	parsers, err := parser.Load(parserItems, deps)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := scenario.Load(scenarioItems, scenario.Deps{
		Log: deps.Log, Expressions: deps.Expressions, Data: deps.Data, DataDir: deps.DataDir, Simulated: func(string) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	return parsers, scenarios
}

// parserDeps is what a daemon would give to its parsers.
func parserDeps(t *testing.T, dataDir string) parser.Deps {
	t.Helper()
	patterns := grok.New()
	for _, file := range content.Patterns() {
		if err := patterns.AddFile(file.Name, strings.NewReader(file.Text)); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	data, memory := datafile.New(log, time.Now), stash.New(time.Now)
	return parser.Deps{
		Log: log, Expressions: expression.New(expression.Deps{Log: log, Now: time.Now, Data: data, Stash: memory}),
		Patterns: patterns, Data: data, DataDir: dataDir, Stash: memory, Methods: enrich.Registry(enrich.Deps{Now: time.Now}),
	}
}

func parserItems(t *testing.T, from fs.FS) []parser.Item {
	t.Helper()
	var items []parser.Item
	for path, text := range itemsBelow(t, from, "parsers") {
		items = append(items, parser.Item{Path: path, Stage: strings.Split(path, "/")[1], Text: text})
	}
	return items
}

func scenarioItems(t *testing.T, from fs.FS) []scenario.Item {
	t.Helper()
	var items []scenario.Item
	found := itemsBelow(t, from, "scenarios")
	for _, path := range slices.Sorted(maps.Keys(found)) { // their order is that of the alerts of one line
		items = append(items, scenario.Item{Path: path, Text: found[path]})
	}
	return items
}

func itemsBelow(t *testing.T, from fs.FS, root string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := fs.WalkDir(from, root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		found[path], err = fs.ReadFile(from, path)
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatal(fmt.Errorf("no items below %s: %w", root, err))
	}
	return found
}

func readYAML(t *testing.T, path string, target any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yamlfile.Decode(path, text, target)
	}
	if err != nil {
		t.Fatal(err)
	}
}
