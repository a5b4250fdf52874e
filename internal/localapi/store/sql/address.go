package sql

import (
	"encoding/binary"
	"math"
	"net/netip"

	"shieldwall/internal/domain"
)

// address is a range of addresses as decisions keep it: the upper and the lower 64 bits of both ends, as
// signed numbers in the same order. The zero value is what values that are no addresses have.
type address struct {
	startIP, endIP         int64
	startSuffix, endSuffix int64
	size                   int64 // bytes of an address: 4, 16, or 0 for none
}

func encodeRange(r domain.IPRange) address {
	startIP, startSuffix := encodeAddr(r.First)
	endIP, endSuffix := encodeAddr(r.Last)
	return address{
		startIP: startIP, startSuffix: startSuffix,
		endIP: endIP, endSuffix: endSuffix,
		size: int64(r.First.BitLen() / 8),
	}
}

func encodeAddr(addr netip.Addr) (ip, suffix int64) {
	if addr.Is4() {
		four := addr.As4()
		return encodeUint64(uint64(binary.BigEndian.Uint32(four[:]))), encodeUint64(0)
	}
	sixteen := addr.As16()
	return encodeUint64(binary.BigEndian.Uint64(sixteen[:8])), encodeUint64(binary.BigEndian.Uint64(sixteen[8:]))
}

// encodeUint64 maps u to a signed number without changing the order. The published map has one number too few:
// the two largest share theirs, so the last two addresses of an IPv6 /64 cannot be told apart by number.
func encodeUint64(u uint64) int64 {
	if u == math.MaxUint64 {
		return math.MaxInt64
	}
	return int64(u - math.MaxInt64) //nolint:gosec // G115: wrapping around is the map
}
