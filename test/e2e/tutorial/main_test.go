// Package tutorial plays installations on several machines as their documents describe them, command by command: those of
// testdata, which are the published ones, and docs/multi-server.md, which is ours.
//
// A machine is a host name, a network and a view of this computer's files that is its own, so that commands and paths are
// those of the document: /etc/crowdsec, /usr/bin/crowdsec, /tmp. What a document shows as the output of a command is
// what the command has to print. Nothing is left behind, whatever happens to the test.
package tutorial

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds every wait for something that must happen, on a machine that is busy with other things.
const patience = 60 * time.Second

// packages is the folder with what `make install` puts on a machine.
var packages string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "shieldwall-tutorial-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp is no reason to fail
	if os.Geteuid() == 0 {
		if err := install(dir); err != nil {
			fmt.Fprintln(os.Stderr, "installing below a folder:", err)
			return 1
		}
	}
	packages = dir
	return m.Run()
}

// install builds the programs and installs them as `make install DESTDIR=dir/installed` does. What it puts in place is small
// but for the programs, which end up in dir/programs.
func install(dir string) error {
	const project = "../../.."
	programs, installed := filepath.Join(dir, "programs"), filepath.Join(dir, "installed")
	if err := errors.Join(os.Mkdir(programs, 0o755), os.Mkdir(installed, 0o755)); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", programs, "shieldwall/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the programs: %w: %s", err, out)
	}
	put := exec.Command(filepath.Join(project, "packaging/install.sh"))
	put.Env = append(os.Environ(), "BIN="+programs, "DESTDIR="+installed, "PREFIX=/usr")
	if out, err := put.CombinedOutput(); err != nil {
		return fmt.Errorf("packaging/install.sh: %w: %s", err, out)
	}
	return os.RemoveAll(filepath.Join(installed, "usr/bin"))
}

// eventually polls until what must happen has happened, and fails with what was seen last.
func eventually(t *testing.T, what string, happened func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := happened()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for %s: %v", patience, what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
