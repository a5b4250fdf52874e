package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/config"
	"shieldwall/internal/domain"
	"shieldwall/internal/expression"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/profile"
	"shieldwall/internal/localapi/replica"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/buildinfo"
)

const (
	secretSize      = 64                // bytes, also the least that CS_LAPI_SECRET may have
	secretName      = "jwt_signing_key" //nolint:gosec // the name of a secret, not a secret
	flushJob        = "flush"           // that only one of several Local APIs does
	flushInterval   = time.Minute
	maxAuditAge     = 365 * 24 * time.Hour
	changeLogRounds = 60             // of flushes, to one of the change log
	maxChangeAge    = 24 * time.Hour // longer than any bouncer is expected to be away
)

// localAPI is the Local API of this process.
type localAPI struct {
	store   *sql.Store
	server  *localapi.Server
	helpers *expression.Library
	log     *slog.Logger
	flush   *config.Flush // nil: keep everything
	now     func() time.Time
	ended   chan error // receives once, when serving has ended by itself

	authority         *pki.Authority // nil: none
	certFile, keyFile string         // of the server, with an authority
}

// openLocalAPI makes everything but the listeners.
func (d *daemon) openLocalAPI(ctx context.Context, cfg *config.Config) (*localAPI, error) {
	if cfg.Database == nil {
		return nil, errors.New("no database configuration provided")
	}
	api := &localAPI{
		log: d.log.With("module", "lapi"), flush: cfg.Database.Flush, now: d.around.Now, ended: make(chan error, 1),
	}
	var err error
	api.store, err = sql.Open(ctx, databaseConfig(cfg.Database, d.around.Now), api.log)
	if err != nil {
		return nil, err
	}
	d.cleanups.PushClose("database", api.store.Close)
	api.helpers = expression.New(expression.Deps{Log: api.log, Now: d.around.Now, Decisions: history{api.store, d.around.Now}})
	profiles, err := api.loadProfiles(cfg.API.Server)
	if err != nil {
		return nil, err
	}
	secret, err := d.signingSecret(ctx, api.store)
	if err != nil {
		return nil, err
	}
	settings := serverConfig(cfg.API.Server, secret, profiles)
	settings.TraceDir = filepath.Join(cfg.Paths.DataDir, "trace")
	settings.AggregatedMetrics = cfg.Prometheus.Level == "aggregated"
	settings.Alone = cfg.Database.Type == "sqlite"
	deps := localapi.Deps{Store: api.store, Log: api.log, Now: d.around.Now, Registry: prometheus.Registerer(d.registry)}
	if dir := cfg.API.Server.PKIDir; dir != "" {
		if err := api.openAuthority(dir, settings.TLS); err != nil {
			return nil, err
		}
		deps.Authority = api.authority
	}
	api.server, err = localapi.New(ctx, settings, deps)
	return api, err
}

func databaseConfig(db *config.Database, now func() time.Time) sql.Config {
	return sql.Config{
		Type: db.Type, Path: db.Path, User: db.User, Password: db.Password, Name: db.Name, Host: db.Host, Port: db.Port,
		TLS: sql.TLS{Mode: db.SSLMode, CACert: db.SSLCACert, ClientCert: db.SSLClientCert, ClientKey: db.SSLClientKey},
		WAL: db.UseWAL, MaxOpenConns: db.MaxOpenConns, Now: now,
	}
}

func serverConfig(cfg *config.APIServer, secret []byte, profiles []profile.Profile) localapi.Config {
	settings := localapi.Config{
		Listen: cfg.ListenURI, Socket: cfg.ListenSocket, TrustedIPs: cfg.TrustedIPs,
		UseForwardedFor: cfg.UseForwardedForHeaders, TrustedProxies: cfg.TrustedProxies,
		DisableRemoteRegistration: cfg.DisableRemoteLAPIRegistration,
		Secret:                    secret, Profiles: profiles,
	}
	if auto := cfg.AutoRegistration; auto != nil {
		settings.AutoRegistration = &auth.AutoRegistration{Token: auto.Token, Ranges: auto.Ranges}
	}
	if tls := cfg.TLS; tls != nil {
		settings.TLS = &localapi.TLS{
			CertFile: tls.CertFile, KeyFile: tls.KeyFile, CACertFile: tls.CACertPath, ClientVerification: tls.ClientVerification,
			AgentsAllowedOU: tls.AgentsAllowedOU, BouncersAllowedOU: tls.BouncersAllowedOU,
			CRLFile: tls.CRLPath, CacheFor: tls.CacheExpiration,
		}
	}
	return settings
}

