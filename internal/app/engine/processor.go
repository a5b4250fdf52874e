package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/config"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/dns"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/acquisition/all"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/output"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/savepoint"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/logprocessor/tap"
	"shieldwall/internal/logprocessor/usage"
	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/geoip"
)

const (
	requestTimeout     = 30 * time.Second
	heartbeatInterval  = time.Minute
	checkpointInterval = 2 * time.Second
	flushTimeout       = 10 * time.Second
	unregisterTimeout  = 5 * time.Second
)

// processor is the log processor of this process. One goroutine, that of Run, starts and stops it.
type processor struct {
	log         *slog.Logger
	now         func() time.Time
	registry    prometheus.Registerer
	metrics     metrics
	spool       *output.Spool
	checkpoints *checkpoint.Store
	buckets     *bucket.Store
	usage       *usage.Reporter
	tap         *tap.Tap          // nil: nobody can watch
	api         *localapi.Server  // of this process; nil: it has none
	savepoints  *savepoint.Keeper // of buckets; nil: they end with this process, or nothing has started

	running *run // nil: stopped
}

// plan is a checked configuration of a processor that has not started: making one changes nothing.
type plan struct {
	cfg         *config.Config
	rules       *rules
	definitions []acquisition.Definition
	client      *localapiclient.Client
	credentials config.Credentials // of client
	replay      bool               // what is read ends, and so do its buckets
}

// run is a started plan.
type run struct {
	stopSources context.CancelFunc
	stopOutput  context.CancelFunc
	client      *localapiclient.Client
	collector   prometheus.Collector // of the client
	unregisters bool                 // when the process ends
	deliverer   *output.Deliverer
	background  sync.WaitGroup
	processed   chan struct{} // closed when every line is through
	err         error         // of the sources; read it after processed is closed
}

// metrics outlive reloads.
type metrics struct {
	lines     *logprocessor.Metrics
	nodes     *parser.Metrics
	scenarios *scenario.Metrics
}

func newMetrics(registry prometheus.Registerer) metrics {
	return metrics{
		lines: logprocessor.NewMetrics(registry), nodes: parser.NewMetrics(registry), scenarios: scenario.NewMetrics(registry),
	}
}

// planProcessor loads everything that a log processor is made of.
func (d *daemon) planProcessor(cfg *config.Config) (*plan, error) {
	if cfg.API.Client == nil {
		return nil, errors.New("log processor: no API client section in configuration")
	}
	p, err := d.planDetection(cfg)
	if err != nil {
		return nil, err
	}
	credentials, err := config.LoadCredentials(cfg.API.Client.CredentialsPath, d.around.Env)
	if err != nil {
		return nil, fmt.Errorf("loading api client: %w", err)
	}
	p.credentials = credentials
	p.client, err = localapiclient.New(localapiclient.Config{
		URL: credentials.URL, Login: credentials.Login, Password: credentials.Password,
		CACert: credentials.CACertPath, Cert: credentials.CertPath, Key: credentials.KeyPath,
		InsecureSkipVerify: cfg.API.Client.InsecureSkipVerify, RegistrationToken: credentials.RegistrationToken,
		UserAgent: buildinfo.Read().UserAgent(), Timeout: requestTimeout, Now: d.around.Now,
		Scenarios: func() []string { return p.rules.names },
	}, d.log)
	return p, err
}

// planDetection is planProcessor without the way to the Local API.
func (d *daemon) planDetection(cfg *config.Config) (*plan, error) {
	p := &plan{cfg: cfg, replay: d.options.DSN != ""}
	var err error
	p.rules, err = loadRules(cfg, ruleDeps{
		log: d.log, now: d.around.Now, databases: d.geoIP(cfg), names: d.nameCache(cfg), http: d.around.HTTP, nodes: d.metrics.nodes,
		plain: d.options.NoShortcuts, scenario: d.options.Scenario,
	})
	if err != nil {
		return nil, err
	}
	loader := acquisition.Loader{Registry: all.Registry(), Env: d.around.Env, Log: d.log, Compile: p.rules.transform}
	if p.definitions, err = d.sources(loader, cfg); err != nil {
		return nil, err
	}
	if len(p.definitions) == 0 {
		return nil, errors.New("no datasource enabled: set acquisition_path or acquisition_dir, or use -dsn")
	}
	return p, nil
}

