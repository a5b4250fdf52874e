// Package detection runs the test cases of our own content, and asks of all of it at once what no case can: that the
// same log gives the same alerts, whatever the workers, the shortcuts and the bytes in it.
package detection

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/content"
	"shieldwall/internal/app/engine"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/hub/hubtest"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// ownHub is our content as a hub with test cases.
func ownHub(t *testing.T) *hubtest.Hub {
	t.Helper()
	hub, err := hubtest.Open("../../content/items")
	if err != nil {
		t.Fatal(err)
	}
	return hub
}

// TestOurContent runs the test cases of our content as cscli hubtest run --all --strict does.
func TestOurContent(t *testing.T) {
	t.Parallel()
	hub := ownHub(t)
	names, err := hub.Names()
	if err != nil || len(names) < 100 {
		t.Fatalf("%d test cases: %v", len(names), err)
	}
	runner := hubtest.NewRunner(hubtest.Options{
		Hub: hub, Data: embeddedData(t), Work: t.TempDir(), Jobs: 1, Strict: true, Keep: hubtest.KeepNothing,
		Judge:  hubtest.NewJudge(expression.New(expression.Deps{Now: time.Now})),
		Replay: inProcess(engine.Options{}),
	})
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tested, err := hub.Case(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range runner.Run(t.Context(), []*hubtest.Case{tested}, unobserved{}) {
				requirePassed(t, result)
			}
		})
	}
}

func requirePassed(t *testing.T, result hubtest.Result) {
	t.Helper()
	if result.Err != nil {
		t.Error(result.Err)
	}
	for _, failure := range result.Failures {
		t.Errorf("%+v", failure)
	}
	if !result.Passed() || result.Asserts == 0 {
		t.Errorf("%d assertions, not passed; unfilled: %v", result.Asserts, result.Unfilled)
	}
}

// unobserved is for a run that nobody watches.
type unobserved struct{}

// Started satisfies hubtest.Observer.
func (unobserved) Started(string) {}

// Finished satisfies hubtest.Observer.
func (unobserved) Finished(hubtest.Result) {}

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
