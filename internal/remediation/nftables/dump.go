package nftables

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
)

// Elements are read here, and not with the nftables library: it offers the kernel a page at a time, and the
// kernel walks a set from its beginning for every page, so that 200,000 elements took it five seconds.

const (
	dumpBuffer = 64 << 10 // bytes; the kernel fills half of it
	// rereads is how often an inconsistent answer is asked for again.
	rereads = 5
)

// dumped is one element as the kernel tells it.
type dumped struct {
	key     netip.Addr
	end     bool          // of a range: key is the first address behind it
	mortal  bool          // expires
	expires time.Duration // from at
	at      time.Time     // when it was told
}

// dump reads the elements of one set. It asks again when the answer was not consistent: the kernel may leave
// elements out, and tell others twice, while it reorganises a set that has just grown. When that does not
// end the last answer has to do: adding what is there already does no harm.
func (b *Backend) dump(ctx context.Context, t table, set remediation.Set, name string) (remediation.Elements, error) {
	d := &dumping{}
	for range rereads {
		d = newDumping(set, b.now())
		if err := b.dumpOnce(ctx, t, name, d); err != nil {
			return nil, err
		}
		if !d.inconsistent {
			break
		}
	}
	if set.Ranges {
		return rangesOf(d.elements), nil
	}
	return d.addresses, nil
}

func (b *Backend) dumpOnce(ctx context.Context, t table, set string, d *dumping) error {
	conn, err := b.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var a attributes
	a.text(unix.NFTA_SET_ELEM_LIST_TABLE, t.name)
	a.text(unix.NFTA_SET_ELEM_LIST_SET, set)
	if _, err := conn.Send(message(unix.NFT_MSG_GETSETELEM, t.family, netlink.Dump, a)); err != nil {
		return err
	}
	buffer := make([]byte, dumpBuffer)
	for !d.done {
		n, err := receive(conn, buffer)
		if err != nil {
			return err
		}
		d.now = b.now() // what is left is told as of now, and reading all may take many seconds
		if err := d.messages(buffer[:n]); err != nil {
			return err
		}
	}
	return nil
}

// receive reads one datagram.
func receive(conn *netlink.Conn, buffer []byte) (int, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n int
	var failure error
	err = raw.Read(func(fd uintptr) bool {
		n, _, failure = unix.Recvfrom(int(fd), buffer, unix.MSG_DONTWAIT)
		return !errors.Is(failure, unix.EAGAIN)
	})
	return n, errors.Join(err, failure)
}

// dumping collects the elements from the messages of an answer.
type dumping struct {
	now          time.Time
	addresses    remediation.Elements // of a set of addresses: there may be a million
	elements     []dumped             // of a set of ranges
	seen         map[position]bool    // in elements
	done         bool
	inconsistent bool // the set changed while it was read
}

func newDumping(set remediation.Set, now time.Time) *dumping {
	if set.Ranges {
		return &dumping{now: now, seen: map[position]bool{}}
	}
	return &dumping{now: now, addresses: remediation.Elements{}}
}

// position is what no two elements of a set have in common.
type position struct {
	key netip.Addr
	end bool
}

const (
	messageHeader = 16 // bytes
	familyHeader  = 4  // bytes, after the message header
)

// messages takes in one datagram.
func (d *dumping) messages(datagram []byte) error {
	for len(datagram) > 0 {
		if len(datagram) < messageHeader {
			return fmt.Errorf("message of %d bytes", len(datagram))
		}
		length := int(binary.NativeEndian.Uint32(datagram))
		if length < messageHeader || length > len(datagram) {
			return fmt.Errorf("message of %d bytes in a datagram of %d", length, len(datagram))
		}
		kind := binary.NativeEndian.Uint16(datagram[4:])
		flags := binary.NativeEndian.Uint16(datagram[6:])
		if err := d.message(kind, flags, datagram[messageHeader:length]); err != nil {
			return err
		}
		datagram = datagram[min(align(length), len(datagram)):]
	}
	return nil
}

func (d *dumping) message(kind, flags uint16, body []byte) error {
	if flags&unix.NLM_F_DUMP_INTR != 0 {
		d.inconsistent = true
	}
	switch kind {
	case unix.NLMSG_DONE:
		d.done = true
	case unix.NLMSG_ERROR:
		if len(body) < 4 { //nolint:mnd // bytes of an error number
			return errors.New("error without a number")
		}
		return unix.Errno(-int32(binary.NativeEndian.Uint32(body))) //nolint:gosec // two's complement is the format
	case unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWSETELEM:
		if len(body) < familyHeader {
			return errors.New("message without family")
		}
		return each(body[familyHeader:], func(kind uint16, value []byte) error {
			if kind != unix.NFTA_SET_ELEM_LIST_ELEMENTS {
				return nil
			}
			return each(value, func(_ uint16, value []byte) error { return d.element(value) })
		})
	}
	return nil
}

func (d *dumping) element(attributes []byte) error {
	var element dumped
	err := each(attributes, func(kind uint16, value []byte) error {
		switch kind {
		case unix.NFTA_SET_ELEM_KEY:
			return each(value, func(_ uint16, value []byte) error {
				var ok bool
				if element.key, ok = netip.AddrFromSlice(value); !ok {
					return fmt.Errorf("key of %d bytes", len(value))
				}
				return nil
			})
		case unix.NFTA_SET_ELEM_FLAGS:
			element.end = number(value)&unix.NFT_SET_ELEM_INTERVAL_END != 0
		case unix.NFTA_SET_ELEM_TIMEOUT:
			element.mortal = true
		case unix.NFTA_SET_ELEM_EXPIRATION:
			element.mortal = true
			element.expires = time.Duration(number(value)) * time.Millisecond //nolint:gosec // below 2^63
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.keep(element)
	return nil
}

// keep takes in an element that was not told before.
func (d *dumping) keep(element dumped) {
	if d.addresses != nil {
		before := len(d.addresses)
		d.addresses[domain.IPRange{First: element.key, Last: element.key}] = element.until(d.now)
		d.inconsistent = d.inconsistent || len(d.addresses) == before
		return
	}
	at := position{element.key, element.end}
	if d.seen[at] {
		d.inconsistent = true
		return
	}
	d.seen[at] = true
	element.at = d.now
	d.elements = append(d.elements, element)
}

// each calls use with every attribute of a list.
func each(list []byte, use func(kind uint16, value []byte) error) error {
	for len(list) > 0 {
		if len(list) < attributeHeader {
			return fmt.Errorf("attribute of %d bytes", len(list))
		}
		length := int(binary.NativeEndian.Uint16(list))
		if length < attributeHeader || length > len(list) {
			return fmt.Errorf("attribute of %d bytes in a list of %d", length, len(list))
		}
		kind := binary.NativeEndian.Uint16(list[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		if err := use(kind, list[attributeHeader:length]); err != nil {
			return err
		}
		list = list[min(align(length), len(list)):]
	}
	return nil
}

// number reads an integer in network byte order.
func number(value []byte) uint64 {
	var n uint64
	for _, b := range value {
		n = n<<8 | uint64(b)
	}
	return n
}

// align rounds up to where the next message or attribute begins.
func align(length int) int { return (length + attributeAlign - 1) &^ (attributeAlign - 1) }
