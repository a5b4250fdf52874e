package nftables

import (
	"encoding/binary"
	"time"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"shieldwall/internal/remediation"
)

// Messages are encoded here, and not by the nftables library: that asks the kernel to echo every rule, and
// takes the echoes of a larger transaction for errors.

const (
	attributeHeader = 4 // bytes
	attributeAlign  = 4 // bytes
	// elementsPerMessage keeps the list of elements, whose length is 16 bits wide, below 64 KiB: an IPv6
	// address with its timeout takes 40 bytes. It is even, so that both ends of a range stay together.
	elementsPerMessage = 1600
	// passing is the timeout of an element that is added only to be deleted in the same transaction.
	passing = time.Minute
	// policyAccept is what happens to packets that no rule of a chain denies.
	policyAccept = 1
)

// attributes is a list of netlink attributes.
type attributes []byte

func (a *attributes) bytes(kind uint16, value []byte) {
	*a = binary.NativeEndian.AppendUint16(*a, attributeHeader+uint16(len(value))) //nolint:gosec // below 64 KiB
	*a = binary.NativeEndian.AppendUint16(*a, kind)
	*a = append(*a, value...)
	a.pad()
}

func (a *attributes) pad() {
	for len(*a)%attributeAlign != 0 {
		*a = append(*a, 0)
	}
}

func (a *attributes) text(kind uint16, value string) { a.bytes(kind, append([]byte(value), 0)) }

func (a *attributes) uint32(kind uint16, value uint32) {
	a.bytes(kind, binary.BigEndian.AppendUint32(nil, value))
}

func (a *attributes) uint64(kind uint16, value uint64) {
	a.bytes(kind, binary.BigEndian.AppendUint64(nil, value))
}

// nest appends a list of attributes as the value of one.
func (a *attributes) nest(kind uint16, fill func(*attributes)) {
	start := len(*a)
	*a = append(*a, 0, 0, 0, 0)
	fill(a)
	binary.NativeEndian.PutUint16((*a)[start:], uint16(len(*a)-start)) //nolint:gosec // below 64 KiB
	binary.NativeEndian.PutUint16((*a)[start+2:], kind|unix.NLA_F_NESTED)
}

// message returns a command about objects of family.
func message(command uint16, family byte, flags netlink.HeaderFlags, content attributes) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | command),
			Flags: netlink.Request | flags,
		},
		Data: append([]byte{family, unix.NFNETLINK_V0, 0, 0}, content...),
	}
}

// boundary returns the message that begins or ends a transaction.
func boundary(kind netlink.HeaderType) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request},
		Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES},
	}
}

func addTable(t table) netlink.Message {
	var a attributes
	a.text(unix.NFTA_TABLE_NAME, t.name)
	a.uint32(unix.NFTA_TABLE_FLAGS, 0)
	return message(unix.NFT_MSG_NEWTABLE, t.family, netlink.Create, a)
}

func deleteTable(t table) netlink.Message {
	var a attributes
	a.text(unix.NFTA_TABLE_NAME, t.name)
	return message(unix.NFT_MSG_DELTABLE, t.family, 0, a)
}

func addChain(t table, name string, c chain) netlink.Message {
	var a attributes
	a.text(unix.NFTA_CHAIN_TABLE, t.name)
	a.text(unix.NFTA_CHAIN_NAME, name)
	a.nest(unix.NFTA_CHAIN_HOOK, func(a *attributes) {
		a.uint32(unix.NFTA_HOOK_HOOKNUM, c.hook)
		a.uint32(unix.NFTA_HOOK_PRIORITY, uint32(c.priority)) //nolint:gosec // two's complement is the format
	})
	a.uint32(unix.NFTA_CHAIN_POLICY, policyAccept)
	a.text(unix.NFTA_CHAIN_TYPE, "filter")
	return message(unix.NFT_MSG_NEWCHAIN, t.family, netlink.Create, a)
}

func deleteChain(t table, name string) netlink.Message {
	var a attributes
	a.text(unix.NFTA_CHAIN_TABLE, t.name)
	a.text(unix.NFTA_CHAIN_NAME, name)
	return message(unix.NFT_MSG_DELCHAIN, t.family, 0, a)
}

func flushChain(t table, name string) netlink.Message {
	var a attributes
	a.text(unix.NFTA_RULE_TABLE, t.name)
	a.text(unix.NFTA_RULE_CHAIN, name)
	return message(unix.NFT_MSG_DELRULE, t.family, 0, a)
}

func addCounter(t table, name string) netlink.Message {
	var a attributes
	a.text(unix.NFTA_OBJ_TABLE, t.name)
	a.text(unix.NFTA_OBJ_NAME, name)
	a.uint32(unix.NFTA_OBJ_TYPE, unix.NFT_OBJECT_COUNTER)
	a.nest(unix.NFTA_OBJ_DATA, func(a *attributes) {
		a.uint64(unix.NFTA_COUNTER_BYTES, 0)
		a.uint64(unix.NFTA_COUNTER_PACKETS, 0)
	})
	return message(unix.NFT_MSG_NEWOBJ, t.family, netlink.Create, a)
}

