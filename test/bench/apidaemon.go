package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/content"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/store/sql"
	"shieldwall/internal/wire"
	"shieldwall/test/bench/load"
)

const (
	benchMachine  = "bench"
	benchPassword = "not a secret: the machine lives for a minute" //nolint:gosec // as it says
	benchKey      = "key-of-bouncer-"
)

// api is a Local API in a process and a folder of its own, on SQLite, with the configuration that is shipped: what it
// logs about every request goes to a file.
type api struct {
	dir     string
	address string
	profile string    // file for a CPU profile, "" for none
	running *exec.Cmd // nil: it does not
}

// newAPI makes one with a machine and so many bouncers. It does not run yet.
func newAPI(ctx context.Context, dir string, bouncers int) (*api, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	a := &api{dir: dir, address: address}
	if err := os.CopyFS(dir, content.DefaultConfig()); err != nil {
		return nil, fmt.Errorf("installing the configuration: %w", err)
	}
	if err := os.MkdirAll(a.path("data"), 0o750); err != nil {
		return nil, fmt.Errorf("installing data: %w", err)
	}
	if err := write(fmt.Appendf(nil, `common: {log_media: file, log_level: info, log_dir: %[1]s}
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_uri: %[2]s, profiles_path: %[1]s/profiles.yaml}
prometheus: {enabled: false}
`, dir, address), a.path("config.yaml")); err != nil {
		return nil, fmt.Errorf("installing the configuration: %w", err)
	}
	if err := a.cscli(ctx, "machines", "add", benchMachine, "--password", benchPassword, "--force"); err != nil {
		return nil, err
	}
	return a, a.addBouncers(ctx, bouncers)
}

// freeAddress is one that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func (a *api) path(name ...string) string {
	return filepath.Join(append([]string{a.dir}, name...)...)
}

func (a *api) cscli(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "bin/cscli", append([]string{"-c", a.path("config.yaml"), "--error"}, args...)...) //nolint:gosec // our own program
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cscli %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// database opens what the process keeps, which need not run.
func (a *api) database(ctx context.Context) (*sql.Store, error) {
	return sql.Open(ctx, sql.Config{Type: "sqlite", Path: a.path("data", "crowdsec.db")}, slog.New(slog.DiscardHandler))
}

func (a *api) addBouncers(ctx context.Context, count int) (err error) {
	database, err := a.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	for i := range count {
		text := strconv.Itoa(i)
		bouncer := domain.Bouncer{Name: "bouncer-" + text, KeyHash: auth.HashKey(benchKey + text), AuthType: domain.AuthAPIKey}
		if _, err := database.AddBouncer(ctx, bouncer); err != nil {
			return err
		}
	}
	return nil
}

// keyOf returns the header with the key of a bouncer.
func keyOf(bouncer int) string { return "X-Api-Key: " + benchKey + strconv.Itoa(bouncer) }

// start runs the process and returns when it answers.
func (a *api) start(ctx context.Context) error {
	argv := []string{"-c", a.path("config.yaml"), "-no-cs"}
	if a.profile != "" {
		argv = append(argv, "-cpu-profile", a.profile)
	}
	a.running = exec.Command("bin/crowdsec", argv...) //nolint:gosec,noctx // our own program, which stop ends
	var said bytes.Buffer
	a.running.Stderr = &said
	began := time.Now()
	if err := startOn(a.running, nil); err != nil {
		return err
	}
	for {
		conn, err := load.Dial(ctx, a.address)
		if err == nil {
			answer, err := conn.Do(load.Get("/health"))
			if err == nil && answer.Status == http.StatusOK {
				return conn.Close()
			}
		}
		if ctx.Err() != nil || syscall.Kill(a.running.Process.Pid, 0) != nil || time.Since(began) > time.Minute {
			return errors.Join(fmt.Errorf("the Local API does not answer: %w: %s", err, said.String()), a.stop())
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return errors.Join(err, a.stop())
		}
	}
}

// pause waits, but not longer than ctx lasts.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// stop ends the process in order.
func (a *api) stop() error {
	if err := a.running.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return a.running.Wait()
}

// cpu is the processor time that the process has used until now, all threads.
func (a *api) cpu() (time.Duration, error) {
	const ofProcess = 2
	clock := int32(^a.running.Process.Pid<<3 | ofProcess) //nolint:gosec // as clock_getcpuclockid makes it
	var used unix.Timespec
	if err := unix.ClockGettime(clock, &used); err != nil {
		return 0, fmt.Errorf("reading the processor time of the Local API: %w", err)
	}
	return time.Duration(used.Nano()), nil
}

// memory returns the resident size in MB, that of now and the largest until now.
func (a *api) memory() (now, peak float64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(a.running.Process.Pid) + "/status")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kB, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		size, err := strconv.ParseFloat(kB, 64)
		switch {
		case name == "VmRSS" && err == nil:
			now = size / 1024
		case name == "VmHWM" && err == nil:
			peak = size / 1024
		}
	}
	if now == 0 || peak == 0 {
		return 0, 0, errors.New("this system does not tell the size of a process")
	}
	return now, peak, nil
}

// token logs the machine in.
func (a *api) token(ctx context.Context) (string, error) {
	body, err := json.Marshal(wire.Login{MachineID: benchMachine, Password: benchPassword}) //nolint:gosec // what a login is
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.address+"/v1/watchers/login", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("User-Agent", "bench/1")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("logging in: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // read
	var token wire.Token
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.Token == "" {
		return "", fmt.Errorf("logging in: status %d, %w", answer.StatusCode, err)
	}
	return token.Token, nil
}

// drive lets clients work, and returns what that has cost besides.
func (a *api) drive(ctx context.Context, status int, clients ...load.Client) (work apiWork, err error) {
	err = a.measure(&work, func() (err error) {
		work.Outcome, err = load.Run(ctx, a.address, status, clients...)
		return err
	})
	return work, err
}

// measure adds to work the processor time that is used while do runs.
func (a *api) measure(work *apiWork, do func() error) error {
	server, err := a.cpu()
	if err != nil {
		return err
	}
	generator := processorTime(syscall.RUSAGE_SELF)
	if err := do(); err != nil {
		return err
	}
	work.generator += processorTime(syscall.RUSAGE_SELF) - generator
	now, err := a.cpu()
	work.server += now - server
	return err
}

// processorTime is what this process has used until now, or the children that it has waited for.
func processorTime(who int) time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(who, &used) // fails for an unknown who only
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// apiWork is what was done and what it has cost.
type apiWork struct {
	load.Outcome

	server    time.Duration // processor time of the Local API
	generator time.Duration // of who asked, with whom it shares the processors
}
