package tutorial

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// traffic is one numbered packet every other millisecond from outside to a host, and which of them arrived.
type traffic struct {
	stop chan struct{}
	ends sync.WaitGroup

	mu   sync.Mutex
	sent []time.Time // by number
	last int         // number of the last that arrived, -1 for none
}

func (s *site) startTraffic(to *host) *traffic {
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
	tr := &traffic{stop: make(chan struct{}), last: -1}
	tr.ends.Go(func() { tr.send(sender) })
	tr.ends.Go(func() { tr.receive(listener) })
	s.t.Cleanup(func() {
		close(tr.stop)
		_ = listener.Close()
		tr.ends.Wait()
		_ = sender.Close()
	})
	return tr
}

func (tr *traffic) send(conn net.Conn) {
	ticker := time.NewTicker(2 * time.Millisecond)
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

func (tr *traffic) receive(conn *net.UDPConn) {
	var packet [8]byte
	for {
		if _, err := conn.Read(packet[:]); err != nil {
			return
		}
		tr.mu.Lock()
		tr.last = max(tr.last, int(binary.BigEndian.Uint64(packet[:])))
		tr.mu.Unlock()
	}
}

// unanswered is how many packets in a row must be lost for it not to be by chance.
const unanswered = 100

// passes returns an error unless the latest packets arrive.
func (tr *traffic) passes() error {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.last < 0 || len(tr.sent)-tr.last > unanswered {
		return fmt.Errorf("of %d packets number %d was the last to arrive", len(tr.sent), tr.last)
	}
	return nil
}

// dropped returns an error as long as packets arrive, and then when the first one did not.
func (tr *traffic) dropped() (time.Time, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.sent)-tr.last <= unanswered {
		return time.Time{}, fmt.Errorf("of %d packets number %d has arrived", len(tr.sent), tr.last)
	}
	return tr.sent[tr.last+1], nil
}

// expectDrop logs an attack from outside on one host, and expects that its packets no longer pass where a firewall
// component runs.
func (s *site) expectDrop(attacked string, guarded ...string) {
	s.t.Helper()
	packets := map[string]*traffic{}
	for _, name := range guarded {
		packets[name] = s.startTraffic(s.hosts[name])
		eventually(s.t, "packets to "+name, packets[name].passes)
	}
	s.hosts[attacked].log("/var/log/auth.log", bruteForce(outsideAddress))
	logged := time.Now()
	for _, name := range guarded {
		eventually(s.t, "an end of packets to "+name, func() error {
			first, err := packets[name].dropped()
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

func TestDropIsSeen(t *testing.T) {
	t.Parallel()
	tr := &traffic{last: 10, sent: make([]time.Time, 12)}
	if _, err := tr.dropped(); err == nil || tr.passes() != nil {
		t.Error("one packet on its way counts as dropped")
	}
	tr.sent = append(tr.sent, make([]time.Time, unanswered)...)
	tr.sent[11] = time.Unix(1, 0)
	if first, err := tr.dropped(); err != nil || !first.Equal(time.Unix(1, 0)) || tr.passes() == nil {
		t.Errorf("got %v, %v", first, err)
	}
}
