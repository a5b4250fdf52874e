package domain

import (
	"fmt"
	"net/netip"
	"strings"
)

// IPRange is a closed interval of addresses of one family. The zero value is invalid.
// IPv4-mapped IPv6 addresses are IPv4.
type IPRange struct {
	First, Last netip.Addr
}

// ParseIPRange reads an address ("192.0.2.1") or a prefix ("192.0.2.0/24"; host bits are ignored).
func ParseIPRange(text string) (IPRange, error) {
	if addr, err := netip.ParseAddr(text); err == nil && !strings.Contains(text, "/") { // a zone can hold anything
		addr = addr.Unmap().WithZone("")
		return IPRange{First: addr, Last: addr}, nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return IPRange{}, fmt.Errorf("invalid ip address or range '%s'", text)
	}
	return rangeOfPrefix(prefix), nil
}

func rangeOfPrefix(prefix netip.Prefix) IPRange {
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	prefix = prefix.Masked()
	return IPRange{First: prefix.Addr(), Last: lastAddr(prefix)}
}

func lastAddr(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for i := prefix.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// IsValid reports whether r was made by ParseIPRange.
func (r IPRange) IsValid() bool { return r.First.IsValid() }

// Is4 reports whether r is a range of IPv4 addresses.
func (r IPRange) Is4() bool { return r.First.Is4() }

// Contains reports whether every address of other is in r. Ranges of different families contain nothing of
// each other.
func (r IPRange) Contains(other IPRange) bool {
	return r.Is4() == other.Is4() && r.First.Compare(other.First) <= 0 && r.Last.Compare(other.Last) >= 0
}
