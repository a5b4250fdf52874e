package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// traffic is one numbered packet a millisecond from the attacker to the server, and who of them arrived.
type traffic struct {
	stop chan struct{}
	ends sync.WaitGroup

	mu      sync.Mutex
	sent    []time.Time // by number
	arrived map[uint64]bool
}

func (n network) startTraffic(t *testing.T) *traffic {
	t.Helper()
	var receiver, sender net.Conn
	var listener net.PacketConn
	n.server.in(t, func() (err error) {
		listener, err = net.ListenPacket("udp4", n.server.address+":9999")
		return err
	})
	n.attacker.in(t, func() (err error) {
		sender, err = net.Dial("udp4", n.server.address+":9999")
		return err
	})
	receiver, ok := listener.(net.Conn)
	if !ok {
		t.Fatal("a UDP listener is not a connection")
	}
	tr := &traffic{stop: make(chan struct{}), arrived: map[uint64]bool{}}
	tr.ends.Go(func() { tr.send(sender) })
	tr.ends.Go(func() { tr.receive(receiver) })
	t.Cleanup(func() {
		close(tr.stop)
		_ = listener.Close()
		tr.ends.Wait()
		_ = sender.Close()
	})
	return tr
}

func (tr *traffic) send(conn net.Conn) {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	var packet [8]byte
	for {
		select {
		case <-tr.stop:
			return
		case <-ticker.C:
			tr.mu.Lock()
			binary.BigEndian.PutUint64(packet[:], uint64(len(tr.sent)))
			tr.sent = append(tr.sent, time.Now())
			tr.mu.Unlock()
			_, _ = conn.Write(packet[:]) // an ICMP refusal is an answer too
		}
	}
}

func (tr *traffic) receive(conn net.Conn) {
	var packet [8]byte
	for {
		if _, err := conn.Read(packet[:]); err != nil {
			return
		}
		tr.mu.Lock()
		tr.arrived[binary.BigEndian.Uint64(packet[:])] = true
		tr.mu.Unlock()
	}
}

// settled is how many packets must have been sent since for a packet that is not there to count as lost.
const settled = 50

// passes reports whether the latest packets arrive.
func (tr *traffic) passes() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	last := len(tr.sent) - settled
	return last >= 0 && tr.arrived[uint64(last)]
}

// blocked reports whether none of the latest packets arrived.
func (tr *traffic) blocked() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for i := len(tr.sent) - 2*settled; i < len(tr.sent); i++ {
		if i < 0 || tr.arrived[uint64(i)] {
			return false
		}
	}
	return true
}

// mark returns the number of the next packet.
func (tr *traffic) mark() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.sent)
}

// arrivedSince counts the packets from a mark on that arrived.
func (tr *traffic) arrivedSince(mark int) int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	count := 0
	for i := mark; i < len(tr.sent); i++ {
		if tr.arrived[uint64(i)] {
			count++
		}
	}
	return count
}

// firstLostAfter returns when the first packet that did not arrive was sent.
func (tr *traffic) firstLostAfter(mark int) (time.Time, bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for i := mark; i < len(tr.sent)-settled; i++ {
		if !tr.arrived[uint64(i)] {
			return tr.sent[i], true
		}
	}
	return time.Time{}, false
}
