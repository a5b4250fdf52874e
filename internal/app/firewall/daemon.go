package firewall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/platform/osrelease"
	"shieldwall/internal/platform/systemd"
	"shieldwall/internal/remediation"
	"shieldwall/internal/remediation/config"
	"shieldwall/internal/wire"
)

const (
	name = "crowdsec-firewall-bouncer"
	// requestTimeout bounds one answer of the Local API, which may be a snapshot of a million decisions.
	requestTimeout = 2 * time.Minute
	// stopDeadline bounds the removal of everything at a normal end.
	stopDeadline = 20 * time.Second
)

// daemon is one run of the component.
type daemon struct {
	around Surroundings
	cfg    config.Config

	configPath string
	log        *slog.Logger
	closeLog   func() error
}

// open reads the configuration and opens the log.
func open(opts options, around Surroundings) (*daemon, error) {
	cfg, err := config.Load(opts.config, around.Env)
	if err != nil {
		return nil, err
	}
	if opts.verbose {
		cfg.Log.Level = slog.LevelDebug
	}
	// What the configuration calls stdout has always been standard error.
	log, closeLog, err := logging.Open(cfg.Log, around.Stderr, around.Stderr)
	if err != nil {
		return nil, fmt.Errorf("failed to setup logging: %w", err)
	}
	for _, warning := range cfg.Warnings {
		log.Warn(warning) //nolint:sloglint // was composed while there was no log
	}
	return &daemon{around: around, cfg: cfg, configPath: opts.config, log: log, closeLog: closeLog}, nil
}

func (d *daemon) close() { _ = d.closeLog() }

// test does everything that can fail except asking the Local API, and changes nothing.
func (d *daemon) test(ctx context.Context) error {
	backend, err := d.backend()
	if err != nil {
		return err
	}
	if err := backend.Check(ctx); err != nil {
		return err
	}
	client, err := d.client()
	if err != nil {
		return err
	}
	client.Close()
	d.log.InfoContext(ctx, "config is valid")
	return nil
}

// backend returns what enforces, and completes the filter with its way of grouping.
func (d *daemon) backend() (remediation.Backend, error) {
	if !d.cfg.Filter.IPv6 {
		d.log.Info("IPV6 is disabled")
	}
	if !d.cfg.Filter.IPv4 {
		d.log.Info("IPV4 is disabled")
	}
	backend, err := d.cfg.Backend(d.around.Now, d.log)
	if err != nil {
		return nil, err
	}
	d.cfg.Filter.Traits = backend.Traits()
	return backend, nil
}

func (d *daemon) client() (*localapiclient.Client, error) {
	api := d.cfg.API
	api.UserAgent = name + "/" + d.around.Build.Version
	api.Timeout = requestTimeout
	api.Now = d.around.Now
	client, err := localapiclient.New(api, d.log)
	if err != nil {
		return nil, fmt.Errorf("unable to configure bouncer: %w", err)
	}
	switch {
	case api.APIKey != "":
		d.log.Info("Using API key auth")
	default:
		//nolint:sloglint // published text
		d.log.Info(fmt.Sprintf("Using cert auth with cert '%s' and key '%s'", api.Cert, api.Key))
	}
	if api.CACert != "" {
		d.log.Info(fmt.Sprintf("Using CA cert '%s'", api.CACert)) //nolint:sloglint // published text
	}
	return client, nil
}

// serve enforces until ctx ends. Only then, which is a normal end, what the component owns is removed, unless
// the configuration wants it kept.
func (d *daemon) serve(ctx context.Context) error {
	//nolint:sloglint // published text
	d.log.InfoContext(ctx, "Starting "+name+" "+d.around.Build.Version)
	backend, err := d.backend()
	if err != nil {
		return err
	}
	client, err := d.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if err := d.enforce(ctx, backend, client); err != nil {
		return err
	}
	d.log.InfoContext(ctx, "Received shutdown signal, exiting gracefully")
	if d.cfg.KeepOnStop {
		d.log.InfoContext(ctx, "everything stays in force")
		return nil
	}
	d.log.InfoContext(ctx, "Shutting down backend")
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopDeadline)
	defer cancel()
	return backend.Remove(last)
}

// enforce runs all parts until ctx ends or one of them cannot go on.
func (d *daemon) enforce(ctx context.Context, backend remediation.Backend, client *localapiclient.Client) error {
	enforcer := remediation.NewEnforcer(backend, d.cfg.Filter, d.around.Now, d.log)
	enforcer.BeginWith(d.cfg.Start)
	memory, err := d.memory(ctx, enforcer)
	if err != nil {
		return err
	}
	if err := enforcer.Start(ctx); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		remediation.NewCollector(backend, enforcer, d.log), localapiclient.NewCollector(client),
	)
	d.cfg.Polling.ReconcileNow = d.around.Verify
	component := remediation.NewComponent(
		client, enforcer, d.cfg.Polling, remediation.NewRequests(registry), d.log)
	usage := remediation.NewUsageReporter(client, enforcer, d.identity(), d.around.Now, d.log)
	allowlists := remediation.NewAllowlistFollower(client, enforcer, d.cfg.AllowEvery, d.log)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return component.Run(ctx) })
	group.Go(func() error { usage.Run(ctx); return nil })
	group.Go(func() error { allowlists.Run(ctx); return nil })
	if memory != nil {
		group.Go(func() error { memory.Run(ctx); return nil })
	}
	group.Go(func() error { client.Watch(ctx); return nil })
	group.Go(func() error { client.KeepCertificate(ctx); return nil })
	if d.cfg.Prometheus != "" {
		group.Go(func() error { serveMetrics(ctx, d.cfg.Prometheus, registry, d.log); return nil })
	}
	manager := systemd.FromEnv(d.around.Env)
	d.tell(ctx, manager.Ready)
	defer d.tell(ctx, manager.Stopping)
	return group.Wait()
}

// memory returns what keeps the last known state on disk, after the enforcer was told what is there; nil when
// nothing is kept. Every configuration has a file of its own, and one of another Local API is not believed.
func (d *daemon) memory(ctx context.Context, enforcer *remediation.Enforcer) (*remediation.Memory, error) {
	if d.cfg.StateDir == "" {
		return nil, nil //nolint:nilnil // see above
	}
	path, err := filepath.Abs(d.configPath)
	if err != nil {
		return nil, err
	}
	name := sha256.Sum256([]byte(path))
	memory := remediation.NewMemory(
		enforcer, filepath.Join(d.cfg.StateDir, hex.EncodeToString(name[:8])+".state"), d.cfg.API.URL.String(), d.log)
	memory.Load(ctx)
	return memory, nil
}

// tell tells the service manager something, also when ctx has ended; it is not needed to go on.
func (d *daemon) tell(ctx context.Context, what func(context.Context) error) {
	if err := what(context.WithoutCancel(ctx)); err != nil {
		d.log.WarnContext(ctx, "the service manager does not know the state of this component", "error", err)
	}
}

func (d *daemon) identity() remediation.Identity {
	system, err := osrelease.Read(os.DirFS(d.around.Root))
	if err != nil {
		d.log.Warn("the operating system is not known", "error", err)
	}
	return remediation.Identity{Version: d.around.Build.Version, OS: wire.OSVersion(system), Started: d.around.Now()}
}
