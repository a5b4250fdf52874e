package file

import (
	"log/slog"
	"os"
	"strings"
	"testing"

	"shieldwall/internal/platform/logging/logtest"
)

// TestTroubleIsToldOnce checks that a file that cannot be opened, which is tried again and again, is complained about
// once, and again when it had been followed in between.
func TestTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	var log logtest.Buffer
	f := &follower{log: slog.New(slog.NewTextHandler(&log, nil)), failed: map[string]string{}}
	for _, step := range []struct {
		began bool
		told  int // so far
	}{{false, 1}, {false, 1}, {true, 2}, {false, 2}} {
		f.forget(t.Context(), ending{&tail{path: "/x.log", began: step.began}, os.ErrPermission})
		if told := strings.Count(log.String(), "cannot be followed"); told != step.told {
			t.Errorf("told %d times, want %d", told, step.told)
		}
	}
}