func (a *localAPI) loadProfiles(cfg *config.APIServer) ([]profile.Profile, error) {
	profiles, err := profile.Load(cfg.ProfilesPath, a.helpers.Options()...)
	if err != nil {
		return nil, fmt.Errorf("loading profiles: %w", err)
	}
	return profiles, nil
}

// signingSecret is kept in the database, so that tokens outlive a restart and are good for every replica.
func (d *daemon) signingSecret(ctx context.Context, db *sql.Store) ([]byte, error) {
	if own, ok := d.around.Env("CS_LAPI_SECRET"); ok {
		if len(own) < secretSize {
			return nil, fmt.Errorf("CS_LAPI_SECRET not strong enough: it needs at least %d bytes", secretSize)
		}
		return []byte(own), nil
	}
	return db.Secret(ctx, secretName, func() ([]byte, error) {
		secret := make([]byte, secretSize)
		_, err := rand.Read(secret)
		return secret, err
	})
}

// startLocalAPI listens and serves until the daemon stops.
func (d *daemon) startLocalAPI(ctx context.Context) error {
	if err := d.api.server.Listen(ctx); err != nil {
		return err
	}
	self, err := d.joinReplicas()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // outlives the log processor, which sends to it
	served := make(chan error, 1)
	go func() {
		err := d.api.server.Serve(ctx)
		served <- err
		if ctx.Err() == nil {
			d.api.ended <- fmt.Errorf("local api ended: %w", err)
		}
	}()
	var others sync.WaitGroup
	others.Go(func() { self.Run(ctx) })
	if d.api.authority != nil {
		others.Go(func() { d.api.keepCertificate(ctx) })
		others.Go(func() { d.api.keepList(ctx) })
	}
	if d.api.flush != nil {
		others.Go(func() { self.Hold(ctx, flushJob, d.api.flushRegularly) })
	}
	d.cleanups.PushClose("local api", func() error {
		cancel()
		others.Wait()
		return <-served
	})
	d.log.Info("Local API is listening", "address", d.api.server.Addr())
	return nil
}

// joinReplicas makes this Local API, which listens, one of those that share the database.
func (d *daemon) joinReplicas() (*replica.Replica, error) {
	return replica.New(d.api.store, replica.Options{
		Node: domain.Node{
			Hostname: d.around.Hostname, PID: d.around.PID, Address: d.api.server.Addr().String(), Version: buildinfo.Read().Version,
		},
		Applied: d.api.server.Applied, Log: d.api.log, Now: d.around.Now, Registry: d.registry,
	})
}

// apiEnded receives when the Local API has ended without being asked to; never without one.
func (d *daemon) apiEnded() <-chan error {
	if d.api == nil {
		return nil
	}
	return d.api.ended
}

// reload takes over the profiles. Listeners and database stay as they are until a restart.
func (a *localAPI) reload(cfg *config.Config) error {
	profiles, err := a.loadProfiles(cfg.API.Server)
	if err != nil {
		return err
	}
	a.server.SetProfiles(profiles)
	return nil
}

// flushRegularly removes old alerts as the configuration says. Of all Local APIs on a database, one does.
func (a *localAPI) flushRegularly(ctx context.Context) {
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for round := 0; ; round++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.flushOnce(ctx, flushPolicy(a.flush, round))
		}
	}
}

func (a *localAPI) flushOnce(ctx context.Context, policy store.FlushPolicy) {
	flushed, err := a.store.Flush(ctx, policy)
	if err != nil && ctx.Err() == nil {
		a.log.Error("flushing the database", "error", err)
	}
	if flushed != (store.Flushed{}) {
		a.log.Info("database flushed", "alerts", flushed.Alerts, "events", flushed.Events, "decisions", flushed.Decisions,
			"usage_reports", flushed.UsageReports, "audit_entries", flushed.AuditEntries, "allowlist_items", flushed.AllowlistItems,
			"bouncers", flushed.Bouncers, "machines", flushed.Machines, "changes", flushed.Changes)
	}
}

// flushPolicy asks for the change log in some rounds only, as finding what nobody needs takes a look at every entry.
func flushPolicy(flush *config.Flush, round int) store.FlushPolicy {
	policy := store.FlushPolicy{
		MaxAlerts: flush.MaxItems, MaxAlertAge: flush.MaxAge, MaxUsageAge: flush.MetricsMaxAge, MaxAuditAge: maxAuditAge,
		ExpiredAllowlist: true, IdleBouncers: flush.IdleBouncers, IdleMachines: flush.IdleMachines,
	}
	if round%changeLogRounds == 0 {
		policy.MaxChangeAge = maxChangeAge
	}
	return policy
}
