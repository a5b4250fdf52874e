package session_test

import (
	"testing"

	"shieldwall/internal/cscli/session"
)

func TestPrintableCannotSteerATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain é 日本":        "plain é 日本",
		"a\tb":              "a\tb",
		"\x1b[2J\r\n\x00":   `\x1b[2J\r\n\x00`,
		"\u202ereversed":    `\u202ereversed`,
		"quote ' and \" \\": `quote ' and " \`,
	} {
		if got := session.Printable(text); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
