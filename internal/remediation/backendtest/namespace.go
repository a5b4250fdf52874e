package backendtest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace of its own, with nothing in it but a loopback device.
type Namespace struct {
	file *os.File
}

// NewNamespace makes a namespace that ends with the test. The test is left out, and says so, without root.
func NewNamespace(t *testing.T) *Namespace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	var n Namespace
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("making a network namespace: %w", err)
		}
		var err error
		n.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.file.Close() })
	n.Run(t, "ip", "link", "set", "lo", "up")
	return &n
}

// FD is the descriptor of the namespace, open until the test ends.
func (n *Namespace) FD() int { return int(n.file.Fd()) }

// Do calls work on a thread that is in the namespace. Sockets that work opens stay in it.
func (n *Namespace) Do(work func() error) error {
	return onThread(func() error {
		if err := unix.Setns(n.FD(), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering a network namespace: %w", err)
		}
		return work()
	})
}

// Run runs a program in the namespace and returns what it printed. Descriptors of files begin at 3.
func (n *Namespace) Run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return n.run(t, nil, name, args...)
}

func (n *Namespace) run(t *testing.T, files []*os.File, name string, args ...string) string {
	t.Helper()
	var output []byte
	err := n.Do(func() error {
		command := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // ip and nft, from tests
		command.ExtraFiles = files
		var err error
		output, err = command.CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, output)
	}
	return string(output)
}

// Output runs a command in the namespace the way work does, which has to use it.
func (n *Namespace) Output(command *exec.Cmd, run func(*exec.Cmd) ([]byte, error)) (output []byte, err error) {
	err = n.Do(func() error {
		output, err = run(command)
		return err
	})
	return output, err
}

// onThread calls work on a thread that is thrown away afterwards: it may be in any namespace.
func onThread(work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked, so that the thread ends with the goroutine
		done <- work()
	}()
	return <-done
}
