package tutorial

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"shieldwall/internal/platform/logging/logtest"
	"shieldwall/internal/remediation/backendtest"
)

// host is a machine: a network namespace, a host name, and a copy-on-write view of this computer's files with the
// packages of this project in it.
type host struct {
	t        *testing.T
	name     string
	address  string
	network  *backendtest.Namespace
	pid      int    // of the process that holds files and name
	root     string // where its files are seen from here
	services map[string]*service
	units    map[string]unit // as they were when the service manager last read them
}

// boot makes the view and waits. Everything that it mounts is its own and ends with it. The programs are not copied.
const boot = `
hostname "$3"
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
cp -a "$2/installed/." "$1/upper"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount --rbind /proc proc
mount --rbind /dev dev
mount -t sysfs sysfs sys
for program in "$2"/programs/*; do
	touch "usr/bin/${program##*/}"
	mount --bind "$program" "usr/bin/${program##*/}"
done
mkdir -p var/lib/mysql
for empty in run tmp root var/log var/lib/mysql; do mount -t tmpfs -o mode=755 tmpfs "$empty"; done
chmod 1777 tmp
printf '#!/bin/sh\nexec "$@"\n' >usr/local/bin/sudo # for somebody who is root already
chmod 755 usr/local/bin/sudo
mkdir run/lock run/systemd run/mysqld
exec chroot . sh -c 'echo up; exec sleep infinity'
`

func newHost(t *testing.T, name, address string) *host {
	t.Helper()
	h := &host{
		t: t, name: name, address: address, network: backendtest.NewNamespace(t),
		services: map[string]*service{}, units: map[string]unit{},
	}
	var said logtest.Buffer
	init := exec.Command("unshare", "--mount", "--uts", "--propagation", "private", "sh", "-euc", boot, "sh", t.TempDir(), packages, name)
	init.Stdout, init.Stderr = &said, &said
	p, err := h.spawn(init)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	t.Cleanup(h.halt)
	eventually(t, name+" to boot", func() error {
		select {
		case <-p.ended:
			t.Fatalf("booting %s: %v: %s", name, p.err, said.String())
		default:
		}
		if said.String() != "up\n" {
			return errors.New(said.String())
		}
		return nil
	})
	h.pid, h.root = init.Process.Pid, fmt.Sprintf("/proc/%d/root", init.Process.Pid)
	h.write("/etc/machine-id", fmt.Sprintf("%032x\n", address), 0o444)
	h.write("/var/lib/dbus/machine-id", fmt.Sprintf("%032x\n", address), 0o444)
	h.write("/var/log/auth.log", "", 0o640)
	return h
}

// process is a running program.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has, and err is set
	err   error
}

// spawn starts a program in the network of the host. It dies with this process, whatever happens: the kernel ends it with
// the thread that started it, which lasts as long as it does.
func (h *host) spawn(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.ended)
		p.err = h.network.Do(func() error {
			err := cmd.Start()
			started <- err
			if err != nil {
				return err
			}
			return cmd.Wait()
		})
		select {
		case started <- p.err: // it was not even tried
		default:
		}
	}()
	return p, <-started
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// halt ends what runs on the host, without waiting for anybody's last words.
func (h *host) halt() {
	for _, s := range h.services {
		s.kill()
	}
}

// command is a program that runs on the host.
func (h *host) command(words ...string) *exec.Cmd {
	enter := []string{"--target", fmt.Sprint(h.pid), "--mount", "--uts", "--root", "--wd", "--"}
	cmd := exec.Command("nsenter", append(enter, words...)...)
	cmd.Env = []string{
		"HOME=/root", "USER=root", "LANG=C.UTF-8", "TERM=dumb",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	return cmd
}

// run runs what somebody types, in his home directory, and returns all that he sees.
func (h *host) run(typed, input string) (string, error) {
	var seen bytes.Buffer
	cmd := h.command("bash", "-o", "pipefail", "-c", "cd; "+typed)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &seen, &seen
	p, err := h.spawn(cmd)
	if err != nil {
		return "", err
	}
	<-p.ended
	return seen.String(), p.err
}

// must runs what has to work.
func (h *host) must(typed string) string {
	h.t.Helper()
	seen, err := h.run(typed, "")
	if err != nil {
		h.t.Fatalf("%s$ %s\n%s%v", h.name, typed, seen, err)
	}
	return seen
}

// path returns where a file of the host is seen from here.
func (h *host) path(absolute string) string { return filepath.Join(h.root, absolute) }

func (h *host) read(path string) string {
	h.t.Helper()
	text, err := os.ReadFile(h.path(path))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// write makes a file; one that is there keeps its mode.
func (h *host) write(path, text string, mode fs.FileMode) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(path)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(path), []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

// log appends to a log of the host.
func (h *host) log(path string, lines []string) {
	h.t.Helper()
	file, err := os.OpenFile(h.path(path), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // the write is what counts
	if _, err := file.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		h.t.Fatal(err)
	}
}
