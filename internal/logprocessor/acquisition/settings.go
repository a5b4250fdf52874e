package acquisition

import (
	"errors"
	"fmt"
	"log/slog"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/logging"
)

// Common are the keys that every kind of source accepts.
type Common struct {
	Source         string            `yaml:"source"`
	Mode           Mode              `yaml:"mode"`
	Labels         map[string]string `yaml:"labels"`
	LogLevel       string            `yaml:"log_level"`
	Name           string            `yaml:"name"`
	UseTimeMachine bool              `yaml:"use_time_machine"`
	Transform      string            `yaml:"transform"` // an expression, "" for none
	UniqueID       string            `yaml:"unique_id"`
}

// Mode says when a source ends.
type Mode string

// The modes; "" means the default of the source.
const (
	Tail Mode = "tail" // follows its input for ever
	Cat  Mode = "cat"  // reads what there is and ends
)

// Base returns the common keys; it makes a struct that embeds Common satisfy that part of Settings.
func (c Common) Base() Common { return c }

// Clock returns the clock for the lines of a source that is live unless told otherwise: what is read to its end lies
// in the past.
func (c Common) Clock() event.Clock {
	if c.UseTimeMachine || c.Mode == Cat {
		return event.TimeMachine
	}
	return event.Live
}

func (c Common) validate() error {
	if len(c.Labels) == 0 {
		return errors.New("key \"labels\": at least one label is required")
	}
	if c.Mode != "" && c.Mode != Tail && c.Mode != Cat {
		return fmt.Errorf("key \"mode\": %q is neither tail nor cat", c.Mode)
	}
	if _, err := c.level(slog.LevelInfo); err != nil {
		return fmt.Errorf("key \"log_level\": %w", err)
	}
	return nil
}

func (c Common) level(inherited slog.Level) (slog.Level, error) {
	if c.LogLevel == "" {
		return inherited, nil
	}
	return logging.ParseLevel(c.LogLevel)
}

// Settings are the decoded and validated configuration of one source.
type Settings interface {
	// Base returns the common keys.
	Base() Common
	// Check looks at the host without changing anything. An Unavailable error means that this kind of
	// source cannot run here, which is not a mistake in the configuration.
	Check() error
	// Open prepares the source; reading begins with Run.
	Open(env Env) (Source, error)
}

// Factory decodes the settings of one kind of source. It refuses what it does not know.
type Factory interface {
	// Decode reads a document of a configuration file.
	Decode(document Document) (Settings, error)
	// DecodeDSN reads the settings of a cold run.
	DecodeDSN(dsn DSN) (Settings, error)
}

// Registry lists the kinds of sources by the name that the key `source` uses.
type Registry map[string]Factory

// Definition is one configured source.
type Definition struct {
	Settings
	Origin string // where it was configured, for messages

	transform Transform
}

// Once returns the definition of a source that reads the same from its beginning and ends, and whether there can be
// one.
func (d Definition) Once() (Definition, bool) {
	settings, ok := d.Settings.(interface{ Once() Settings })
	if !ok {
		return Definition{}, false
	}
	d.Settings = settings.Once()
	return d, true
}

// Open opens the source with its own log level and its transform in place.
func (d Definition) Open(env Env) (Source, error) {
	env.Log = leveled(env.Log.With("datasource", d.Base().Source), d.Base().LogLevel)
	source, err := d.Settings.Open(env)
	if err != nil {
		return nil, fmt.Errorf("opening source of %s: %w", d.Origin, err)
	}
	if d.transform == nil {
		return source, nil
	}
	return transformed{source, d.transform}, nil
}
