package engine

import (
	"context"

	"shieldwall/internal/config"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// dump processes the sources to their end, or until ctx ends, and writes down what happened. Nothing is
// sent, so no Local API is needed. One worker keeps the records in the order of the lines.
func (d *daemon) dump(ctx context.Context, cfg *config.Config) error {
	plan, err := d.planDetection(cfg)
	if err != nil {
		return err
	}
	sources, err := openSources(plan, acquisition.Env{
		Log: d.log, Now: d.around.Now, Checkpoints: checkpoint.InMemory(checkpoint.Options{Log: d.log, Now: d.around.Now}),
	})
	if err != nil {
		return err
	}
	recorder := dump.NewRecorder()
	pipeline := logprocessor.New(logprocessor.Options{
		Sources: sources, Parsers: plan.rules.parsers, Postoverflows: plan.rules.postoverflows,
		Scenarios: plan.rules.scenarios, Alerts: nobody{}, Recorder: recorder,
		Engine:  scenario.NewEngine(plan.rules.scenarios, bucket.NewReplay(d.around.Now()), d.metrics.scenarios),
		Workers: 1, Now: d.around.Now, Log: d.log, Metrics: d.metrics.lines,
	})
	if err := pipeline.Run(ctx); err != nil {
		return err
	}
	return recorder.Write(d.options.DumpDir)
}

// nobody takes alerts that go nowhere.
type nobody struct{}

// Accept satisfies logprocessor.Alerts.
func (nobody) Accept(context.Context, []*wire.Alert) error { return nil }
