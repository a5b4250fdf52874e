package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"shieldwall/internal/config"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// rehearse reads the sources from their beginning to their end, or until ctx ends, and writes the alerts that they give
// into a file. Nothing is sent and no position is kept, so that it may run beside the daemon. Sources are read one after
// the other: the same logs give the same alerts.
func (d *daemon) rehearse(ctx context.Context, cfg *config.Config) (err error) {
	plan, err := d.planDetection(cfg)
	if err != nil {
		return err
	}
	plan.definitions = d.finite(plan.definitions)
	sources, err := openSources(plan, acquisition.Env{
		Log: d.log, Now: d.around.Now, Checkpoints: checkpoint.InMemory(checkpoint.Options{Log: d.log, Now: d.around.Now}),
	})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(d.options.AlertsFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing alerts: %w", err)
	}
	alerts := &alertWriter{out: bufio.NewWriter(file)}
	defer func() { err = errors.Join(err, alerts.out.Flush(), file.Close()) }()
	return logprocessor.New(logprocessor.Options{
		Sources: []acquisition.Source{inTurn(sources)}, Parsers: plan.rules.parsers, Postoverflows: plan.rules.postoverflows,
		Scenarios: plan.rules.scenarios, Alerts: alerts,
		Engine:  scenario.NewEngine(plan.rules.scenarios, bucket.NewReplay(d.around.Now()), d.metrics.scenarios),
		Workers: cfg.LogProcessor.ParserRoutines, Now: d.around.Now, Log: d.log, Metrics: d.metrics.lines,
	}).Run(ctx)
}

// finite returns the definitions in a form that comes to an end, and leaves out those that have none.
func (d *daemon) finite(definitions []acquisition.Definition) []acquisition.Definition {
	var finite []acquisition.Definition
	for _, definition := range definitions {
		once, ok := definition.Once()
		if !ok {
			d.log.Warn("source cannot be read from its beginning and is left out", "source", definition.Base().Source, "origin", definition.Origin)
			continue
		}
		finite = append(finite, once)
	}
	return finite
}

// inTurn are sources that are read one after the other.
type inTurn []acquisition.Source

// Run satisfies acquisition.Source.
func (s inTurn) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	for _, source := range s {
		if err := source.Run(ctx, out); err != nil {
			return err
		}
	}
	return nil
}

// alertWriter writes one alert a line, as JSON.
type alertWriter struct {
	mu  sync.Mutex
	out *bufio.Writer
}

// Accept satisfies logprocessor.Alerts.
func (w *alertWriter) Accept(_ context.Context, alerts []*wire.Alert) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	encoder := json.NewEncoder(w.out)
	for _, alert := range alerts {
		if err := encoder.Encode(alert); err != nil {
			return fmt.Errorf("writing an alert: %w", err)
		}
	}
	return nil
}

// withTrial adds the scenarios of a file, unless path is "", and leaves out the items that have a scenario of the same name.
func withTrial(installed []scenario.Item, path string) ([]scenario.Item, error) {
	if path == "" {
		return installed, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // trying this file is what was asked for
	if err != nil {
		return nil, fmt.Errorf("reading the scenario to try: %w", err)
	}
	trial := scenario.Item{Path: path, Text: text}
	tried, err := trial.Names()
	if err != nil {
		return nil, fmt.Errorf("reading the scenario to try: %w", err)
	}
	items := []scenario.Item{trial}
	for _, item := range installed {
		names, err := item.Names()
		if err != nil || !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(tried, name) }) {
			items = append(items, item) // what is wrong with it is said when it is loaded
		}
	}
	return items, nil
}
