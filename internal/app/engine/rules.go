package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/config"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/dns"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/alertcontext"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/platform/geoip"
)

// rules are everything that decides what a log line means.
type rules struct {
	parsers       *parser.Set
	postoverflows *parser.Set
	scenarios     *scenario.Set
	names         []string // of the installed items, as the Local API wants to know them
	expressions   *expression.Library
	viewing       *expression.Library // of those who watch: it reaches nothing that waits or remembers
	inventory     *hub.Inventory
}

// ruleDeps is what rules need of the daemon. It outlives reloads.
type ruleDeps struct {
	log       *slog.Logger
	now       func() time.Time
	databases *geoip.Databases
	names     *dns.Cache
	http      *http.Client
	nodes     *parser.Metrics
	plain     bool   // no rule takes a shortcut
	scenario  string // a file with scenarios to try, "" for none
}

// garbageWhileLoading is the GOGC of that time. Rules are some megabytes in the end, and were a dozen on the way: each
// collection in between looks at all there is to free a little, which took a quarter of the start.
const garbageWhileLoading = 400

// loadRules reads every installed item. Nothing that exists is touched.
func loadRules(cfg *config.Config, d ruleDeps) (*rules, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(garbageWhileLoading))
	inventory, err := hub.Scan(hub.Paths{
		HubDir: cfg.Paths.HubDir, IndexPath: cfg.Paths.IndexPath, ConfigDir: cfg.Paths.ConfigDir,
	}, d.log)
	if err != nil {
		return nil, err
	}
	simulation, err := config.LoadSimulation(cfg.Paths.SimulationPath)
	if err != nil {
		return nil, err
	}
	patterns, err := parser.Patterns(cfg.Paths.PatternDir)
	if err != nil {
		return nil, err
	}
	if d.plain {
		patterns.Plain()
	}
	data, memory := datafile.New(d.log, d.now), stash.New(d.now)
	library := expression.New(expression.Deps{
		Log: d.log, Now: d.now, Data: data, Stash: memory, Resolver: d.names, GeoIP: d.databases, HTTP: d.http,
		Plain: d.plain, // conditions of scenarios go by it too
	})
	deps := parser.Deps{
		Log: d.log, Expressions: library, Data: data, DataDir: cfg.Paths.DataDir, Stash: memory,
		Methods: enrich.Registry(enrich.Deps{Now: d.now, Databases: d.databases, Names: d.names}), Metrics: d.nodes,
	}
	r := &rules{
		names: inventory.Names(hub.Scenarios), expressions: library, inventory: inventory,
		viewing: expression.New(expression.Deps{Now: d.now, Data: data, GeoIP: d.databases, Plain: d.plain}),
	}
	deps.Patterns = patterns.Clone()
	if r.parsers, err = parser.Load(parserItems(inventory.Installed(hub.Parsers)), deps); err != nil {
		return nil, fmt.Errorf("loading parsers: %w", err)
	}
	deps.Patterns = patterns.Clone()
	if r.postoverflows, err = parser.Load(parserItems(inventory.Installed(hub.Postoverflows)), deps); err != nil {
		return nil, fmt.Errorf("loading postoverflows: %w", err)
	}
	context, err := loadContext(cfg.LogProcessor, inventory.Installed(hub.Contexts), alertcontext.Deps{
		Log: d.log, Expressions: library, MaxLength: cfg.LogProcessor.ContextValueLength,
	})
	if err != nil {
		return nil, fmt.Errorf("loading alert context: %w", err)
	}
	scenarios, err := withTrial(scenarioItems(inventory.Installed(hub.Scenarios)), d.scenario)
	if err != nil {
		return nil, err
	}
	r.scenarios, err = scenario.Load(scenarios, scenario.Deps{
		Log: d.log, Expressions: library, Data: data, DataDir: cfg.Paths.DataDir, Simulated: simulation.Covers,
		Context: context,
	})
	if err != nil {
		return nil, fmt.Errorf("loading scenarios: %w", err)
	}
	d.log.Info("rules loaded",
		"parsers", len(inventory.Installed(hub.Parsers)), "scenarios", len(inventory.Installed(hub.Scenarios)),
		"postoverflows", len(inventory.Installed(hub.Postoverflows)), "contexts", len(inventory.Installed(hub.Contexts)))
	return r, nil
}

// loadContext joins the installed items, by name, and the local file. That one may be missing where nobody
// asked for it.
func loadContext(cfg *config.LogProcessor, installed []hub.Item, deps alertcontext.Deps) (*alertcontext.Set, error) {
	installed = slices.SortedStableFunc(slices.Values(installed), func(a, b hub.Item) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	files := make([]alertcontext.File, 0, len(installed)+1)
	for _, item := range installed {
		files = append(files, alertcontext.File{Path: item.Path, Text: item.Text})
	}
	text, err := os.ReadFile(cfg.ConsoleContextPath)
	switch {
	case err == nil:
		files = append(files, alertcontext.File{Path: cfg.ConsoleContextPath, Text: text, Local: true})
	case cfg.ConsoleContextSet || !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading console_context_path: %w", err)
	}
	return alertcontext.Load(files, deps)
}

func parserItems(installed []hub.Item) []parser.Item {
	items := make([]parser.Item, 0, len(installed))
	for _, item := range installed {
		items = append(items, parser.Item{Path: item.Path, Stage: item.Stage, Text: item.Text})
	}
	return items
}

func scenarioItems(installed []hub.Item) []scenario.Item {
	items := make([]scenario.Item, 0, len(installed))
	for _, item := range installed {
		items = append(items, scenario.Item{Path: item.Path, Text: item.Text, Hash: item.Hash, Version: item.Version})
	}
	return items
}
