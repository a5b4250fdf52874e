package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"shieldwall/internal/config"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/localapiclient"
)

// Session is what a command works with while it runs.
type Session struct {
	Env
	Config *config.Config
	Output Output
	Fancy  bool // colors and box-drawing characters
	Log    *slog.Logger
}

// openStore opens the database of the Local API on this machine.
func (s *Session) openStore(ctx context.Context) (*sql.Store, error) {
	if s.Config.API.Server == nil {
		s.Log.WarnContext(ctx, "crowdsec local API is disabled")
		return nil, errors.New("local API is disabled -- this command must be run on the local API machine")
	}
	db := s.Config.Database
	if db == nil {
		return nil, errors.New("no database configuration provided")
	}
	return sql.Open(ctx, sql.Config{
		Type: db.Type, Path: db.Path, User: db.User, Password: db.Password, Name: db.Name, Host: db.Host, Port: db.Port,
		TLS: sql.TLS{Mode: db.SSLMode, CACert: db.SSLCACert, ClientCert: db.SSLClientCert, ClientKey: db.SSLClientKey},
		WAL: db.UseWAL, MaxOpenConns: db.MaxOpenConns, Now: s.Now,
	}, s.Log)
}

// WithStore calls do with the open database and closes it afterwards.
func (s *Session) WithStore(ctx context.Context, do func(*sql.Store) error) (err error) {
	db, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db)
}

// CredentialsPath returns where the configuration keeps the credentials of this machine, "" if it does not
// say.
func (s *Session) CredentialsPath() string {
	if s.Config.API.Client == nil {
		return ""
	}
	return s.Config.API.Client.CredentialsPath
}

// Credentials returns the credentials of this machine. A URL over HTTP ends with a slash.
func (s *Session) Credentials() (config.Credentials, error) {
	if s.Config.API.Client == nil {
		return config.Credentials{}, errors.New("loading api client: no API client section in configuration")
	}
	creds, err := config.LoadCredentials(s.CredentialsPath(), s.LookupEnv)
	if err != nil {
		return config.Credentials{}, fmt.Errorf("loading api client: %w", err)
	}
	if strings.HasPrefix(creds.URL, "http") && !strings.HasSuffix(creds.URL, "/") {
		creds.URL += "/"
	}
	return creds, nil
}

// Client returns a client for creds. Scenarios returns what to announce at login, nil announces nothing.
func (s *Session) Client(creds config.Credentials, scenarios func() []string) (*localapiclient.Client, error) {
	return localapiclient.New(localapiclient.Config{
		URL:                creds.URL,
		UserAgent:          s.Build.UserAgent(),
		Login:              creds.Login,
		Password:           creds.Password,
		Scenarios:          scenarios,
		InsecureSkipVerify: s.Config.API.Client != nil && s.Config.API.Client.InsecureSkipVerify,
		CACert:             creds.CACertPath,
		Cert:               creds.CertPath,
		Key:                creds.KeyPath,
		Now:                s.Now,
	}, s.Log)
}

// ConfiguredClient returns a client with the credentials of this machine.
func (s *Session) ConfiguredClient() (*localapiclient.Client, error) {
	creds, err := s.Credentials()
	if err != nil {
		return nil, err
	}
	return s.Client(creds, nil)
}

// Program returns where to find another program of ours, called by a bare name: beside this one, so that both
// are of the same build, or else in PATH. A path stays as it is.
func (s *Session) Program(name string) string {
	if s.ProgramDir == "" || filepath.Base(name) != name {
		return name
	}
	path := filepath.Join(s.ProgramDir, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return name
	}
	return path
}

// Info logs a sentence that scripts and people know word for word; a person's -o human shows it.
func (s *Session) Info(ctx context.Context, format string, args ...any) {
	s.Log.InfoContext(ctx, fmt.Sprintf(format, args...)) //nolint:sloglint // published sentences, compared as a whole
}

// Error logs such a sentence about something that went wrong without ending the command.
func (s *Session) Error(ctx context.Context, format string, args ...any) {
	s.Log.ErrorContext(ctx, fmt.Sprintf(format, args...)) //nolint:sloglint // published sentences, compared as a whole
}

// Warn logs such a sentence about something that the administrator should know.
func (s *Session) Warn(ctx context.Context, format string, args ...any) {
	s.Log.WarnContext(ctx, fmt.Sprintf(format, args...)) //nolint:sloglint // published sentences, compared as a whole
}
