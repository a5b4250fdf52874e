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

// CredentialsPath returns where the configuration keeps the credentials of this machine, "" if it does not
// say.
func (s *Session) CredentialsPath() string {
	if s.Config.API.Client == nil {
		return ""
	}
	return s.Config.API.Client.CredentialsPath
}

// Credentials returns the credentials of this machine. URLs over HTTP end with a slash.
func (s *Session) Credentials() (config.Credentials, error) {
	if s.Config.API.Client == nil {
		return config.Credentials{}, errors.New("loading api client: no API client section in configuration")
	}
	creds, err := config.LoadCredentials(s.CredentialsPath(), s.LookupEnv)
	if err != nil {
		return config.Credentials{}, fmt.Errorf("loading api client: %w", err)
	}
	for i, url := range creds.URL {
		if strings.HasPrefix(url, "http") && !strings.HasSuffix(url, "/") {
			creds.URL[i] += "/"
		}
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
