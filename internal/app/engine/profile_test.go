package engine_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/app/engine"
)

// TestCPUProfile holds what `go tool pprof` reads: a compressed file, complete when the run has ended.
func TestCPUProfile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cpu.pprof")
	if log, err := profiled(t, path); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(written, []byte{0x1f, 0x8b}) {
		t.Errorf("no profile, but %q", written)
	}
}

func TestCPUProfileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	log, err := profiled(t, filepath.Join(t.TempDir(), "missing", "cpu.pprof"))
	if err == nil || !strings.Contains(log, "-cpu-profile: open ") {
		t.Errorf("got %v: %s", err, log)
	}
}

// profiled runs `crowdsec -t -cpu-profile path` without rules and returns its log.
func profiled(t *testing.T, path string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	writeConfig(t, dir, dir, "")
	var out bytes.Buffer
	err := engine.Run(t.Context(), engine.Options{
		ConfigPath: filepath.Join(dir, "config.yaml"), Test: true, NoLocalAPI: true, CPUProfile: path,
	}, engine.Surroundings{
		Env: func(string) (string, bool) { return "", false }, Now: time.Now, Stdout: &out, Stderr: &out,
	})
	return out.String(), err
}
