package engine_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"shieldwall/internal/app/engine"
)

// TestColdRunsKeepToTheirProcessors asks for as many processors as there are parser routines, when a log is read to its
// end and not when logs are followed.
func TestColdRunsKeepToTheirProcessors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeConfig(t, dir, dir, "")
	log := filepath.Join(dir, "some.log")
	if err := os.WriteFile(log, []byte("a line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options engine.Options
		want    int
	}{
		"cold run": {engine.Options{DSN: "file://" + log, Type: "syslog", DumpDir: filepath.Join(dir, "dump")}, 1},
		"test":     {engine.Options{Test: true}, 0},
	} {
		asked := 0
		test.options.ConfigPath, test.options.NoLocalAPI = filepath.Join(dir, "config.yaml"), true
		if err := engine.Run(t.Context(), test.options, engine.Surroundings{
			Env: func(string) (string, bool) { return "", false }, Now: time.Now, Stdout: io.Discard, Stderr: io.Discard,
			Spread: func(most int) { asked = most },
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if asked != test.want {
			t.Errorf("%s: %d processors were asked for, want %d", name, asked, test.want)
		}
	}
}
