package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"shieldwall/internal/config"
	"shieldwall/internal/expression/dns"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/output"
	"shieldwall/internal/logprocessor/usage"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/geoip"
	"shieldwall/internal/platform/lifecycle"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/platform/systemd"
)

// stopDeadline bounds how long an orderly stop may take.
const stopDeadline = 20 * time.Second

// daemon is one run of crowdsec.
type daemon struct {
	options  Options
	around   Surroundings
	log      *slog.Logger
	registry *prometheus.Registry
	metrics  metrics
	cleanups lifecycle.Stack
	manager  systemd.Manager

	databases *geoip.Databases // nil: not opened yet
	names     *dns.Cache       // nil: not made yet

	api       *localAPI  // nil: disabled
	processor *processor // nil: disabled
}

// Run starts what options and the configuration ask for and returns when ctx ends, or, with a DSN, when it
// is processed. An error is returned after it was logged as fatal, in one line.
func Run(ctx context.Context, options Options, around Surroundings) error {
	d := &daemon{options: options, around: around, log: logging.New(around.Stderr, logging.Options{}), manager: systemd.FromEnv(around.Env)}
	err := d.run(ctx)
	if err != nil {
		d.log.Log(ctx, logging.LevelFatal, "crowdsec cannot go on", "error", err)
	}
	stopErr := d.stop(context.WithoutCancel(ctx))
	if stopErr != nil && err == nil {
		d.log.Error("crowdsec did not stop in order", "error", stopErr)
	}
	return errors.Join(err, stopErr)
}

func (d *daemon) run(ctx context.Context) error {
	if err := d.options.validate(); err != nil {
		return err
	}
	if err := d.profile(d.options.CPUProfile); err != nil {
		return err
	}
	cfg, err := d.loadConfig()
	if err != nil {
		return err
	}
	if err := d.openLog(cfg); err != nil {
		return err
	}
	d.registry = prometheus.NewRegistry()
	d.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), infoMetric())
	d.metrics = newMetrics(d.registry)
	d.gather(cfg)
	switch {
	case d.options.Test:
		return d.test(ctx, cfg)
	case d.options.DumpDir != "":
		return d.dump(ctx, cfg)
	case d.options.AlertsFile != "":
		return d.rehearse(ctx, cfg)
	}
	if err := d.start(ctx, cfg); err != nil {
		return err
	}
	return d.serve(ctx)
}

// gather keeps a cold run on as many processors as it has parser routines. Spread over more it is no faster, and costs a
// quarter more of their time: threads that wait for work for a moment, and a collector that helps wherever one is idle.
func (d *daemon) gather(cfg *config.Config) {
	if d.options.DSN != "" && cfg.LogProcessor != nil && d.around.Spread != nil {
		d.around.Spread(cfg.LogProcessor.ParserRoutines)
	}
}

// loadConfig reads the configuration and leaves out the parts that the command line turns off.
func (d *daemon) loadConfig() (*config.Config, error) {
	cfg, err := config.Load(d.options.ConfigPath, d.around.Env)
	if err != nil {
		return nil, err
	}
	if d.options.NoLogProcessor {
		cfg.LogProcessor = nil
	}
	if d.options.NoLocalAPI {
		cfg.API.Server = nil
	}
	if cfg.LogProcessor == nil && cfg.API.Server == nil {
		return nil, errors.New("both the log processor and the Local API are disabled: nothing to run")
	}
	if level := d.options.Level; level != nil {
		cfg.Common.Log.Level = *level
		if cfg.API.Server != nil {
			cfg.API.Server.LogLevel = *level
		}
	}
	if d.options.DSN != "" || d.options.Test {
		cfg.Common.Log.Media = "stdout"
	}
	return cfg, nil
}

func (d *daemon) openLog(cfg *config.Config) error {
	options := cfg.Common.Log
	options.File = "crowdsec.log"
	log, closeLog, err := logging.Open(options, d.around.Stdout, d.around.Stderr)
	if err != nil {
		return fmt.Errorf("common: %w", err)
	}
	d.log = log
	d.cleanups.PushClose("log", closeLog)
	for _, key := range cfg.Ignored {
		d.log.Warn("this part of the configuration has no effect in this version", "key", key)
	}
	return nil
}

// test checks everything that a start would need, without listening, reading or sending anything.
func (d *daemon) test(ctx context.Context, cfg *config.Config) error {
	if cfg.API.Server != nil {
		if _, err := d.openLocalAPI(ctx, cfg); err != nil {
			return err
		}
	}
	if cfg.LogProcessor != nil {
		if _, err := d.planProcessor(cfg); err != nil {
			return err
		}
	}
	d.log.Info("Configuration test done")
	return nil
}

func (d *daemon) start(ctx context.Context, cfg *config.Config) error {
	d.log.Info("starting crowdsec", "version", buildinfo.Read().Version, "config", cfg.FilePath)
	var processing *plan
	if cfg.LogProcessor != nil {
		var err error
		if processing, err = d.planProcessor(cfg); err != nil {
			return err
		}
	}
	if cfg.API.Server != nil {
		api, err := d.openLocalAPI(ctx, cfg)
		if err != nil {
			return err
		}
		d.api = api
		if err := d.startLocalAPI(ctx); err != nil {
			return err
		}
	}
	if processing != nil {
		if err := d.startProcessor(ctx, processing); err != nil {
			return err
		}
	}
	if err := d.startMetrics(ctx, cfg.Prometheus); err != nil {
		return err
	}
	d.tell(ctx, d.manager.Ready)
	d.log.Info("crowdsec is ready")
	return nil
}

