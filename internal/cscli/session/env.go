package session

import (
	"crypto/rand"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/internal/platform/buildinfo"
)

// Env is everything that a run takes from outside.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdoutTerminal bool                               // Stdout is a terminal that knows colors, and whose user wants them
	StderrTerminal bool                               // as StdoutTerminal
	Columns        int                                // how many characters fit into a line of Stdout, 0 for any number
	ReadPassword   func() (string, error)             // from Stdin, not shown
	Terminal       func() (io.ReadWriteCloser, error) // of the user, wherever the files above lead; nil: there is none
	LookupEnv      func(string) (string, bool)
	Now            func() time.Time
	Random         io.Reader
	MachineIDFiles []string // where the operating system keeps the identity of the machine
	ProgramDir     string   // where this program lies, "" when it is not known
	User           string   // who runs this program, as the operating system knows it
	Hostname       string   // of this machine, "" when it is not known
	Build          buildinfo.Info
}

// System returns the environment of this process.
func System() Env {
	colors := wantsColors(os.Getenv)
	return Env{
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdoutTerminal: colors && isTerminal(os.Stdout),
		StderrTerminal: colors && isTerminal(os.Stderr),
		Columns:        columns(os.Stdout),
		ReadPassword:   func() (string, error) { return readPassword(os.Stdin) },
		Terminal:       func() (io.ReadWriteCloser, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) },
		LookupEnv:      os.LookupEnv,
		Now:            time.Now,
		Random:         rand.Reader,
		MachineIDFiles: []string{"/var/lib/dbus/machine-id", "/etc/machine-id"},
		ProgramDir:     programDir(),
		User:           userName(),
		Hostname:       hostname(),
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

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// userName returns the name of the user, or the number where there is no name.
func userName() string {
	current, err := user.Current()
	if err != nil || current.Username == "" {
		return strconv.Itoa(os.Getuid())
	}
	return current.Username
}

// wantsColors reports whether a terminal knows colors, and its user likes them.
func wantsColors(getenv func(string) string) bool {
	return getenv("TERM") != "dumb" && getenv("NO_COLOR") == ""
}

// columns returns the width of a terminal, 0 for what is none.
func columns(file *os.File) int {
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

func isTerminal(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
