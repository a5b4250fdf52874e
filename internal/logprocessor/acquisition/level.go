package acquisition

import (
	"context"
	"log/slog"

	"shieldwall/internal/platform/logging"
)

// leveled returns a logger with a level of its own; "" and unknown names inherit.
func leveled(log *slog.Logger, name string) *slog.Logger {
	level, err := logging.ParseLevel(name)
	if err != nil {
		return log
	}
	return slog.New(threshold{log.Handler(), level})
}

// threshold replaces the level of a handler.
type threshold struct {
	slog.Handler
	level slog.Level
}

func (t threshold) Enabled(_ context.Context, level slog.Level) bool { return level >= t.level }

func (t threshold) WithAttrs(attrs []slog.Attr) slog.Handler {
	return threshold{t.Handler.WithAttrs(attrs), t.level}
}

func (t threshold) WithGroup(name string) slog.Handler {
	return threshold{t.Handler.WithGroup(name), t.level}
}
