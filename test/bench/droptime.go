package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

const (
	dropSamples = 500
	dropEvery   = 60 * time.Millisecond // 1,000 decisions a minute
	dropLoss    = 3 * time.Millisecond  // a packet over the loopback device that is not there by then was dropped
	dropLate    = 10 * time.Second
)

// drops measures how long it takes from a decision to the first packet that is dropped: a Local API on SQLite with
// 100,000 decisions, and the component with nftables in a namespace. The clock starts when the decision is sent to the
// Local API, so that storing it is part of the time.
func (b *bench) drops(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return nil // the other measurement of the firewall says so
	}
	b.say("from decision to drop, %d decisions", dropSamples)
	var taken []float64
	dir := filepath.Join(b.dir, "drops")
	err := b.withDropSite(ctx, dir, func(s *dropSite) (err error) {
		taken, err = s.measure(ctx)
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(taken)
	atMost := func(limit float64) *target { return &target{Limit: limit, AtMost: true} }
	b.report.add(row{
		Work: "decision to dropped packet, 1,000 a minute among 100,000, p50", Target: atMost(20),
		Ours: single("ms", taken[len(taken)/2]),
	})
	b.report.add(row{Work: "the same, p99", Target: atMost(100), Ours: single("ms", taken[len(taken)*99/100])})
	return nil
}

// dropSite is a Local API, and the component in its namespace.
type dropSite struct {
	api       *api
	client    *localapiclient.Client
	namespace string
	program   *exec.Cmd
	said      transcript
	listener  net.PacketConn // in the namespace
}

func (b *bench) withDropSite(ctx context.Context, dir string, do func(*dropSite) error) (err error) {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing leftovers: %w", err)
	}
	s := &dropSite{namespace: fmt.Sprint(firewallNamespace, "-drops", os.Getpid())}
	if s.api, err = newAPI(ctx, dir, 1); err != nil {
		return err
	}
	socket := s.api.path("api.sock")
	more := fmt.Sprintf("api: {server: {listen_socket: %s}}\n", socket)
	if err := os.WriteFile(s.api.path("config.yaml.local"), []byte(more), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	if err := s.api.fill(ctx, someBans); err != nil {
		return err
	}
	if err := s.api.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.api.stop()) }()
	if err := s.enter(ctx, socket); err != nil {
		return errors.Join(err, s.leave())
	}
	defer func() { err = errors.Join(err, s.leave()) }()
	return do(s)
}

