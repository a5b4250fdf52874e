package program_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"shieldwall/internal/remediation/program"
)

func TestRun(t *testing.T) {
	t.Parallel()
	out, err := program.Run(t.Context(), []byte("from here"), "sh", "-c", "cat; echo \" in $LC_ALL\"")
	if err != nil || string(out) != "from here in C\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err = program.Run(t.Context(), nil, "sh", "-c", "echo no >&2; exit 3"); err == nil || err.Error() != "sh: exit status 3: no" {
		t.Errorf("got %v", err)
	}
	_, err = program.Run(t.Context(), nil, "no-such-program")
	if !errors.Is(err, exec.ErrNotFound) || !strings.HasPrefix(err.Error(), "unable to find no-such-program") {
		t.Errorf("got %v", err)
	}
}
