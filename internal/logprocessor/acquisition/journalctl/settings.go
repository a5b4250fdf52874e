package journalctl

import (
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/acquisition"
)

// Kind is the name of this kind of source in configuration files, DSNs, lines and metrics.
const Kind = "journalctl"

// settings are the keys of a journal source.
type settings struct {
	acquisition.Common `yaml:",inline"`

	Filters []string `yaml:"journalctl_filter"`

	program string
	since   string // "": no limit; DSN only
	options options
}

// Factory decodes the settings of journal sources.
type Factory struct {
	// Program is what to run: a path, or a name to be found in PATH; "" is journalctl.
	Program string
}

// Decode satisfies acquisition.Factory.
func (f Factory) Decode(document acquisition.Document) (acquisition.Settings, error) {
	s := f.settings()
	if err := document.Decode(s); err != nil {
		return nil, err
	}
	s.Source = Kind
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("%s: key \"journalctl_filter\": %w", document, err)
	}
	return s, nil
}

// DecodeDSN reads journalctl://filters=F1&filters=F2[&since=S&log_level=L].
func (f Factory) DecodeDSN(dsn acquisition.DSN) (acquisition.Settings, error) {
	s := f.settings()
	s.Common = dsn.Common()
	if err := s.readTarget(dsn.Target); err != nil {
		return nil, err
	}
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("parameter filters: %w", err)
	}
	return s, nil
}

func (f Factory) settings() *settings {
	if f.Program == "" {
		return &settings{program: Kind}
	}
	return &settings{program: f.Program}
}

// Check satisfies acquisition.Settings. Without the program this kind of source cannot run.
func (s *settings) Check() error {
	if _, err := exec.LookPath(s.program); err != nil {
		return fault.Errorf(fault.Unavailable, "reading the journal: %w", err)
	}
	return nil
}

// Open satisfies acquisition.Settings.
func (s *settings) Open(env acquisition.Env) (acquisition.Source, error) {
	hits, err := acquisition.RegisterHits(env.Metrics, "cs_journalctlsource_hits_total")
	if err != nil {
		return nil, err
	}
	journal := newJournal(s, env, hits)
	if s.Mode == acquisition.Cat {
		return reader{journal}, nil
	}
	return newFollower(journal), nil
}

// Once satisfies what acquisition.Definition asks for.
func (s *settings) Once() acquisition.Settings {
	once := *s
	once.Mode = acquisition.Cat
	return &once
}

func (s *settings) readTarget(target string) error {
	query, err := url.ParseQuery(strings.TrimPrefix(target, "?"))
	if err != nil {
		return fmt.Errorf("reading parameters: %w", err)
	}
	for name, values := range query {
		switch {
		case name == "filters":
			s.Filters = values
		case len(values) != 1:
			return fmt.Errorf("parameter %s is given %d times", name, len(values))
		case name == "since":
			s.since = values[0]
		case name == "log_level":
			s.LogLevel = values[0]
		default:
			return fmt.Errorf("unknown parameter %s", name)
		}
	}
	return nil
}

// complete validates and fills what is derived.
func (s *settings) complete() (err error) {
	if len(s.Filters) == 0 {
		return errors.New("at least one filter is required")
	}
	s.options, err = parseOptions(s.Filters)
	return err
}