// enter makes the namespace and starts the component there.
func (s *dropSite) enter(ctx context.Context, socket string) error {
	for _, args := range [][]string{{"netns", "add", s.namespace}, {"-n", s.namespace, "link", "set", "lo", "up"}} {
		if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil { //nolint:gosec // our own names
			return fmt.Errorf("making a network namespace: %w: %s", err, out)
		}
	}
	config := s.api.path("firewall.yaml")
	text := fmt.Sprintf("mode: nftables\napi_url: %s\napi_key: %s0\nupdate_frequency: 10s\nlog_level: warning\nstate_dir: %s\n",
		socket, benchKey, s.api.path("state"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	s.program = exec.CommandContext(ctx, "ip", "netns", "exec", s.namespace, "bin/crowdsec-firewall-bouncer", "-c", config) //nolint:gosec // ours
	s.program.Stderr = &s.said
	if err := startOn(s.program, nil); err != nil {
		return err
	}
	var err error
	s.client, err = localapiclient.New(localapiclient.Config{
		URL: localapiclient.URLs{"http://" + s.api.address + "/"}, UserAgent: "bench/1", Login: benchMachine, Password: benchPassword,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return s.inside(func() error {
		s.listener, err = net.ListenPacket("udp4", "127.0.0.1:0") //nolint:noctx // returns at once
		return err
	})
}

func (s *dropSite) leave() error {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.program != nil && s.program.Process != nil {
		_ = s.program.Process.Kill()
		_ = s.program.Wait() // killed
	}
	if out, err := exec.Command("ip", "netns", "delete", s.namespace).CombinedOutput(); err != nil { //nolint:noctx,gosec // also after a stop; our own name
		return fmt.Errorf("removing the network namespace: %w: %s", err, out)
	}
	return nil
}

// inside opens sockets in the namespace; they stay there.
func (s *dropSite) inside(open func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close() //nolint:errcheck // only read
	there, err := os.Open("/run/netns/" + s.namespace)
	if err != nil {
		return err
	}
	defer there.Close() //nolint:errcheck // only read
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering the namespace: %w", err)
	}
	err = open()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread ends with its goroutine, as it stays locked
	}
	runtime.UnlockOSThread()
	return err
}

// measure bans one address after the other and returns, in milliseconds, how long each could still send. The first
// ones, which wait until the component has filled the kernel, do not count.
func (s *dropSite) measure(ctx context.Context) ([]float64, error) {
	if _, err := s.dropped(ctx, 0, firewallPatience); err != nil {
		return nil, err
	}
	taken := make([]float64, 0, dropSamples)
	ticker := time.NewTicker(dropEvery)
	defer ticker.Stop()
	for i := range dropSamples {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
		took, err := s.dropped(ctx, i+1, dropLate)
		if err != nil {
			return nil, err
		}
		taken = append(taken, float64(took.Microseconds())/1000) //nolint:mnd // milliseconds
	}
	if strings.Contains(s.said.String(), "level=error") {
		return nil, fmt.Errorf("the component says %s", s.said.String())
	}
	return taken, nil
}

// dropped bans an address and sends packets in its name until one is lost.
func (s *dropSite) dropped(ctx context.Context, number int, patience time.Duration) (time.Duration, error) {
	attacker := netip.AddrFrom4([4]byte{203, 0, byte(113 + number/250), byte(1 + number%250)}) //nolint:gosec,mnd // small
	sender, err := s.sender(attacker)
	if err != nil {
		return 0, err
	}
	defer sender.Close() //nolint:errcheck // nothing is kept
	stored := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := s.client.PushAlerts(ctx, []wire.Alert{banOf(attacker.String(), number)})
		stored <- err
	}()
	took, err := s.lost(sender, began, patience)
	return took, errors.Join(err, <-stored)
}

// lost sends until a packet does not arrive, and returns when, after began, that one was sent.
func (s *dropSite) lost(sender net.Conn, began time.Time, patience time.Duration) (time.Duration, error) {
	var buffer [1]byte
	for time.Since(began) < patience {
		sent := time.Now()
		if _, err := sender.Write(buffer[:]); err != nil && !errors.Is(err, unix.EPERM) {
			return 0, fmt.Errorf("sending: %w", err)
		}
		if err := s.listener.SetReadDeadline(sent.Add(dropLoss)); err != nil {
			return 0, err
		}
		switch _, _, err := s.listener.ReadFrom(buffer[:]); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return sent.Sub(began), nil
		case err != nil:
			return 0, fmt.Errorf("receiving: %w", err)
		}
	}
	return 0, fmt.Errorf("not dropped within %v: %s", patience, s.said.String())
}

// sender is a socket in the namespace with the address of somebody else.
func (s *dropSite) sender(from netip.Addr) (conn net.Conn, err error) {
	dialer := net.Dialer{
		LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
		Control: func(_, _ string, raw syscall.RawConn) error {
			var refused error
			err := raw.Control(func(descriptor uintptr) {
				refused = unix.SetsockoptInt(int(descriptor), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
			})
			return errors.Join(err, refused)
		},
	}
	err = s.inside(func() error {
		conn, err = dialer.Dial("udp4", s.listener.LocalAddr().String())
		return err
	})
	return conn, err
}

// banOf is an alert with a decision about an address.
func banOf(address string, number int) wire.Alert {
	simulated, now := false, time.Now().UTC().Format(time.RFC3339)
	return wire.Alert{
		Scenario: "bench/drops", Message: "bench", StartAt: now, StopAt: now, EventsCount: 1, Events: []wire.Event{},
		UUID: fmt.Sprintf("0f3a6c1e-7d54-4c55-9d3c-%012d", number), Source: &wire.Source{Scope: "Ip", Value: address, IP: address},
		Decisions: []wire.Decision{{
			Duration: "1h", Origin: "crowdsec", Scenario: "bench/drops", Scope: "Ip", Type: "ban", Value: address, Simulated: &simulated,
		}},
	}
}
