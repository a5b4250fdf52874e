package backendtest

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Networks behind the outside of a Lab. It can send from all IPv4 addresses, and from the IPv6 addresses
// that are listed.
const (
	outsideIPv4 = "198.51.100.0/24"
	outsideIPv6 = "2001:db8:1::/48"
)

const (
	answerTimeout = 200 * time.Millisecond
	questions     = 3 // at once, in case one is lost
)

// Lab is a firewall under test and the outside, each in its namespace.
type Lab struct {
	Firewall, Outside *Namespace

	servers map[bool]netip.AddrPort // by: is IPv6
	arrived arrivals
}

// arrivals counts packets by their source.
type arrivals struct {
	mu       sync.Mutex // guards the others
	count    map[netip.Addr]int
	bySocket map[netip.AddrPort]int
}

func (a *arrivals) add(source netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count[source.Addr()]++
	a.bySocket[source]++
}

func (a *arrivals) ofSocket(source netip.AddrPort) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bySocket[source]
}

func (a *arrivals) of(source netip.Addr) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count[source]
}

// NewLab builds a Lab that ends with the test. Behind the firewall a server echoes UDP packets, which works
// when NewLab returns.
func NewLab(t *testing.T) *Lab {
	t.Helper()
	lab := &Lab{
		Firewall: NewNamespace(t), Outside: NewNamespace(t),
		servers: map[bool]netip.AddrPort{}, arrived: arrivals{count: map[netip.Addr]int{}, bySocket: map[netip.AddrPort]int{}},
	}
	lab.Outside.run(t, []*os.File{lab.Firewall.file},
		"ip", "link", "add", "tothefw", "type", "veth", "peer", "name", "outside", "netns", "/proc/self/fd/3")
	for _, command := range [][]string{
		{"addr", "add", "192.0.2.2/24", "dev", "tothefw"},
		{"addr", "add", "2001:db8::2/64", "dev", "tothefw", "nodad"},
		{"link", "set", "tothefw", "up"},
		{"route", "add", "local", outsideIPv4, "dev", "lo"},
		{"addr", "add", attacker6 + "/128", "dev", "lo", "nodad"},
		{"addr", "add", neighbour6 + "/128", "dev", "lo", "nodad"},
		{"-6", "route", "add", "default", "via", "2001:db8::1"},
	} {
		lab.Outside.Run(t, "ip", command...)
	}
	for _, command := range [][]string{
		{"addr", "add", "192.0.2.1/24", "dev", "outside"},
		{"addr", "add", "2001:db8::1/64", "dev", "outside", "nodad"},
		{"link", "set", "outside", "up"},
		{"route", "add", outsideIPv4, "via", "192.0.2.2"},
		{"-6", "route", "add", outsideIPv6, "via", "2001:db8::2"},
	} {
		lab.Firewall.Run(t, "ip", command...)
	}
	lab.serve(t, netip.MustParseAddr("192.0.2.1"))
	lab.serve(t, netip.MustParseAddr("2001:db8::1"))
	for _, address := range []string{attacker, attacker6} {
		eventually(t, "the cable works", func() bool { return lab.Ask(t, address) == Echo })
	}
	return lab
}

func (l *Lab) serve(t *testing.T, address netip.Addr) {
	t.Helper()
	var server *net.UDPConn
	err := l.Firewall.Do(func() error {
		var err error
		server, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.servers[address.Is6()] = server.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:errcheck,forcetypeassert // of UDP
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		l.echo(server)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-finished
	})
}

func (l *Lab) echo(server *net.UDPConn) {
	buffer := make([]byte, 16)
	for {
		n, from, err := server.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		l.arrived.add(from)
		_, _ = server.WriteToUDPAddrPort(buffer[:n], from)
	}
}

// Answer is what comes back to an address outside.
type Answer string

// The answers.
const (
	Echo    Answer = "echo"
	Silence Answer = "silence"
	Refusal Answer = "refusal" // ICMP says that it is prohibited, or that nobody is there
)

// Ask sends packets from an address outside and returns what comes back first. When that is an echo it waits for the
// others too: packets that arrive later would be taken for those of the next question.
func (l *Lab) Ask(t *testing.T, from string) Answer {
	t.Helper()
	address := netip.MustParseAddr(from)
	conn := l.dial(t, address)
	defer func() { _ = conn.Close() }()
	socket := netip.MustParseAddrPort(conn.LocalAddr().String())
	before := l.arrived.ofSocket(socket)
	for range questions {
		if _, err := conn.Write([]byte("?")); err != nil && !isRefusal(err) {
			t.Fatal(err)
		} else if err != nil {
			return Refusal
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		t.Fatal(err)
	}
	switch _, err := conn.Read(make([]byte, 1)); {
	case err == nil || l.arrived.ofSocket(socket) != before:
		for range questions - 1 {
			_, _ = conn.Read(make([]byte, 1)) // or the deadline passes
		}
		return Echo
	case isRefusal(err):
		return Refusal
	}
	return Silence
}

func isRefusal(err error) bool {
	return errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ECONNREFUSED)
}

func (l *Lab) dial(t *testing.T, from netip.Addr) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	err := l.Outside.Do(func() error {
		var err error
		conn, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
			net.UDPAddrFromAddrPort(l.servers[from.Is6()]))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// Flood sends packets from all addresses as fast as it can until stop is called.
func (l *Lab) Flood(t *testing.T, from ...netip.Addr) (stop func()) {
	t.Helper()
	done, finished := make(chan struct{}), make(chan struct{})
	var conns []*net.UDPConn
	for _, address := range from {
		conns = append(conns, l.dial(t, address))
	}
	go func() {
		defer close(finished)
		for {
			for _, conn := range conns {
				select {
				case <-done:
					return
				default:
					_, _ = conn.Write([]byte("!"))
				}
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-finished
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
}

// Arrived returns how many packets from an address have reached the server.
func (l *Lab) Arrived(from netip.Addr) int { return l.arrived.of(from) }
