package session

import (
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/internal/platform/buildinfo"
)

// Env is everything that a run takes from outside.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdoutTerminal bool // Stdout is a terminal
	StderrTerminal bool
	ReadPassword   func() (string, error) // from Stdin, not shown
	LookupEnv      func(string) (string, bool)
	Now            func() time.Time
	Random         io.Reader
	MachineIDFiles []string // where the operating system keeps the identity of the machine
	ProgramDir     string   // where this program lies, "" when it is not known
	Build          buildinfo.Info
}

// System returns the environment of this process.
func System() Env {
	return Env{
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdoutTerminal: isTerminal(os.Stdout),
		StderrTerminal: isTerminal(os.Stderr),
		ReadPassword:   func() (string, error) { return readPassword(os.Stdin) },
		LookupEnv:      os.LookupEnv,
		Now:            time.Now,
		Random:         rand.Reader,
		MachineIDFiles: []string{"/var/lib/dbus/machine-id", "/etc/machine-id"},
		ProgramDir:     programDir(),
		Build:          buildinfo.Read(),
	}
}

func programDir() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Dir(path)
}

func isTerminal(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
