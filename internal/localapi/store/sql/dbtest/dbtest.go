// Package dbtest starts database servers for tests: private ones, on Unix sockets in a temporary folder.
//
// It promises that servers and folders are gone when the test process is, and that every Database is empty and
// nobody else's. It needs the programs of Debian's mariadb-server and postgresql, of any version; as root, tests fail
// without them, as anybody else they are left out. It refuses to touch servers that it did not start.
package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Servers starts one server of each kind when it is first asked for. The zero value is ready.
type Servers struct {
	mariadb, postgresql shared
}

// shared is a server that is started once, or the reason why it cannot be.
type shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Run runs the tests of the process, then stops the servers. The caller exits with what it returns.
func (s *Servers) Run(m *testing.M) int {
	defer s.postgresql.stop()
	defer s.mariadb.stop()
	return m.Run()
}

// MariaDB returns the server that all tests share.
func (s *Servers) MariaDB(tb testing.TB) *Server {
	tb.Helper()
	return s.mariadb.get(tb, mariadb())
}

// PostgreSQL returns the server that all tests share.
func (s *Servers) PostgreSQL(tb testing.TB) *Server {
	tb.Helper()
	return s.postgresql.get(tb, postgresql())
}

func (s *shared) get(tb testing.TB, p program) *Server {
	tb.Helper()
	s.once.Do(func() { s.server, s.err = start(p) })
	require(tb, s.err)
	return s.server
}

func (s *shared) stop() {
	if s.server != nil {
		s.server.stop()
	}
}

// MariaDB starts a server for one test, which keeps what it acknowledged when it is killed.
func MariaDB(tb testing.TB) *Server {
	tb.Helper()
	return forTest(tb, mariadb().durably())
}

// PostgreSQL starts a server for one test, which keeps what it acknowledged when it is killed.
func PostgreSQL(tb testing.TB) *Server {
	tb.Helper()
	return forTest(tb, postgresql().durably())
}

func forTest(tb testing.TB, p program) *Server {
	tb.Helper()
	server, err := start(p)
	require(tb, err)
	tb.Cleanup(server.stop)
	return server
}

// require leaves the test out when the programs are missing and cannot be installed.
func require(tb testing.TB, err error) {
	tb.Helper()
	var missing missingError
	if errors.As(err, &missing) && os.Geteuid() != 0 {
		tb.Skip(err.Error())
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// missingError names a program and the Debian package that has it.
type missingError struct{ program, pkg string }

func (e missingError) Error() string {
	return "needs " + e.program + ": apt-get install " + e.pkg
}

// program is how a kind of server is run.
type program struct {
	kind    string // as in db_config.type
	admin   string // the user of the database who may do everything
	user    string // of the operating system, when we are root; "": stay root
	prepare func(ctx context.Context, s *Server) error
	command func(s *Server) ([]string, error)
	socket  func(dir string) string
	orderly syscall.Signal // makes the server end without waiting for its clients
	durable bool
	port    int // to listen on with TLS; 0: on the socket only
}

func (p program) durably() program {
	p.durable = true
	return p
}

// Server is a running database server.
type Server struct {
	program

	dir       string
	identity  *syscall.Credential
	databases atomic.Int64

	mu      sync.Mutex // guards all below
	process *os.Process
	ended   chan struct{}
}

const startTimeout = 2 * time.Minute // a busy machine takes long to make the first files

func start(p program) (*Server, error) {
	dir, err := os.MkdirTemp("", "dbtest-")
	if err != nil {
		return nil, err
	}
	s := &Server{program: p, dir: dir}
	if err := s.startNew(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a %s server: %w", p.kind, err), os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) startNew() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.becomeUser(); err != nil {
		return err
	}
	if err := s.prepare(ctx, s); err != nil {
		return err
	}
	if s.port != 0 {
		if err := s.writeCertificates(); err != nil {
			return err
		}
	}
	return s.launch(ctx)
}

// becomeUser chooses who the server runs as: some refuse to be root.
func (s *Server) becomeUser() error {
	if os.Geteuid() != 0 || s.user == "" {
		return nil
	}
	account, err := user.Lookup(s.user)
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.identity = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, int(uid), int(gid))
}

// launch starts the server and returns when it answers.
func (s *Server) launch(ctx context.Context) error {
	words, err := s.command(s)
	if err != nil {
		return err
	}
	if err := s.spawn(words); err != nil {
		return err
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if s.answers(ctx) == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended: %s", words[0], s.lastWords())
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("%s does not answer: %s", words[0], s.lastWords())
		case <-ticker.C:
		}
	}
}

// spawn starts the process on a thread that lasts as long as it does, because the kernel ends the process with that
// thread: a test process that is killed leaves nothing behind.
func (s *Server) spawn(words []string) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	command := exec.Command(words[0], words[1:]...) //nolint:gosec,noctx // found by find; ends when it is killed
	// Through a pipe, so that the wait is for its children too: of one that was killed they live on for a moment, and hold
	// what the next one needs.
	output := struct{ io.Writer }{log}
	command.Dir, command.Stdout, command.Stderr, command.WaitDelay = s.dir, output, output, startTimeout
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.identity, Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(ended)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // it is killed, as a rule
		}
		_ = log.Close()
	}()
	if err := <-started; err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process, s.ended = command.Process, ended
	return nil
}

func (s *Server) answers(ctx context.Context) error {
	db, err := s.Admin().Open()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return db.PingContext(ctx)
}

func (s *Server) lastWords() string {
	const most = 2000
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// Kill ends the server as a power cut of the process would, and returns when it is gone.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Shutdown ends the server as an administrator would, and returns when it is gone.
func (s *Server) Shutdown() { s.end(s.orderly) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.process.Signal(signal) // it may have ended by itself
	<-s.ended
}

// Restart starts the server on what it left, and returns when it answers. On a busy machine a server may give up while
// it recovers from a kill, so it gets some tries, as a service manager would give it.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	const tries = 3
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
		err := s.launch(ctx)
		cancel()
		if err == nil {
			return
		}
		if try == tries {
			tb.Fatalf("restarting a %s server: %v", s.kind, err)
		}
		tb.Logf("restarting a %s server, try %d: %v", s.kind, try, err)
	}
}

func (s *Server) stop() {
	s.Kill()
	_ = os.RemoveAll(s.dir) // the folder is temporary anyway
}

// run runs a program that prepares the files of the server.
func (s *Server) run(ctx context.Context, words ...string) error {
	command := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // G204: found by find
	command.Dir = s.dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.identity, Pdeathsig: syscall.SIGKILL}
	output, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", words[0], err, output)
	}
	return nil
}

// find returns the path of a program, which distributions like to hide. Patterns are of folders to look into.
func find(name, pkg string, patterns ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range append(patterns, "/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin") {
		found, err := filepath.Glob(filepath.Join(pattern, name))
		if err != nil {
			return "", err
		}
		for i := len(found) - 1; i >= 0; i-- { // the newest version
			if info, err := os.Stat(found[i]); err == nil && info.Mode().IsRegular() && info.Mode()&fs.ModePerm&0o111 != 0 {
				return found[i], nil
			}
		}
	}
	return "", missingError{program: name, pkg: pkg}
}
