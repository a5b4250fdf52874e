package session

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"shieldwall/internal/platform/logging"
)

// newLog returns the log of a session. A result for programs is not disturbed by less than errors.
func newLog(env Env, level slog.Level, output Output) *slog.Logger {
	if output != Human {
		level = slog.LevelError
	}
	if output == Human && env.StderrTerminal {
		return slog.New(&terminalHandler{level: level, w: env.Stderr})
	}
	return logging.New(env.Stderr, logging.Options{Level: level, JSON: output == JSON, Untimed: true})
}

// terminalHandler writes log lines for a person: LEVEL message key=value.
type terminalHandler struct {
	level slog.Level
	attrs []slog.Attr
	w     io.Writer
}

func (h *terminalHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *terminalHandler) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(levelColor(record.Level).Sprint(strings.ToUpper(logging.LevelName(record.Level))))
	line.WriteString(" " + record.Message)
	for _, attr := range h.attrs {
		line.WriteString(" " + attr.String())
	}
	record.Attrs(func(attr slog.Attr) bool {
		line.WriteString(" " + attr.String())
		return true
	})
	line.WriteByte('\n')
	_, err := io.WriteString(h.w, line.String())
	return err
}

func (h *terminalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *h
	clone.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &clone
}

// WithGroup leaves keys as they are: a person does not need their full names.
func (h *terminalHandler) WithGroup(string) slog.Handler { return h }

func levelColor(level slog.Level) text.Color {
	switch {
	case level >= slog.LevelError:
		return text.FgRed
	case level >= slog.LevelWarn:
		return text.FgYellow
	case level >= slog.LevelInfo:
		return text.FgCyan
	}
	return text.FgHiBlack
}
