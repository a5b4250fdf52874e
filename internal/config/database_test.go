package config_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/config"
	"shieldwall/internal/domain"
)

func loadDatabase(t *testing.T, section string) *config.Config {
	t.Helper()
	cfg, err := config.Load(writeConfig(t, minimal+"db_config: "+section), noEnv)
	if err != nil {
		t.Fatalf("%s: %v", section, err)
	}
	return cfg
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for section, want := range map[string]config.Database{
		"{type: sqlite, db_path: ':memory:'}": {Type: "sqlite", Path: ":memory:", MaxOpenConns: 100, DecisionBulkSize: 1000},
		"{type: sqlite, db_path: /x.db, use_wal: false, max_open_conns: 0, decision_bulk_size: 5000}": {
			Type: "sqlite", Path: "/x.db", UseWAL: new(false), MaxOpenConns: 100, DecisionBulkSize: 2000,
		},
		`{type: pgx, host: db.example, port: 5433, user: u, password: "p'w", db_name: crowdsec, sslmode: verify-full,
			ssl_ca_cert: /ca.pem, ssl_client_cert: /c.pem, ssl_client_key: /k.pem, max_open_conns: 7, decision_bulk_size: 1500}`: {
			Type: "pgx", Host: "db.example", Port: 5433, User: "u", Password: "p'w", Name: "crowdsec", SSLMode: "verify-full",
			SSLCACert: "/ca.pem", SSLClientCert: "/c.pem", SSLClientKey: "/k.pem", MaxOpenConns: 7, DecisionBulkSize: 1500,
		},
		`{type: mysql, db_path: /run/mysqld/mysqld.sock, flush: {max_items: 5000, max_age: 7d, metrics_max_age: 36h,
			bouncers_autodelete: {cert: 1d, api_key: 30d}, agents_autodelete: {cert: 2d, login_password: 3d}}}`: {
			Type: "mysql", Path: "/run/mysqld/mysqld.sock", MaxOpenConns: 100, DecisionBulkSize: 1000,
			Flush: &config.Flush{
				MaxItems: 5000, MaxAge: 7 * day, MetricsMaxAge: 36 * time.Hour,
				IdleBouncers: map[domain.AuthType]time.Duration{domain.AuthTLS: day, domain.AuthAPIKey: 30 * day},
				IdleMachines: map[domain.AuthType]time.Duration{domain.AuthTLS: 2 * day, domain.AuthPassword: 3 * day},
			},
		},
		"{type: sqlite, flush: {}}": {
			Type: "sqlite", MaxOpenConns: 100, DecisionBulkSize: 1000, Flush: &config.Flush{MetricsMaxAge: 7 * day},
		},
	} {
		if got := *loadDatabase(t, section).Database; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", section, got, want)
		}
	}
}

func TestDatabaseErrors(t *testing.T) {
	t.Parallel()
	for flush, want := range map[string]string{
		"max_items: -1":                    "db_config: flush: max_items can't be zero or negative",
		"max_age: soon":                    "db_config: flush: max_age:",
		"metrics_max_age: 7w":              "db_config: flush: metrics_max_age:",
		"bouncers_autodelete: {cert: x}":   "db_config: flush: bouncers_autodelete: cert:",
		"agents_autodelete: {api_key: 1y}": "db_config: flush: agents_autodelete: api_key:",
		"agents_autodelete: {apikey: 1d}":  "field apikey not found",
	} {
		path := writeConfig(t, minimal+"db_config: {type: sqlite, flush: {"+flush+"}}")
		if _, err := config.Load(path, noEnv); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", flush, err, want)
		}
	}
}

func TestDatabaseKeysWithoutEffect(t *testing.T) {
	t.Parallel()
	cfg := loadDatabase(t, "{type: sqlite, flush: {bouncers_autodelete: {login_password: 1d}, agents_autodelete: {api_key: 1d}}}")
	want := []string{"db_config.flush.bouncers_autodelete.login_password", "db_config.flush.agents_autodelete.api_key"}
	if !slices.Equal(cfg.Ignored, want) {
		t.Errorf("got %v, want %v", cfg.Ignored, want)
	}
}
