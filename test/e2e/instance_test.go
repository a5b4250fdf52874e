package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"shieldwall/content"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// instance is an installation in a folder of its own. In a namespace, every program runs there.
type instance struct {
	t         *testing.T
	dir       string
	address   string   // of the Local API
	namespace string   // "" for the machine's own network
	env       []string // of its programs, besides our own
	wrapper   []string // the beginning of the command line of its programs
}

// newInstance prepares what the packages prepare: configuration, our content as local items, credentials.
func newInstance(t *testing.T, namespace string) *instance {
	t.Helper()
	in := &instance{t: t, dir: t.TempDir(), address: "127.0.0.1:8080", namespace: namespace}
	if namespace == "" {
		in.address = freeAddress(t)
	}
	for _, name := range []string{"profiles.yaml", "simulation.yaml"} {
		text, err := fs.ReadFile(content.DefaultConfig(), name)
		if err != nil {
			t.Fatal(err)
		}
		in.write(name, string(text))
	}
	in.writeConfig("")
	in.write("acquis.yaml", fmt.Sprintf("filenames: [%s]\nlabels: {type: syslog}\n", in.path("logs/*.log")))
	in.write("logs/.keep", "")
	in.write("data/.keep", "")
	return in
}

// writeConfig writes config.yaml with further sections at its end.
func (in *instance) writeConfig(more string) {
	in.t.Helper()
	in.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
crowdsec_service: {acquisition_path: %[1]s/acquis.yaml}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_uri: %[2]s, profiles_path: %[1]s/profiles.yaml, trusted_ips: [127.0.0.1]}
%[3]s`, in.dir, in.address, more))
}

// installContent installs our own items and their data files.
func (in *instance) installContent() {
	in.t.Helper()
	in.copyTree(content.Items(), func(path string) string {
		return filepath.Join(filepath.Dir(filepath.Dir(path)), filepath.Base(path)) // without the author's folder
	})
	in.copyTree(content.Data(), func(path string) string { return filepath.Join("data", path) })
}

func (in *instance) copyTree(from fs.FS, target func(path string) string) {
	in.t.Helper()
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		if err == nil {
			in.write(target(path), string(text))
		}
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
}

func (in *instance) path(relative string) string { return filepath.Join(in.dir, relative) }

func (in *instance) write(relative, text string) {
	in.t.Helper()
	path := in.path(relative)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		in.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
}

// log appends lines to the watched log of sshd and returns when the last byte is written.
func (in *instance) log(lines ...string) time.Time {
	in.t.Helper()
	file, err := os.OpenFile(in.path("logs/auth.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		in.t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // the write is what counts
	if _, err := file.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		in.t.Fatal(err)
	}
	return time.Now()
}

func (in *instance) register() {
	in.t.Helper()
	in.cscli("machines", "add", "--auto", "--force")
}

// cscli runs a command that must succeed and returns its standard output.
func (in *instance) cscli(args ...string) string {
	in.t.Helper()
	cmd := in.command("cscli", append([]string{"-c", in.path("config.yaml")}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		in.t.Fatalf("cscli %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// alert is the part of an alert that the tests look at.
type alert struct {
	Scenario    string `json:"scenario"`
	EventsCount int    `json:"events_count"`
	Source      struct {
		Value string `json:"value"`
	} `json:"source"`
	Decisions []struct {
		Type string `json:"type"`
	} `json:"decisions"`
	Events []alertEvent `json:"events"`
}

type alertEvent struct {
	Meta []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"meta"`
}

func (e alertEvent) meta(key string) string {
	for _, item := range e.Meta {
		if item.Key == key {
			return item.Value
		}
	}
	return ""
}

func (in *instance) alerts() []alert {
	in.t.Helper()
	var alerts []alert
	if err := json.Unmarshal([]byte(in.cscli("alerts", "list", "-o", "json", "--limit", "0")), &alerts); err != nil {
		in.t.Fatal(err)
	}
	return alerts
}

func (in *instance) command(name string, args ...string) *exec.Cmd {
	line := slices.Concat(in.wrapper, []string{program(name)}, args)
	if in.namespace != "" {
		line = slices.Concat([]string{"ip", "netns", "exec", in.namespace}, line)
	}
	cmd := exec.CommandContext(context.WithoutCancel(in.t.Context()), line[0], line[1:]...)
	cmd.Env = append(os.Environ(), in.env...)
	return cmd
}

// process is a program that runs until it is told to stop.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	logs string
	done chan struct{}
}

// start runs a program in the background; what it prints is shown when the test fails.
func (in *instance) start(name string, args ...string) *process {
	in.t.Helper()
	logs, err := os.CreateTemp(in.dir, name+"-*.out")
	if err != nil {
		in.t.Fatal(err)
	}
	cmd := in.command(name, args...)
	cmd.Stdout, cmd.Stderr = logs, logs
	if err := cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	p := &process{t: in.t, cmd: cmd, logs: logs.Name(), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait()
		_ = logs.Close()
	}()
	in.t.Cleanup(func() {
		p.stop()
		if in.t.Failed() {
			text, _ := os.ReadFile(p.logs)
			in.t.Logf("%s printed:\n%s", name, text)
		}
	})
	return p
}

// startEngine starts crowdsec and waits until it is ready.
func (in *instance) startEngine(args ...string) *process {
	in.t.Helper()
	p := in.start("crowdsec", append([]string{"-c", in.path("config.yaml")}, args...)...)
	p.await("crowdsec is ready")
	return p
}

// await waits until the program has printed text.
func (p *process) await(text string) {
	p.t.Helper()
	p.awaitTimes(1, text)
}

// awaitTimes waits until the program has printed text so many times.
func (p *process) awaitTimes(times int, text string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s prints %q", filepath.Base(p.cmd.Path), text), func() bool {
		printed, err := os.ReadFile(p.logs)
		return err == nil && bytes.Count(printed, []byte(text)) >= times
	})
}

func (p *process) stop() { p.end(syscall.SIGTERM) }

func (p *process) kill() { p.end(syscall.SIGKILL) }

func (p *process) end(signal syscall.Signal) {
	p.t.Helper()
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
		p.t.Errorf("%s did not end within %v of signal %v", filepath.Base(p.cmd.Path), patience, signal)
	}
}

// eventually polls until what must happen has happened.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // only its number was wanted
	return listener.Addr().String()
}

// bruteForce is six failed logins, one more than anybody is allowed.
func bruteForce(address string) []string {
	lines := make([]string, 0, 6)
	for i := range 6 {
		lines = append(lines, fmt.Sprintf("%s server sshd[%d]: Failed password for invalid user admin from %s port %d ssh2",
			time.Now().Format(time.Stamp), 4000+i, address, 40000+i))
	}
	return lines
}

func (p *process) reload() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}
