package csconfig

import (
	"fmt"
	"log/slog"

	"shieldwall/internal/platform/logging"
)

// Level is a log level by its published number: 0 panic, 1 fatal, 2 error, 3 warning, 4 info, 5 debug, 6 trace.
type Level uint32

func names() []string {
	return []string{"panic", "fatal", "error", "warning", "info", "debug", "trace"}
}

// UnmarshalYAML reads the name of a level.
func (l *Level) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	for number, name := range names() {
		if name == text || name == "warning" && text == "warn" {
			*l = Level(number)
			return nil
		}
	}
	if text == "" {
		return nil
	}
	return fmt.Errorf("not a valid log level: %q", text)
}

// MarshalYAML writes the name of the level.
func (l Level) MarshalYAML() (any, error) { return l.Name(), nil }

// Name returns the published name.
func (l Level) Name() string {
	if int(l) < len(names()) {
		return names()[l]
	}
	return "unknown"
}

func levelOf(level slog.Level) Level {
	switch {
	case level >= slog.LevelError:
		return 2
	case level >= slog.LevelWarn:
		return 3
	case level >= slog.LevelInfo:
		return 4
	case level > logging.LevelTrace:
		return 5
	}
	return 6
}
