package tutorial

import (
	"slices"
	"testing"
)

// TestMultiServer does everything that docs/multi-server.md says, each chapter on machines of its own. Then an attack that
// one machine sees is an attack on all that the chapter protects.
func TestMultiServer(t *testing.T) {
	t.Parallel()
	steps := read(t, "../../../docs/multi-server.md")
	for _, chapter := range []struct {
		title    string
		machines []string // in the order of their addresses
		attacked string   // after the last step
		guarded  []string
	}{
		// In the end web-2 is shut out, and web-1 has just reported the same attacker.
		{"With certificates", []string{"api-1", "web-1", "web-2", "api-2"}, "api-2", []string{"web-1"}},
		{"With passwords", []string{"api-1", "web-1", "web-2"}, "web-1", []string{"web-1", "web-2"}},
		{"With certificates of another authority", []string{"api-1", "web-1"}, "web-1", []string{"web-1"}},
	} {
		mine := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return s.chapter != chapter.title })
		steps = slices.DeleteFunc(steps, func(s step) bool { return s.chapter == chapter.title })
		t.Run(chapter.title, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, chapter.machines...)
			s.start()
			s.play(mine)
			s.expectDrop(chapter.attacked, chapter.guarded...)
		})
	}
	if len(steps) > 0 {
		t.Errorf("line %d is in no chapter that is played", steps[0].line)
	}
}
