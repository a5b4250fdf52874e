package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProcess(t *testing.T) {
	t.Parallel()
	input := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(input, []byte("yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	used, err := process{argv: []string{"sh", "-c", `read answer; test "$answer" = yes`}, input: input}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if used.wall <= 0 || used.peakMB <= 0 {
		t.Errorf("it took %v and %v MB", used.wall, used.peakMB)
	}
	_, err = process{argv: []string{"sh", "-c", "echo no room >&2; exit 3"}}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
}

// TestProcessOnOneProcessor lets a child look at where it may run.
func TestProcessOnOneProcessor(t *testing.T) {
	t.Parallel()
	cpus, err := processors(1)
	if err != nil {
		t.Fatal(err)
	}
	const alone = `while read key value; do if [ "$key" = Cpus_allowed_list: ]; then case $value in *[,-]*) exit 1; esac; fi; done </proc/self/status`
	if _, err := (process{argv: []string{"sh", "-c", alone}, cpus: cpus}).run(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := processors(1 << 20); err == nil {
		t.Error("a million processors were found")
	}
}
