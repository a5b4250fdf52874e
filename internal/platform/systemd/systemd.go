// Package systemd tells the service manager how a program is doing.
//
// It speaks the datagrams of a service of Type=notify and nothing else. It promises to do nothing where no manager
// waits, and never to keep a program from doing its work: what goes wrong is an error to be logged.
package systemd

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sendTimeout bounds how long a manager that does not read can hold up the program.
const sendTimeout = time.Second

// Manager is the service manager of this process. The zero value is none: telling it does nothing.
type Manager struct {
	socket   string // "": none
	watchdog time.Duration
}

// FromEnv returns the manager that the environment names.
func FromEnv(env func(name string) (string, bool)) Manager {
	socket, _ := env("NOTIFY_SOCKET")
	return Manager{socket: socket, watchdog: watchdog(env)}
}

// watchdog returns how often the manager wants a sign of life, 0 for never.
func watchdog(env func(name string) (string, bool)) time.Duration {
	if pid, set := env("WATCHDOG_PID"); set && pid != strconv.Itoa(os.Getpid()) {
		return 0 // it waits for another process
	}
	text, _ := env("WATCHDOG_USEC")
	microseconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(microseconds) * time.Microsecond
}

// Ready says that the program has started, or that it goes on after a reload.
func (m Manager) Ready(ctx context.Context) error { return m.tell(ctx, "READY=1") }

// Reloading says that a reload has begun. Ready ends it, whether it was successful or not.
func (m Manager) Reloading(ctx context.Context) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	return m.tell(ctx, fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond)))
}

// Stopping says that the program is about to end.
func (m Manager) Stopping(ctx context.Context) error { return m.tell(ctx, "STOPPING=1") }

// Alive is the sign of life that a watchdog waits for.
func (m Manager) Alive(ctx context.Context) error { return m.tell(ctx, "WATCHDOG=1") }

// AliveEvery returns how often Alive should be called, 0 for never: twice as often as the manager asks for.
func (m Manager) AliveEvery() time.Duration { return m.watchdog / 2 }

// tell sends a state. A name of a socket that begins with @ is in the abstract namespace.
func (m Manager) tell(ctx context.Context, state string) error {
	if m.socket == "" {
		return nil
	}
	address := m.socket
	if name, abstract := strings.CutPrefix(address, "@"); abstract {
		address = "\x00" + name
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unixgram", address)
	if err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	return nil
}
