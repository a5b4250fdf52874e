package tutorial

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// service is a unit that was started on a host.
type service struct {
	*process

	notify  *net.UnixConn
	said    chan struct{} // closed when it is ready
	journal string        // what it printed, as seen from here
}

// systemctl does what the command of that name would do. A unit counts as it was at the last daemon-reload.
func (h *host) systemctl(words []string) error {
	words = slices.DeleteFunc(words, func(word string) bool { return word == "--now" || word == "enable" })
	if len(words) == 0 {
		return errors.New("systemctl: what?")
	}
	verb, names := words[0], words[1:]
	if verb == "daemon-reload" {
		clear(h.units)
		return nil
	}
	if !slices.Contains([]string{"start", "stop", "restart", "reload"}, verb) { // enable --now NAME
		verb, names = "start", words
	}
	for _, name := range names {
		if err := h.control(verb, strings.TrimSuffix(name, ".service")); err != nil {
			return fmt.Errorf("systemctl %s %s: %w", verb, name, err)
		}
	}
	return nil
}

func (h *host) control(verb, name string) error {
	if verb == "reload" {
		return h.reload(name)
	}
	if verb != "start" {
		if err := h.stop(name); err != nil {
			return err
		}
	}
	if verb == "stop" || h.services[name] != nil {
		return nil
	}
	return h.start(name)
}

// unit returns what the file of a service said when it was last read. The administrator's file wins.
func (h *host) unit(name string) (unit, error) {
	if known, ok := h.units[name]; ok {
		return known, nil
	}
	for _, folder := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/"} {
		text, err := os.ReadFile(h.path(folder + name + ".service"))
		if err == nil {
			h.units[name] = parseUnit(string(text))
			return h.units[name], nil
		}
	}
	return unit{}, fmt.Errorf("unit %s.service not found", name)
}

func (h *host) start(name string) error {
	u, err := h.unit(name)
	if err != nil {
		return err
	}
	for _, folder := range u.folders {
		if err := os.MkdirAll(h.path(folder), 0o700); err != nil {
			return err
		}
	}
	if err := h.all(u, u.before, 0); err != nil {
		return err
	}
	s, err := h.launch(name, u)
	if err != nil {
		return err
	}
	h.services[name] = s
	if u.kind == "notify" {
		if err := s.ready(); err != nil {
			return fmt.Errorf("%w: %s", err, s.printed())
		}
	}
	return h.all(u, u.after, s.cmd.Process.Pid)
}

// launch starts the main process of a service.
func (h *host) launch(name string, u unit) (*service, error) {
	socket := "/run/systemd/notify-" + name
	_ = os.Remove(h.path(socket)) // of the last start
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: h.path(socket), Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	journal, err := os.Create(h.path("/run/systemd/journal-" + name))
	if err != nil {
		return nil, errors.Join(err, notify.Close())
	}
	defer journal.Close() //nolint:errcheck // the process has its own
	cmd := h.serviceCommand(u, u.start)
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+socket)
	cmd.Stdout, cmd.Stderr = journal, journal
	p, err := h.spawn(cmd)
	if err != nil {
		return nil, errors.Join(err, notify.Close())
	}
	s := &service{process: p, notify: notify, said: make(chan struct{}), journal: journal.Name()}
	go s.listen()
	return s, nil
}

// serviceCommand is a command of a unit, in the surroundings that the unit asks for.
func (h *host) serviceCommand(u unit, words []string) *exec.Cmd {
	if u.privateTmp {
		words = append([]string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /tmp && exec "$@"`, "sh"}, words...)
	}
	cmd := h.command(words...)
	cmd.Env = append(cmd.Env, u.environment...)
	return cmd
}

// all runs the commands of a unit one after the other. The main process has the given number.
func (h *host) all(u unit, commands [][]string, mainPID int) error {
	for _, words := range commands {
		words = slices.Clone(words)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "$MAINPID", strconv.Itoa(mainPID))
		}
		var printed bytes.Buffer
		cmd := h.serviceCommand(u, words)
		cmd.Stdout, cmd.Stderr = &printed, &printed
		p, err := h.spawn(cmd)
		if err != nil {
			return err
		}
		if <-p.ended; p.err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), p.err, &printed)
		}
	}
	return nil
}

// ready waits until the process says that it is.
func (s *service) ready() error {
	select {
	case <-s.said:
		return nil
	case <-s.ended:
		return fmt.Errorf("the process has ended: %w", s.err)
	case <-time.After(patience):
		return errors.New("the process does not say that it is ready")
	}
}

// listen hears what the process tells its manager, until it ends.
func (s *service) listen() {
	go func() {
		<-s.ended
		_ = s.notify.Close()
	}()
	buffer := make([]byte, 4096)
	for ready := false; ; {
		n, err := s.notify.Read(buffer)
		if err != nil {
			return
		}
		if !ready && slices.Contains(strings.Split(string(buffer[:n]), "\n"), "READY=1") {
			ready = true
			close(s.said)
		}
	}
}

func (h *host) stop(name string) error {
	s := h.services[name]
	if s == nil {
		return nil
	}
	delete(h.services, name)
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.kill()
		return fmt.Errorf("it does not end: %s", s.printed())
	}
	return nil
}

func (h *host) reload(name string) error {
	s := h.services[name]
	if s == nil {
		return errors.New("it is not running")
	}
	u, err := h.unit(name)
	if err != nil {
		return err
	}
	return h.all(u, u.reload, s.cmd.Process.Pid)
}

// alive returns an error that names the services that should run and do not.
func (h *host) alive() error {
	var dead []error
	for name, s := range h.services {
		select {
		case <-s.ended:
			dead = append(dead, fmt.Errorf("%s: %s has ended: %w: %s", h.name, name, s.err, s.printed()))
		default:
		}
	}
	return errors.Join(dead...)
}

func (s *service) printed() string {
	text, err := os.ReadFile(s.journal)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
