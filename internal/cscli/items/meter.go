package items

import (
	"fmt"
	"io"

	"shieldwall/internal/cscli/session"
)

// meter is the last line of a terminal, which says how far long work is. Elsewhere it is nothing.
type meter struct {
	w     io.Writer // nil: nowhere
	shown string
}

func newMeter(env session.Env) *meter {
	if !env.StderrTerminal {
		return &meter{}
	}
	return &meter{w: env.Stderr}
}

// bytes shows the size of a file so far, once it is not small.
func (m *meter) bytes(done int64) {
	if mebibytes := done >> 20; mebibytes > 0 {
		m.show(fmt.Sprintf("%d MiB", mebibytes))
	}
}

func (m *meter) show(text string) {
	if m.w == nil || m.shown == text {
		return
	}
	_, _ = fmt.Fprintf(m.w, "\r%s\x1b[K", text)
	m.shown = text
}

func (m *meter) clear() {
	if m.shown != "" {
		_, _ = io.WriteString(m.w, "\r\x1b[K")
		m.shown = ""
	}
}