func (d *daemon) startProcessor(ctx context.Context, plan *plan) error {
	dir, positions, err := d.state(plan.cfg)
	if err != nil {
		return err
	}
	spool, err := output.Open(dir, output.Options{Now: d.around.Now, Metrics: d.registry}, d.log)
	if err != nil {
		return fmt.Errorf("opening the spool of alerts: %w", err)
	}
	d.cleanups.PushClose("spool", spool.Close)
	d.processor = &processor{
		log: d.log, now: d.around.Now, registry: d.registry, metrics: d.metrics,
		spool: spool, checkpoints: positions, usage: usage.NewReporter(d.registry, d.around.Now, d.log),
		buckets: bucket.NewReplay(d.around.Now()), // unless it goes on from those of an earlier process
		tap:     d.openTap(ctx, plan),
	}
	if d.api != nil {
		d.processor.api = d.api.server
	}
	if err := d.processor.start(ctx, plan); err != nil {
		return err
	}
	d.cleanups.Push("log processor", d.processor.leave)
	return nil
}

// state opens what a log processor remembers. A DSN has state of its own, so that it can run beside a
// daemon on the same configuration.
func (d *daemon) state(cfg *config.Config) (spoolDir string, positions *checkpoint.Store, err error) {
	options := checkpoint.Options{Log: d.log, Now: d.around.Now}
	if d.options.DSN == "" {
		positions, err = checkpoint.Open(filepath.Join(cfg.Paths.DataDir, "checkpoints.json"), options)
		return filepath.Join(cfg.Paths.DataDir, "spool"), positions, err
	}
	if spoolDir, err = os.MkdirTemp(cfg.Paths.DataDir, "replay-"); err != nil {
		return "", nil, fmt.Errorf("making a place for the alerts of the replay: %w", err)
	}
	d.cleanups.PushClose("replay", func() error { return d.removeReplay(spoolDir) })
	return spoolDir, checkpoint.InMemory(options), nil
}

// removeReplay keeps alerts that could not be delivered.
func (d *daemon) removeReplay(dir string) error {
	if d.processor != nil && d.processor.spool.Len() > 0 {
		return fmt.Errorf("%d alerts could not be delivered, they are kept in %s", d.processor.spool.Len(), dir)
	}
	return os.RemoveAll(dir)
}

// serve waits for the end, and reloads when asked to.
func (d *daemon) serve(ctx context.Context) error {
	defer d.tell(ctx, d.manager.Stopping)
	alive, stop := d.signsOfLife()
	defer stop()
	processed := d.processed()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.apiEnded():
			return err
		case <-alive:
			d.tell(ctx, d.manager.Alive)
		case <-d.around.Reload:
			if err := d.reload(ctx); err != nil {
				return err
			}
			processed = d.processed()
		case <-processed:
			if err := d.processor.running.err; err != nil || d.options.DSN != "" {
				return err
			}
			d.log.Info("all data sources have ended")
			processed = nil
		}
	}
}

// processed is closed when the log processor has nothing left to read; nil, which is never, without one.
func (d *daemon) processed() <-chan struct{} {
	if d.processor == nil {
		return nil
	}
	return d.processor.running.processed
}

// reload starts what the files say now. Everything that can be wrong with them is found before anything
// that runs is touched; then, what runs stays in force.
func (d *daemon) reload(ctx context.Context) error {
	d.tell(ctx, d.manager.Reloading)
	defer d.tell(ctx, d.manager.Ready)
	next, err := d.planReload()
	if err != nil {
		d.log.Error("not reloading, the running configuration stays in force", "error", err)
		return nil
	}
	if next != nil {
		if err := d.processor.stop(context.WithoutCancel(ctx)); err != nil {
			d.log.Error("a data source ended with an error", "error", err)
		}
		if err := d.processor.start(ctx, next); err != nil {
			return fmt.Errorf("starting the log processor again: %w", err)
		}
	}
	d.log.Info("reloaded")
	return nil
}

// planReload returns the next plan of the log processor, nil without one. The profiles of the Local API
// take effect at once, as the last thing that can fail.
func (d *daemon) planReload() (*plan, error) {
	cfg, err := d.loadConfig()
	if err != nil {
		return nil, err
	}
	var next *plan
	if d.processor != nil && cfg.LogProcessor != nil {
		if next, err = d.planProcessor(cfg); err != nil {
			return nil, err
		}
	}
	if d.api != nil && cfg.API.Server != nil {
		if err := d.api.reload(cfg); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// tell tells the service manager something, also when ctx has ended; it is not needed to go on.
func (d *daemon) tell(ctx context.Context, what func(context.Context) error) {
	if err := what(context.WithoutCancel(ctx)); err != nil {
		d.log.Warn("the service manager does not know the state of crowdsec", "error", err)
	}
}

// signsOfLife ticks when a watchdog wants to see that this loop is alive; never without one.
func (d *daemon) signsOfLife() (tick <-chan time.Time, stop func()) {
	interval := d.manager.AliveEvery()
	if interval <= 0 {
		return nil, func() {}
	}
	ticker := time.NewTicker(interval)
	return ticker.C, ticker.Stop
}

func (d *daemon) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	return d.cleanups.Release(ctx)
}