// geoIP opens the databases once; they notice changes by themselves. Rules get along without them.
func (d *daemon) geoIP(cfg *config.Config) *geoip.Databases {
	if d.databases != nil {
		return d.databases
	}
	databases, err := geoip.Open(cfg.Paths.DataDir, d.around.Now)
	if err != nil {
		d.log.Warn("events will not be enriched with places and networks", "error", err)
	}
	d.databases = databases
	d.cleanups.PushClose("geoip databases", databases.Close)
	return databases
}

// nameCache is made once: what it remembers outlives reloads.
func (d *daemon) nameCache(cfg *config.Config) *dns.Cache {
	if d.names == nil {
		settings := cfg.LogProcessor.DNSCache
		d.names = dns.NewCache(d.around.Names, dns.Options{
			TTL: settings.TTL, NegativeTTL: settings.NegativeTTL, Size: settings.Size, Now: d.around.Now, Log: d.log,
		})
	}
	return d.names
}

func (d *daemon) sources(loader acquisition.Loader, cfg *config.Config) ([]acquisition.Definition, error) {
	if d.options.DSN == "" {
		return loader.Files(cfg.LogProcessor.AcquisitionPath, cfg.LogProcessor.AcquisitionDir)
	}
	dsn, err := acquisition.ParseDSN(d.options.DSN)
	if err != nil {
		return nil, err
	}
	dsn.Labels, dsn.Transform = map[string]string{"type": d.options.Type}, d.options.Transform
	for key, value := range d.options.Labels {
		dsn.Labels[key] = value
	}
	definition, err := loader.DSN(dsn)
	return []acquisition.Definition{definition}, err
}

// transform compiles an expression that replaces lines.
func (r *rules) transform(text string) (acquisition.Transform, error) {
	compiled, err := r.expressions.CompileAny(text, event.Env{})
	if err != nil {
		return nil, err
	}
	return func(line event.Line) ([]string, bool) { return replacements(compiled, line) }, nil
}

func replacements(transform *expression.Any, line event.Line) ([]string, bool) {
	result, err := transform.Eval(&event.Env{Evt: event.New(line, event.Live)})
	if err != nil {
		return nil, false
	}
	switch result := result.(type) {
	case string:
		return []string{result}, true
	case []string:
		return result, true
	case []any:
		texts := make([]string, 0, len(result))
		for _, element := range result {
			text, ok := element.(string)
			if !ok {
				return nil, false
			}
			texts = append(texts, text)
		}
		return texts, true
	}
	return nil, false
}

