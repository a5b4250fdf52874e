// Package packets sends numbered packets along a way that something may cut, and says which arrived and since when none does.
// It knows nothing of hosts and namespaces: who uses it opens the sockets.
package packets

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

// unanswered is how many packets in a row must be lost for it not to be by chance.
const unanswered = 100

// Flow is packets that follow each other, and which of them arrived. It is safe for concurrent use.
type Flow struct {
	from, to net.Conn
	stop     chan struct{}
	ends     sync.WaitGroup

	mu      sync.Mutex // guards all below
	sent    []time.Time
	arrived []bool // as long as sent
	last    int    // number of the last that arrived, -1 for none
}

// Start sends a packet in each interval from one socket, and takes them in at the other. Both belong to the flow, until Stop.
func Start(from, to net.Conn, interval time.Duration) *Flow {
	f := &Flow{from: from, to: to, stop: make(chan struct{}), last: -1}
	f.ends.Go(func() { f.send(interval) })
	f.ends.Go(f.receive)
	return f
}

// Stop ends the flow and closes its sockets.
func (f *Flow) Stop() {
	close(f.stop)
	_ = f.to.Close()
	f.ends.Wait()
	_ = f.from.Close()
}

// Sent returns how many packets were sent, which is the number of the next one.
func (f *Flow) Sent() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

// Passes returns an error unless the latest packets arrive.
func (f *Flow) Passes() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last < 0 || len(f.sent)-f.last > unanswered {
		return fmt.Errorf("of %d packets number %d was the last to arrive", len(f.sent), f.last)
	}
	return nil
}

// Dropped returns an error as long as packets arrive, and then when the first one was sent that did not.
func (f *Flow) Dropped() (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sent)-f.last <= unanswered {
		return time.Time{}, fmt.Errorf("of %d packets number %d has arrived", len(f.sent), f.last)
	}
	return f.sent[f.last+1], nil
}

// ArrivedSince counts the packets that arrived, from a number on.
func (f *Flow) ArrivedSince(number int) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, arrived := range f.arrived[number:] {
		if arrived {
			count++
		}
	}
	return count
}

func (f *Flow) send(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var packet [8]byte
	for {
		select {
		case <-f.stop:
			return
		case <-ticker.C:
			binary.BigEndian.PutUint64(packet[:], f.next())
			_, _ = f.from.Write(packet[:]) // an ICMP refusal is an answer too
		}
	}
}

// next notes that a packet is sent now, and returns its number.
func (f *Flow) next() (number uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	number = uint64(len(f.sent))
	f.sent, f.arrived = append(f.sent, time.Now()), append(f.arrived, false)
	return number
}

func (f *Flow) receive() {
	var packet [8]byte
	for {
		if _, err := f.to.Read(packet[:]); err != nil {
			return
		}
		f.note(binary.BigEndian.Uint64(packet[:]))
	}
}

// note takes down that a packet arrived. Others may send to the socket, too.
func (f *Flow) note(number uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if number < uint64(len(f.arrived)) {
		f.arrived[number] = true
		f.last = max(f.last, int(number)) //nolint:gosec // less than the length of a list
	}
}
