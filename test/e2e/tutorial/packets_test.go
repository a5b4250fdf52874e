package tutorial

import (
	"fmt"
	"net"
	"time"

	"shieldwall/test/e2e/packets"
)

// startFlow sends a packet every other millisecond from outside to a host.
func (s *site) startFlow(to *host) *packets.Flow {
	s.t.Helper()
	var (
		listener *net.UDPConn
		sender   net.Conn
	)
	err := to.network.Do(func() (err error) {
		listener, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(to.address)})
		return err
	})
	if err == nil {
		err = s.hosts[outside].network.Do(func() (err error) {
			sender, err = net.Dial("udp4", listener.LocalAddr().String())
			return err
		})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	flow := packets.Start(sender, listener, 2*time.Millisecond)
	s.t.Cleanup(flow.Stop)
	return flow
}

// expectDrop logs an attack from outside on one host, and expects that its packets no longer pass where a firewall
// component runs.
func (s *site) expectDrop(attacked string, guarded ...string) {
	s.t.Helper()
	flows := map[string]*packets.Flow{}
	for _, name := range guarded {
		flows[name] = s.startFlow(s.hosts[name])
		eventually(s.t, "packets to "+name, flows[name].Passes)
	}
	s.hosts[attacked].log("/var/log/auth.log", bruteForce(outsideAddress))
	logged := time.Now()
	for _, name := range guarded {
		eventually(s.t, "an end of packets to "+name, func() error {
			first, err := flows[name].Dropped()
			if err == nil {
				s.t.Logf("measured: %s: %v from the last line of the attack on %s to the first packet that %s dropped", s.t.Name(),
					first.Sub(logged).Round(time.Millisecond), attacked, name)
			}
			return err
		})
	}
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