// start begins to process. Buckets of the run before live on where the scenario has not changed.
func (p *processor) start(ctx context.Context, plan *plan) error {
	sources, err := openSources(plan, acquisition.Env{
		Log: p.log, Now: p.now, Checkpoints: p.checkpoints, Metrics: p.registry,
		Aggregated: plan.cfg.Prometheus.Level == "aggregated",
	})
	if err != nil {
		return err
	}
	if err := p.restoreBuckets(plan); err != nil {
		return err
	}
	collector := localapiclient.NewCollector(plan.client)
	if err := p.registry.Register(collector); err != nil {
		return fmt.Errorf("registering metrics of the client: %w", err)
	}
	sourceCtx, stopSources := context.WithCancel(ctx)
	outputCtx, stopOutput := context.WithCancel(context.WithoutCancel(ctx))
	r := &run{
		stopSources: stopSources, stopOutput: stopOutput, processed: make(chan struct{}),
		client: plan.client, collector: collector,
		unregisters: plan.cfg.API.Client.UnregisterOnExit && !plan.replay, // a replay borrows the machine of the service
	}
	alerts, sender := p.wayOut(plan)
	options := logprocessor.Options{
		Sources: sources, Parsers: plan.rules.parsers, Postoverflows: plan.rules.postoverflows,
		Scenarios: plan.rules.scenarios, Alerts: alerts,
		Engine:  scenario.NewEngine(plan.rules.scenarios, p.buckets, p.metrics.scenarios),
		Workers: plan.cfg.LogProcessor.ParserRoutines, Now: p.now, Log: p.log, Metrics: p.metrics.lines,
	}
	if p.savepoints != nil {
		options.Savepoints = p.savepoints
	}
	if p.tap != nil {
		p.tap.Use(plan.rules.viewing)
		options.Tap = p.tap
	}
	pipeline := logprocessor.New(options)
	r.deliverer = output.NewDeliverer(p.spool, sender, output.DeliveryOptions{}, p.log)
	r.background.Go(func() {
		defer close(r.processed)
		r.err = pipeline.Run(sourceCtx)
	})
	r.background.Go(func() { p.report("delivering alerts", r.deliverer.Run(outputCtx)) })
	r.background.Go(func() { p.report("saving positions", p.checkpoints.Run(outputCtx, checkpointInterval)) })
	r.background.Go(func() { p.beat(outputCtx, plan.client) })
	r.background.Go(func() { plan.client.Watch(outputCtx) })
	if !plan.replay {
		r.background.Go(func() { plan.client.KeepCertificate(outputCtx) })
	}
	if !plan.replay {
		identity := p.identity(plan)
		r.background.Go(func() { p.usage.Run(outputCtx, plan.client, identity) })
	}
	p.running = r
	return nil
}

// restoreBuckets opens what an earlier process left, once.
func (p *processor) restoreBuckets(plan *plan) (err error) {
	if plan.replay || p.savepoints != nil {
		return nil
	}
	p.savepoints, p.buckets, err = savepoint.Open(savepoint.Options{
		Dir: plan.cfg.Paths.DataDir, Positions: p.checkpoints, Now: p.now, Log: p.log,
	})
	return err
}

func openSources(plan *plan, env acquisition.Env) ([]acquisition.Source, error) {
	var sources []acquisition.Source
	for _, definition := range plan.definitions {
		source, err := definition.Open(env)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

func (p *processor) report(what string, err error) {
	if err != nil {
		p.log.Error("background work ended with an error", "work", what, "error", err)
	}
}

// beat tells the Local API that this machine is alive: at once, so that nobody is warned of a machine that has just
// started, and then every minute.
func (p *processor) beat(ctx context.Context, client *localapiclient.Client) {
	ticker := time.NewTicker(heartbeatInterval)
	defer ticker.Stop()
	for {
		if err := client.Heartbeat(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("heartbeat was not accepted", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// stop ends the sources, waits until every line that they delivered is through, and then ends what
// delivers. The buckets stay. The error is that of the sources.
func (p *processor) stop(ctx context.Context) error {
	r := p.running
	if r == nil {
		return nil
	}
	p.running = nil
	p.registry.Unregister(r.collector)
	r.stopSources()
	<-r.processed
	r.stopOutput()
	r.background.Wait()
	p.flush(ctx, r.deliverer)
	r.client.Close() // a Local API of this process waits for open connections when it stops
	return r.err
}

// leave is stop for good: the Local API forgets this machine if the configuration says so.
func (p *processor) leave(ctx context.Context) error {
	r := p.running
	err := p.stop(ctx)
	if r == nil || !r.unregisters {
		return err
	}
	defer r.client.Close()
	ctx, cancel := context.WithTimeout(ctx, unregisterTimeout)
	defer cancel()
	if failure := r.client.Unregister(ctx); failure != nil {
		p.log.Warn("this machine could not unregister from the Local API", "error", failure)
	} else {
		p.log.Info("this machine has unregistered from the Local API")
	}
	return err
}

// flush tries once more to deliver what waits.
func (p *processor) flush(ctx context.Context, deliverer *output.Deliverer) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := deliverer.Flush(ctx); err != nil {
		p.log.Warn("alerts stay in the spool until the Local API can be reached", "waiting", p.spool.Len(), "error", err)
	}
}