// addSet returns the command that makes a set; number tells the sets of one transaction apart.
func addSet(t table, name string, ranges bool, number uint32) netlink.Message {
	flags := uint32(unix.NFT_SET_TIMEOUT)
	var data []byte
	if ranges {
		flags |= unix.NFT_SET_INTERVAL
		// Read by nft only, which lists intervals wrongly without it.
		data = userdata.AppendUint32(nil, userdata.NFTNL_UDATA_SET_KEYBYTEORDER, 2)
	}
	var a attributes
	a.text(unix.NFTA_SET_TABLE, t.name)
	a.text(unix.NFTA_SET_NAME, name)
	a.uint32(unix.NFTA_SET_FLAGS, flags)
	a.uint32(unix.NFTA_SET_KEY_TYPE, t.keyType().GetNFTMagic())
	a.uint32(unix.NFTA_SET_KEY_LEN, t.keyType().Bytes)
	a.uint32(unix.NFTA_SET_ID, number)
	if data != nil {
		a.bytes(unix.NFTA_SET_USERDATA, data)
	}
	return message(unix.NFT_MSG_NEWSET, t.family, netlink.Create, a)
}

func deleteSet(t table, name string) netlink.Message {
	var a attributes
	a.text(unix.NFTA_SET_TABLE, t.name)
	a.text(unix.NFTA_SET_NAME, name)
	return message(unix.NFT_MSG_DELSET, t.family, 0, a)
}

// flushSet returns the command that deletes all elements of a set.
func flushSet(t table, name string) netlink.Message {
	var a attributes
	a.text(unix.NFTA_SET_ELEM_LIST_TABLE, t.name)
	a.text(unix.NFTA_SET_ELEM_LIST_SET, name)
	return message(unix.NFT_MSG_DELSETELEM, t.family, 0, a)
}

// addRule returns the command that appends a rule to a chain. Errors come from encoding the expressions.
func addRule(t table, chain string, expressions []expr.Any) (netlink.Message, error) {
	var a attributes
	a.text(unix.NFTA_RULE_TABLE, t.name)
	a.text(unix.NFTA_RULE_CHAIN, chain)
	var failure error
	a.nest(unix.NFTA_RULE_EXPRESSIONS, func(a *attributes) {
		for _, expression := range expressions {
			encoded, err := expr.Marshal(t.family, expression)
			if err != nil {
				failure = err
			}
			a.bytes(unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, encoded)
		}
	})
	return message(unix.NFT_MSG_NEWRULE, t.family, netlink.Create|unix.NLM_F_APPEND, a), failure
}

// point is one element as the kernel knows it: an address, or the beginning of a range, or, with end, the
// first address behind one.
type point struct {
	key     []byte
	end     bool
	timeout time.Duration // 0: never expires, and with end
}

// points returns the elements of a set that stand for element.
func points(set remediation.Set, element remediation.Element, timeout time.Duration) []point {
	begin := point{key: element.First.AsSlice(), timeout: timeout}
	if !set.Ranges {
		return []point{begin}
	}
	behind := element.Last.Next()
	if !behind.IsValid() { // the range reaches the highest address: it has no end
		return []point{begin}
	}
	return []point{begin, {key: behind.AsSlice(), end: true}}
}

// elementList returns a command about at most elementsPerMessage points of a set.
func elementList(t table, command uint16, flags netlink.HeaderFlags, set string, points []point) netlink.Message {
	var a attributes
	a.text(unix.NFTA_SET_ELEM_LIST_TABLE, t.name)
	a.text(unix.NFTA_SET_ELEM_LIST_SET, set)
	a.nest(unix.NFTA_SET_ELEM_LIST_ELEMENTS, func(a *attributes) {
		for _, p := range points {
			a.nest(unix.NFTA_LIST_ELEM, func(a *attributes) { a.point(p) })
		}
	})
	return message(command, t.family, flags, a)
}

func (a *attributes) point(p point) {
	if p.end {
		a.bytes(unix.NFTA_SET_ELEM_FLAGS, binaryutil.BigEndian.PutUint32(unix.NFT_SET_ELEM_INTERVAL_END))
	}
	a.nest(unix.NFTA_SET_ELEM_KEY, func(a *attributes) { a.bytes(unix.NFTA_DATA_VALUE, p.key) })
	if p.timeout > 0 {
		a.uint64(unix.NFTA_SET_ELEM_TIMEOUT, uint64(p.timeout.Milliseconds())) //nolint:gosec // positive
	}
}
