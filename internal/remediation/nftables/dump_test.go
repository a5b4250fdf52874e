package nftables

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"shieldwall/internal/remediation"
)

// datagram is how the kernel would send messages.
func datagram(t rapid.TB, messages ...netlink.Message) []byte {
	t.Helper()
	var sent []byte
	for _, m := range messages {
		m.Header.Length = uint32(align(messageHeader + len(m.Data)))
		encoded, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, encoded...)
	}
	return sent
}

var (
	testTable = table{name: "crowdsec", family: byte(nftables.TableFamilyIPv4)}
	done      = netlink.Message{Header: netlink.Header{Type: netlink.Done}, Data: []byte{0, 0, 0, 0}}
)

// What is written in the kernel's format is read from it.
func TestElementsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) point {
			key := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "key")
			if rapid.Bool().Draw(t, "end") {
				return point{key: key, end: true}
			}
			return point{key: key, timeout: time.Hour}
		}), 0, 50, func(p point) string { return string(p.key) }).Draw(t, "points")
		d := newDumping(remediation.Set{Ranges: true}, time.Now())
		if err := d.messages(datagram(t, elementList(testTable, unix.NFT_MSG_NEWSETELEM, 0, "set", points), done)); err != nil {
			t.Fatal(err)
		}
		if !d.done || len(d.elements) != len(points) {
			t.Fatalf("read %v, done %t", d.elements, d.done)
		}
		for i, p := range points {
			key, _ := netip.AddrFromSlice(p.key)
			if got, want := d.elements[i], (dumped{key: key, end: p.end, mortal: !p.end, at: d.now}); got != want {
				t.Fatalf("read %+v, want %+v", got, want)
			}
		}
	})
}

func TestAnswersThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	once := []point{{key: []byte{192, 0, 2, 1}, timeout: time.Hour}}
	list := elementList(testTable, unix.NFT_MSG_NEWSETELEM, 0, "set", once)
	interrupted := list
	interrupted.Header.Flags |= unix.NLM_F_DUMP_INTR
	refused := netlink.Message{Header: netlink.Header{Type: netlink.Error}, Data: []byte{0xff, 0xff, 0xff, 0xff}}
	for name, answer := range map[string][]byte{
		"an element twice": datagram(t, list, list, done),
		"interrupted":      datagram(t, interrupted, done),
		"refused":          datagram(t, refused),
		"cut":              datagram(t, list)[:40],
	} {
		for _, ranges := range []bool{false, true} {
			d := newDumping(remediation.Set{Ranges: ranges}, time.Now())
			if err := d.messages(answer); err == nil && !d.inconsistent {
				t.Errorf("%s: read %v, %v", name, d.elements, d.addresses)
			}
		}
	}
}

func FuzzDump(f *testing.F) {
	f.Add(datagram(f, elementList(testTable, unix.NFT_MSG_NEWSETELEM, 0, "set",
		[]point{{key: []byte{192, 0, 2, 1}, timeout: time.Hour}, {key: []byte{192, 0, 2, 2}, end: true}}), done))
	f.Add([]byte{16, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, answer []byte) {
		for _, ranges := range []bool{false, true} {
			d := newDumping(remediation.Set{Ranges: ranges}, time.Now())
			_ = d.messages(answer)
			_ = rangesOf(d.elements)
		}
	})
}
