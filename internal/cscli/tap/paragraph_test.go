package tap

import (
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/tap"
)

func TestColorsAreForTerminals(t *testing.T) {
	t.Parallel()
	for _, stage := range []tap.Stage{tap.Parsed, tap.Unparsed, tap.Matched, tap.Overflow} {
		e := tap.Event{Stage: stage, Line: "in", Alert: []byte(`{"message":"in"}`)}
		plain, fancy := paragraph(e, false), paragraph(e, true)
		if strings.Contains(plain, "\x1b") || !strings.Contains(fancy, "\x1b[") {
			t.Errorf("%s: %q and %q", stage, plain, fancy)
		}
	}
}

func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b]0;b\x07\r\u009bc\n"
	shown := paragraph(tap.Event{
		Stage: evil, Line: evil, Whitelisted: evil, Meta: map[string]string{evil: evil}, Enriched: map[string]string{evil: evil}, Alert: []byte(evil),
	}, false)
	for line := range strings.Lines(shown) {
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\x07\r\n\u009b") {
			t.Errorf("%q", line)
		}
	}
	if got := strings.Count(shown, "\n"); got != 4 {
		t.Errorf("%d lines: %q", got, shown)
	}
}
