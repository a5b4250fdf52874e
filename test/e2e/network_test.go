package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shieldwall/test/e2e/packets"
)

// network is two hosts and a cable between them.
type network struct {
	attacker, server host
}

// host is a network namespace with one address.
type host struct {
	namespace, device, address string
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: network namespaces and nftables")
	}
}

func newNetwork(t *testing.T) network {
	t.Helper()
	needsRoot(t)
	id := fmt.Sprint(os.Getpid())
	n := network{
		attacker: host{"sw-attacker-" + id, "sw-a" + id, "192.0.2.66"},
		server:   host{"sw-server-" + id, "sw-s" + id, "192.0.2.1"},
	}
	for _, h := range []host{n.attacker, n.server} {
		ip(t, "netns", "add", h.namespace)
		t.Cleanup(func() { ip(t, "netns", "delete", h.namespace) })
	}
	ip(t, "link", "add", n.attacker.device, "netns", n.attacker.namespace, "type", "veth",
		"peer", "name", n.server.device, "netns", n.server.namespace)
	for _, h := range []host{n.attacker, n.server} {
		ip(t, "-n", h.namespace, "address", "add", h.address+"/24", "dev", h.device)
		ip(t, "-n", h.namespace, "link", "set", h.device, "up")
		ip(t, "-n", h.namespace, "link", "set", "lo", "up")
	}
	return n
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// in opens a socket inside the host's namespace; a socket stays where it was opened.
func (h host) in(t *testing.T, open func() error) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close() //nolint:errcheck // only read
	there, err := os.Open("/run/netns/" + h.namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close() //nolint:errcheck // only read
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	openErr := open()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		panic(err) // this thread must not be used again
	}
	if openErr != nil {
		t.Fatal(openErr)
	}
}

// startFlow sends a packet a millisecond from the attacker to the server.
func (n network) startFlow(t *testing.T) *packets.Flow {
	t.Helper()
	var (
		listener *net.UDPConn
		sender   net.Conn
	)
	n.server.in(t, func() (err error) {
		listener, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(n.server.address)})
		return err
	})
	n.attacker.in(t, func() (err error) {
		sender, err = net.Dial("udp4", listener.LocalAddr().String())
		return err
	})
	flow := packets.Start(sender, listener, time.Millisecond)
	t.Cleanup(flow.Stop)
	return flow
}

func passing(flow *packets.Flow) func() bool {
	return func() bool { return flow.Passes() == nil }
}

func blocked(flow *packets.Flow) func() bool {
	return func() bool {
		_, err := flow.Dropped()
		return err == nil
	}
}
