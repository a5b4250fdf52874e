package why

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/wire"
)

// An address is found where it stands alone, and not in a longer one.
func TestMentions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"from 192.0.2.7 port 22":    true,
		"192.0.2.7":                 true,
		"192.0.2.7:443 -> x":        true,
		"[192.0.2.7]":               true,
		"192.0.2.77":                false,
		"1192.0.2.7":                false,
		"1.192.0.2.7":               false,
		"192.0.2.77 then 192.0.2.7": true,
		"":                          false,
	} {
		if got := mentions(line, "192.0.2.7"); got != want {
			t.Errorf("%q: got %v", line, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringMatching(`[a-z =(]{0,10}[ =(]`).Draw(t, "before")
		after := rapid.StringMatching(`([ ,)][a-z ]{0,10})?`).Draw(t, "after")
		if line := before + "2001:db8::7" + after; !mentions(line, "2001:db8::7") || mentions(line, "2001:db8::") {
			t.Fatalf("wrong in %q", line)
		}
	})
}

// Whatever an attacker writes into a log, the story does not steer the terminal.
func FuzzStory(f *testing.F) {
	f.Add("m\x1b[2J", "k\r", "v\x00", "ban")
	f.Fuzz(func(t *testing.T, message, key, value, kind string) {
		b := banOf(wire.Alert{
			Message: message, Scenario: message, MachineID: key,
			Events:    []wire.Event{{Timestamp: value, Meta: []wire.MetaItem{{Key: key, Value: value}}}},
			Decisions: []wire.Decision{{Type: kind, Scope: key, Value: value, Duration: "1h", Origin: kind}},
		})
		b.Lines = []string{value}
		for i := range b.Decisions {
			b.Decisions[i].Components = []component{{wire.ComponentEnforcement{Name: key, Type: kind, State: wire.EnforcementState(value)}}}
			b.Decisions[i].Unknown = message
		}
		told := story{Address: "192.0.2.7", Bans: []ban{b}, Undo: undo("192.0.2.7", []ban{b})}
		if text := told.text(); strings.ContainsAny(text, "\x00\x07\x08\x0d\x1b\x7f") {
			t.Errorf("told %q", text)
		}
	})
}
