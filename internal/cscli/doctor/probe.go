package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// probeWait is how long a packet may take over the loopback device.
const probeWait = 500 * time.Millisecond

// probe sends packets from this machine to itself, over the loopback device, that pretend to come from somebody else.
type probe struct {
	from     netip.Addr
	listener net.PacketConn
}

// openProbe returns a probe whose packets arrive; nil when they do not, or cannot be sent.
func openProbe(ctx context.Context, from netip.Addr) *probe {
	network, host := "udp4", "127.0.0.1:0"
	if from.Is6() {
		network, host = "udp6", "[::1]:0"
	}
	var config net.ListenConfig
	listener, err := config.ListenPacket(ctx, network, host)
	if err != nil {
		return nil
	}
	p := &probe{from: from, listener: listener}
	if passed, err := p.passes(ctx); err != nil || !passed {
		p.close()
		return nil
	}
	return p
}

// close frees the port; a nil probe has none.
func (p *probe) close() {
	if p != nil {
		_ = p.listener.Close()
	}
}

// passes sends a packet and reports whether it arrives. Each has a port of its own: to the kernel it is a stranger's.
func (p *probe) passes(ctx context.Context) (bool, error) {
	sender := net.Dialer{
		LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.from, 0)),
		Control:   p.disguise,
	}
	conn, err := sender.DialContext(ctx, p.listener.LocalAddr().Network(), p.listener.LocalAddr().String())
	if err != nil {
		return false, err
	}
	defer conn.Close() //nolint:errcheck // nothing is kept
	if _, err := conn.Write([]byte("shieldwall-doctor")); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ECONNREFUSED) {
		return false, err
	}
	return p.arrives(conn.LocalAddr().String())
}

// disguise lets the socket have an address that this machine does not have.
func (p *probe) disguise(_, _ string, raw syscall.RawConn) error {
	level, option := unix.SOL_IP, unix.IP_TRANSPARENT
	if p.from.Is6() {
		level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
	}
	var refused error
	err := raw.Control(func(descriptor uintptr) {
		refused = unix.SetsockoptInt(int(descriptor), level, option, 1)
	})
	return errors.Join(err, refused)
}

// arrives waits for a packet of a sender; others are of no interest.
func (p *probe) arrives(sender string) (bool, error) {
	if err := p.listener.SetReadDeadline(time.Now().Add(probeWait)); err != nil {
		return false, err
	}
	var buffer [64]byte
	for {
		_, from, err := p.listener.ReadFrom(buffer[:])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, nil
		case err != nil:
			return false, err
		case from.String() == sender:
			return true, nil
		}
	}
}
