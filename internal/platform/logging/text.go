package logging

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
)

// textHandler writes one key=value line a record. It is our own because slog's text handler spells levels
// and quotes values otherwise than the published format.
type textHandler struct {
	level   slog.Level
	untimed bool
	group   string // prefix of keys, ends with "." when not empty
	attrs   string // already formatted, begins with " " when not empty

	mu *sync.Mutex // guards w
	w  io.Writer
}

func newTextHandler(w io.Writer, options Options) *textHandler {
	return &textHandler{level: options.Level, untimed: options.Untimed, mu: &sync.Mutex{}, w: w}
}

func (h *textHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *textHandler) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	if !h.untimed {
		line.WriteString(`time="` + record.Time.Format(time.RFC3339) + `" `)
	}
	line.WriteString("level=" + LevelName(record.Level) + " msg=" + strconv.Quote(record.Message) + h.attrs)
	record.Attrs(func(attr slog.Attr) bool {
		appendAttr(&line, h.group, attr)
		return true
	})
	line.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, line.String())
	return err
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var formatted strings.Builder
	for _, attr := range attrs {
		appendAttr(&formatted, h.group, attr)
	}
	clone := *h
	clone.attrs += formatted.String()
	return &clone
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	clone := *h
	clone.group += name + "."
	return &clone
}

func appendAttr(line *strings.Builder, prefix string, attr slog.Attr) {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, member := range value.Group() {
			appendAttr(line, prefix+attr.Key+".", member)
		}
		return
	}
	text := value.String()
	if needsQuotes(text) {
		text = strconv.Quote(text)
	}
	line.WriteString(" " + prefix + attr.Key + "=" + text)
}

func needsQuotes(text string) bool {
	return text == "" || strings.ContainsFunc(text, func(r rune) bool {
		bare := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/@^+", r)
		return !bare
	})
}
