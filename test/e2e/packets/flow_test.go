package packets

import (
	"net"
	"testing"
	"time"
)

func TestDropIsSeen(t *testing.T) {
	t.Parallel()
	f := Flow{last: -1}
	if _, err := f.Dropped(); err == nil || f.Passes() == nil {
		t.Error("nothing was sent, and that is known to pass, or not to")
	}
	for range 12 {
		f.next()
	}
	for _, number := range []uint64{3, 10, 9, 1 << 40} {
		f.note(number)
	}
	if _, err := f.Dropped(); err == nil || f.Passes() != nil {
		t.Error("one packet on its way counts as dropped")
	}
	for range unanswered {
		f.next()
	}
	f.sent[11] = time.Unix(1, 0)
	if first, err := f.Dropped(); err != nil || !first.Equal(time.Unix(1, 0)) || f.Passes() == nil {
		t.Errorf("got %v, %v", first, err)
	}
	if f.ArrivedSince(0) != 3 || f.ArrivedSince(10) != 1 || f.ArrivedSince(f.Sent()) != 0 {
		t.Errorf("%d arrived, %d since number 10", f.ArrivedSince(0), f.ArrivedSince(10))
	}
}

func TestFlowUntilNobodyListens(t *testing.T) {
	t.Parallel()
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	from, err := net.Dial("udp4", to.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	f := Start(from, to, time.Millisecond)
	defer f.Stop()
	await(t, f.Passes)
	_ = to.Close()
	await(t, func() error {
		_, err := f.Dropped()
		return err
	})
}

func await(t *testing.T, happened func() error) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(30 * time.Second)
	for err := happened(); err != nil; err = happened() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}
