// Package logging builds the loggers of the three programs on log/slog, in the line format that
// administrators' tools already read: time="…" level=info msg="…" key=value.
//
// It owns formats, levels and destinations. Nobody logs through a global: loggers are handed to
// constructors.
package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/natefinch/lumberjack.v2"
)

// The levels that slog has no name for.
const (
	LevelTrace = slog.LevelDebug - 4
	LevelFatal = slog.LevelError + 4
)

// Options describe a logger.
type Options struct {
	Level    slog.Level
	JSON     bool   // one JSON object a line instead of text
	Untimed  bool   // text without the time, as cscli prints
	Media    string // "stdout", "file" or "syslog"
	Dir      string // of the file
	File     string // name of the file inside Dir
	Rotation Rotation
}

// Rotation bounds log files. Zero values mean no bound.
type Rotation struct {
	MaxSizeMB  int
	MaxFiles   int
	MaxAgeDays int
	Compress   bool
}

// ParseLevel reads a published level name.
func ParseLevel(name string) (slog.Level, error) {
	switch strings.ToLower(name) {
	case "trace":
		return LevelTrace, nil
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	case "fatal", "panic":
		return LevelFatal, nil
	}
	return 0, fmt.Errorf("not a valid log level: %q", name)
}

// LevelName returns the published name of a level.
func LevelName(level slog.Level) string {
	switch {
	case level >= LevelFatal:
		return "fatal"
	case level >= slog.LevelError:
		return "error"
	case level >= slog.LevelWarn:
		return "warning"
	case level >= slog.LevelInfo:
		return "info"
	case level >= slog.LevelDebug:
		return "debug"
	}
	return "trace"
}

// New returns a logger that writes to w.
func New(w io.Writer, options Options) *slog.Logger {
	if options.JSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: options.Level, ReplaceAttr: publishedKeys}))
	}
	return slog.New(newTextHandler(w, options))
}

// Open returns a logger for the destination that options name, and the function that closes it. Standard
// output is the given writer. With any other destination, fatal messages are written to stderr too.
func Open(options Options, stdout, stderr io.Writer) (*slog.Logger, func() error, error) {
	nothing := func() error { return nil }
	switch options.Media {
	case "", "stdout":
		return New(stdout, options), nothing, nil
	case "file":
		file := &lumberjack.Logger{
			Filename:   filepath.Join(options.Dir, options.File),
			MaxSize:    options.Rotation.MaxSizeMB,
			MaxBackups: options.Rotation.MaxFiles,
			MaxAge:     options.Rotation.MaxAgeDays,
			Compress:   options.Rotation.Compress,
		}
		if err := checkWritable(file.Filename); err != nil {
			return nil, nil, err
		}
		return alsoFatal(New(file, options), stderr, options), file.Close, nil
	case "syslog":
		writer, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, filepath.Base(os.Args[0]))
		if err != nil {
			return nil, nil, fmt.Errorf("opening syslog: %w", err)
		}
		options.Untimed = true
		return alsoFatal(New(writer, options), stderr, options), writer.Close, nil
	}
	return nil, nil, fmt.Errorf("log media '%s' unknown: must be one of stdout, file, syslog", options.Media)
}

// checkWritable finds out at start what the rotating writer would only report, and swallow, later.
func checkWritable(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // from the configuration
	if err != nil {
		return fmt.Errorf("opening log file: %w", err)
	}
	return file.Close()
}

func publishedKeys(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 || attr.Key != slog.LevelKey {
		return attr
	}
	if level, ok := attr.Value.Any().(slog.Level); ok {
		attr.Value = slog.StringValue(LevelName(level))
	}
	return attr
}

func alsoFatal(log *slog.Logger, stderr io.Writer, options Options) *slog.Logger {
	options.Level = LevelFatal
	return slog.New(tee{log.Handler(), newTextHandler(stderr, options)})
}

// tee hands each record to both handlers.
type tee [2]slog.Handler

func (t tee) Enabled(ctx context.Context, level slog.Level) bool {
	return t[0].Enabled(ctx, level) || t[1].Enabled(ctx, level)
}

func (t tee) Handle(ctx context.Context, record slog.Record) error {
	for _, handler := range t {
		if !handler.Enabled(ctx, record.Level) {
			continue
		}
		if err := handler.Handle(ctx, record.Clone()); err != nil {
			return err
		}
	}
	return nil
}

func (t tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tee{t[0].WithAttrs(attrs), t[1].WithAttrs(attrs)}
}

func (t tee) WithGroup(name string) slog.Handler {
	return tee{t[0].WithGroup(name), t[1].WithGroup(name)}
}
