package file

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"shieldwall/internal/logprocessor/acquisition"
)

// Kind is the name of this kind of source in configuration files, DSNs, lines and metrics.
const Kind = "file"

const (
	defaultDiscovery   = 30 * time.Second
	defaultPartialLine = time.Second
)

// settings are the keys of a file source.
type settings struct {
	acquisition.Common `yaml:",inline"`

	Filenames        []string      `yaml:"filenames"`
	Filename         string        `yaml:"filename"`
	ExcludeRegexps   []string      `yaml:"exclude_regexps"`
	ForceInotify     bool          `yaml:"force_inotify"` // what it asks for is always done
	MaxBufferSize    int           `yaml:"max_buffer_size"`
	Poll             *bool         `yaml:"poll_without_inotify"` // nil polls on network file systems only
	Discovery        bool          `yaml:"discovery_poll_enable"`
	DiscoveryEvery   time.Duration `yaml:"discovery_poll_interval"`
	PartialLineAfter time.Duration `yaml:"partial_line_timeout"` // ours: how long a last line waits for its newline

	patterns  []string // of filenames and filename, cleaned
	exclude   []*regexp.Regexp
	mustMatch bool
}

// Factory decodes the settings of file sources.
type Factory struct{}

// Decode satisfies acquisition.Factory.
func (Factory) Decode(document acquisition.Document) (acquisition.Settings, error) {
	s := settings{DiscoveryEvery: defaultDiscovery, PartialLineAfter: defaultPartialLine}
	if err := document.Decode(&s); err != nil {
		return nil, err
	}
	s.Source = Kind
	if err := s.complete(); err != nil {
		return nil, fmt.Errorf("%s: %w", document, err)
	}
	return &s, nil
}

// DecodeDSN reads file://PATH_OR_GLOB[?max_buffer_size=N&log_level=L].
func (Factory) DecodeDSN(dsn acquisition.DSN) (acquisition.Settings, error) {
	s := settings{Common: dsn.Common(), mustMatch: true, DiscoveryEvery: defaultDiscovery, PartialLineAfter: defaultPartialLine}
	if err := s.readTarget(dsn.Target); err != nil {
		return nil, err
	}
	if err := s.complete(); err != nil {
		return nil, err
	}
	return &s, nil
}

// Check satisfies acquisition.Settings. A DSN must name something that exists; a configuration may name
// files that are yet to come.
func (s *settings) Check() error {
	if !s.mustMatch || len(s.matches()) > 0 {
		return nil
	}
	return fmt.Errorf("no file matches %s", s.patterns[0])
}

// Open satisfies acquisition.Settings.
func (s *settings) Open(env acquisition.Env) (acquisition.Source, error) {
	hits, err := acquisition.RegisterHits(env.Metrics, "cs_filesource_hits_total")
	if err != nil {
		return nil, err
	}
	if s.Mode == acquisition.Cat {
		return newReader(s, env, hits), nil
	}
	return newFollower(s, env, hits), nil
}

// Once satisfies what acquisition.Definition asks for. A file that is not there yet is no mistake.
func (s *settings) Once() acquisition.Settings {
	once := *s
	once.Mode = acquisition.Cat
	return &once
}

func (s *settings) readTarget(target string) error {
	path, query, err := splitTarget(target)
	if err != nil {
		return err
	}
	s.Filename = path
	for name, values := range query {
		if len(values) != 1 {
			return fmt.Errorf("parameter %s is given %d times", name, len(values))
		}
		switch name {
		case "max_buffer_size":
			if s.MaxBufferSize, err = strconv.Atoi(values[0]); err != nil {
				return fmt.Errorf("parameter max_buffer_size: %w", err)
			}
		case "log_level":
			s.LogLevel = values[0]
		default:
			return fmt.Errorf("unknown parameter %s", name)
		}
	}
	return nil
}

func splitTarget(target string) (string, url.Values, error) {
	path, text, _ := strings.Cut(target, "?")
	if path == "" {
		return "", nil, errors.New("no file named")
	}
	query, err := url.ParseQuery(text)
	if err != nil {
		return "", nil, fmt.Errorf("reading parameters: %w", err)
	}
	return path, query, nil
}

// complete validates and fills what is derived.
func (s *settings) complete() error {
	if s.Filename != "" {
		s.Filenames = append(s.Filenames, s.Filename)
	}
	if len(s.Filenames) == 0 {
		return errors.New("key \"filenames\": at least one file is required")
	}
	if s.MaxBufferSize < 0 {
		return fmt.Errorf("key \"max_buffer_size\": %d is negative", s.MaxBufferSize)
	}
	if s.DiscoveryEvery <= 0 {
		return fmt.Errorf("key \"discovery_poll_interval\": %s is not positive", s.DiscoveryEvery)
	}
	if s.PartialLineAfter <= 0 {
		return fmt.Errorf("key \"partial_line_timeout\": %s is not positive", s.PartialLineAfter)
	}
	return errors.Join(s.compilePatterns(), s.compileExclusions())
}

func (s *settings) compilePatterns() error {
	for _, pattern := range s.Filenames {
		if _, err := filepath.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("key \"filenames\": %q is not a path or a pattern", pattern)
		}
		s.patterns = append(s.patterns, filepath.Clean(pattern))
	}
	return nil
}

func (s *settings) compileExclusions() error {
	for _, text := range s.ExcludeRegexps {
		expression, err := regexp.Compile(text)
		if err != nil {
			return fmt.Errorf("key \"exclude_regexps\": %w", err)
		}
		s.exclude = append(s.exclude, expression)
	}
	return nil
}
