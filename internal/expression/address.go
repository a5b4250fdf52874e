package expression

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const earthRadius = 6371.0 // km

func (l *Library) addressHelpers() []helper {
	return []helper{
		try4("Distance", distance),
		of2("IpInRange", isInRange),
		of2("IpToRange", l.toRange),
		of1("IsIP", func(text string) bool { _, ok := parseAddr(text); return ok }),
		of1("IsIPV4", func(text string) bool { addr, ok := parseAddr(text); return ok && addr.Unmap().Is4() }),
		of1("IsIPV6", func(text string) bool { addr, ok := parseAddr(text); return ok && addr.Unmap().Is6() }),
	}
}

// parseAddr reads an address without a zone.
func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	return addr, err == nil && addr.Zone() == ""
}

// isInRange takes an IPv4-mapped address for the IPv4 one, in addresses and ranges.
func isInRange(text, cidr string) bool {
	addr, ok := parseAddr(text)
	if !ok {
		return false
	}
	prefix, ok := parseCIDR(cidr)
	return ok && prefix.Contains(addr.Unmap())
}

// isInConstantRange is IpInRange of a range that is always the same.
func isInConstantRange(text func(any, *locals) string, cidr string) func(any, *locals) bool {
	prefix, ok := parseCIDR(cidr)
	if !ok {
		return nil
	}
	return func(env any, l *locals) bool {
		addr, ok := l.address(text(env, l))
		return ok && prefix.Contains(addr.Unmap())
	}
}

// inRanges is IpInRange of any of the ranges; what is none has no addresses.
func inRanges(cidrs []string) func(address string) bool {
	var prefixes []netip.Prefix
	for _, cidr := range cidrs {
		if prefix, ok := parseCIDR(cidr); ok {
			prefixes = append(prefixes, prefix)
		}
	}
	return func(address string) bool {
		addr, ok := parseAddr(address)
		addr = addr.Unmap()
		return ok && slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
	}
}

// isAddress returns the short form of helpers that ask what kind of address a text is, nil for others.
func isAddress(helper string, text func(any, *locals) string) func(any, *locals) bool {
	var is func(netip.Addr) bool
	switch helper {
	case "IsIP":
		is = netip.Addr.IsValid
	case "IsIPV4":
		is = netip.Addr.Is4
	case "IsIPV6":
		is = netip.Addr.Is6
	default:
		return nil
	}
	return func(env any, l *locals) bool {
		addr, ok := l.address(text(env, l))
		return ok && is(addr.Unmap())
	}
}

func parseCIDR(text string) (netip.Prefix, bool) {
	base, length, _ := strings.Cut(text, "/")
	addr, ok := parseAddr(base)
	if !ok {
		return netip.Prefix{}, false
	}
	bits, err := strconv.ParseUint(length, 10, 8)
	if err != nil || int(bits) > addr.BitLen() {
		return netip.Prefix{}, false
	}
	const mappedBits = 96
	if addr.Is4In6() && bits >= mappedBits {
		return netip.PrefixFrom(addr.Unmap(), int(bits)-mappedBits), true
	}
	return netip.PrefixFrom(addr, int(bits)), true
}

// toRange returns the network of length bits, "24" or "/24", around an address.
func (l *Library) toRange(text, length string) string {
	prefix, ok := parseCIDR(text + "/" + strings.TrimPrefix(length, "/"))
	if !ok {
		l.log.Error("no range around address", "address", text, "length", length)
		return ""
	}
	return prefix.Masked().String()
}

// distance returns the kilometres between two points in decimal degrees. 0,0 is what databases say for
// "unknown", so nothing is far from it.
func distance(lat1, lon1, lat2, lon2 string) (float64, error) {
	var degrees [4]float64
	for i, text := range [...]string{lat1, lon1, lat2, lon2} {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, fmt.Errorf("reading coordinate: %w", err)
		}
		degrees[i] = value
	}
	if degrees[0] == 0 && degrees[1] == 0 || degrees[2] == 0 && degrees[3] == 0 {
		return 0, nil
	}
	return haversine(degrees), nil
}

func haversine(degrees [4]float64) float64 {
	radians := func(i int) float64 { return degrees[i] * math.Pi / 180 }
	half := func(a, b float64) float64 { return math.Pow(math.Sin((b-a)/2), 2) }
	lat1, lon1, lat2, lon2 := radians(0), radians(1), radians(2), radians(3)
	chord := half(lat1, lat2) + math.Cos(lat1)*math.Cos(lat2)*half(lon1, lon2)
	// Rounding can lift the chord of opposite points above 1.
	return 2 * earthRadius * math.Asin(math.Sqrt(min(chord, 1)))
}
