package config

import (
	"errors"
	"fmt"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/platform/duration"
)

// Database says where the Local API keeps its data.
type Database struct {
	Type             string // "sqlite", "mysql", "pgx", …
	Path             string // SQLite file or ":memory:", or a socket
	User, Password   string
	Name, Host       string
	Port             int
	SSLMode          string
	SSLCACert        string
	SSLClientCert    string
	SSLClientKey     string
	MaxOpenConns     int
	UseWAL           *bool // nil: decided by the file system
	DecisionBulkSize int
	Flush            *Flush // nil: nothing is ever flushed
}

// Flush bounds what the database keeps. Zero durations and counts mean no bound.
type Flush struct {
	MaxItems      int                               // alerts
	MaxAge        time.Duration                     // of alerts
	MetricsMaxAge time.Duration                     // of usage reports
	IdleBouncers  map[domain.AuthType]time.Duration // since their last pull, by the way they authenticate
	IdleMachines  map[domain.AuthType]time.Duration // since their last heartbeat
}

const (
	defaultBulkSize = 1000
	maxBulkSize     = 2000
	defaultConns    = 100

	inMemory = ":memory:" // published name of an SQLite database that ends with the process
)

func (d *databaseSection) resolve() (*Database, error) {
	if d.Type == "" {
		return nil, errors.New("type is required")
	}
	flush, err := d.Flush.resolve()
	if err != nil {
		return nil, fmt.Errorf("flush: %w", err)
	}
	path := absolute(d.DBPath)
	if d.DBPath == inMemory {
		path = inMemory
	}
	return &Database{
		Type: d.Type, Path: path, User: d.User, Password: d.Password, Name: d.DBName, Host: d.Host, Port: d.Port,
		SSLMode: d.SSLMode, SSLCACert: absolute(d.SSLCACert), SSLClientCert: absolute(d.SSLClientCert), SSLClientKey: absolute(d.SSLClientKey),
		MaxOpenConns:     or(d.MaxOpenConns, defaultConns),
		UseWAL:           d.UseWAL,
		DecisionBulkSize: min(or(d.DecisionBulkSize, defaultBulkSize), maxBulkSize),
		Flush:            flush,
	}, nil
}

const defaultMetricsMaxAge = 7 * 24 * time.Hour

func (f *flushSection) resolve() (*Flush, error) {
	if f == nil {
		return nil, nil //nolint:nilnil // no section, no flush policy
	}
	flush := &Flush{}
	if f.MaxItems != nil {
		if *f.MaxItems <= 0 {
			return nil, errors.New("max_items can't be zero or negative")
		}
		flush.MaxItems = *f.MaxItems
	}
	var err error
	if flush.MaxAge, err = ageOr(f.MaxAge, 0); err != nil {
		return nil, fmt.Errorf("max_age: %w", err)
	}
	if flush.MetricsMaxAge, err = ageOr(f.MetricsMaxAge, defaultMetricsMaxAge); err != nil {
		return nil, fmt.Errorf("metrics_max_age: %w", err)
	}
	if flush.IdleBouncers, err = f.BouncersAutodelete.resolve(); err != nil {
		return nil, fmt.Errorf("bouncers_autodelete: %w", err)
	}
	if flush.IdleMachines, err = f.AgentsAutodelete.resolve(); err != nil {
		return nil, fmt.Errorf("agents_autodelete: %w", err)
	}
	return flush, nil
}

// resolve leaves out what is not configured.
func (a *autodeleteSection) resolve() (map[domain.AuthType]time.Duration, error) {
	if a == nil {
		return nil, nil //nolint:nilnil // nothing is deleted
	}
	ages := map[domain.AuthType]time.Duration{}
	for _, key := range []struct {
		name, text string
		auth       domain.AuthType
	}{
		{"cert", a.Cert, domain.AuthTLS},
		{"api_key", a.APIKey, domain.AuthAPIKey},
		{"login_password", a.LoginPassword, domain.AuthPassword},
	} {
		age, err := ageOr(key.text, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key.name, err)
		}
		if age > 0 {
			ages[key.auth] = age
		}
	}
	return ages, nil
}

func ageOr(text string, fallback time.Duration) (time.Duration, error) {
	if text == "" {
		return fallback, nil
	}
	return duration.Parse(text)
}

// ignored lists the ways to authenticate that only the other side has.
func (d *databaseSection) ignored() (keys []string) {
	if d.Flush == nil {
		return nil
	}
	if bouncers := d.Flush.BouncersAutodelete; bouncers != nil && bouncers.LoginPassword != "" {
		keys = append(keys, "db_config.flush.bouncers_autodelete.login_password")
	}
	if agents := d.Flush.AgentsAutodelete; agents != nil && agents.APIKey != "" {
		keys = append(keys, "db_config.flush.agents_autodelete.api_key")
	}
	return keys
}
