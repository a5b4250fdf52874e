package sql

import (
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

func TestEncodeRangePublishedValues(t *testing.T) {
	t.Parallel()
	const zero = -9223372036854775807
	for text, want := range map[string]address{
		"1.2.3.4":        {-9223372036837866747, -9223372036837866747, zero, zero, 4},
		"::ffff:1.2.3.4": {-9223372036837866747, -9223372036837866747, zero, zero, 4},
		"10.0.0.0/24":    {-9223372036687003647, -9223372036687003392, zero, zero, 4},
		"2001:db8::1":    {-6917232468739227647, -6917232468739227647, -9223372036854775806, -9223372036854775806, 16},
		"2001:db8::/32":  {-6917232468739227647, -6917232464444260352, zero, 9223372036854775807, 16},
	} {
		r, err := domain.ParseIPRange(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := encodeRange(r); got != want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

func TestEncodeUint64KeepsOrder(t *testing.T) {
	t.Parallel()
	edges := []uint64{0, 1, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64 - 2, math.MaxUint64 - 1, math.MaxUint64}
	number := rapid.OneOf(rapid.SampledFrom(edges), rapid.Uint64())
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		// The published map gives the two largest the same number.
		known := min(a, math.MaxUint64-1) < min(b, math.MaxUint64-1)
		if got := encodeUint64(a) < encodeUint64(b); got != known {
			t.Fatalf("%d < %d: encoded %v, want %v", a, b, got, known)
		}
	})
	if got := encodeUint64(math.MaxInt64); got != 0 {
		t.Errorf("2^63-1 is encoded as %d, want 0", got)
	}
}

// The numbers must say the same as the addresses, whichever way they are compared.
func TestEncodedRangesContainTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		outer, inner := drawRange(t, "outer"), drawRange(t, "inner")
		want := blur(outer).Contains(blur(inner))
		if got := contains(encodeRange(outer), encodeRange(inner)); got != want {
			t.Fatalf("%v contains %v: encoded %v, want %v", outer, inner, got, want)
		}
		if exact := outer.Contains(inner); exact != want && !blurred(outer) && !blurred(inner) {
			t.Fatalf("%v contains %v: %v, blurred %v", outer, inner, exact, want)
		}
	})
}

// contains is what conditions.covers asks of the engine.
func contains(outer, inner address) bool {
	notAfter := func(ip, suffix, otherIP, otherSuffix int64) bool {
		return ip < otherIP || ip == otherIP && suffix <= otherSuffix
	}
	return outer.size == inner.size &&
		notAfter(outer.startIP, outer.startSuffix, inner.startIP, inner.startSuffix) &&
		notAfter(inner.endIP, inner.endSuffix, outer.endIP, outer.endSuffix)
}

// drawRange prefers ranges that touch each other, and the edges of what 64 bits hold.
func drawRange(t *rapid.T, label string) domain.IPRange {
	octet := rapid.SampledFrom([]byte{0, 1, 0x7f, 0x80, 0xfe, 0xff})
	size := rapid.SampledFrom([]int{4, 16}).Draw(t, label+" size")
	bytes := rapid.SliceOfN(octet, size, size).Draw(t, label+" bytes")
	if size == 16 && rapid.Bool().Draw(t, label+" at the end of a /64") {
		for i := 8; i < 16; i++ {
			bytes[i] = 0xff
		}
		bytes[15] -= rapid.Byte().Draw(t, label+" distance") % 3
	}
	addr, _ := netip.AddrFromSlice(bytes)
	bits := rapid.IntRange(0, size*8).Draw(t, label+" bits")
	r, err := domain.ParseIPRange(netip.PrefixFrom(addr, bits).String())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blur takes 1 from every half of an address that is the largest number, as the published map does.
func blur(r domain.IPRange) domain.IPRange {
	return domain.IPRange{First: blurAddr(r.First), Last: blurAddr(r.Last)}
}

func blurAddr(addr netip.Addr) netip.Addr {
	if addr.Is4() {
		return addr
	}
	bytes := addr.As16()
	for _, half := range [][]byte{bytes[:8], bytes[8:]} {
		if string(half) == "\xff\xff\xff\xff\xff\xff\xff\xff" {
			half[7] = 0xfe
		}
	}
	return netip.AddrFrom16(bytes)
}

// blurred says that r begins or ends where the map is not exact.
func blurred(r domain.IPRange) bool {
	for _, addr := range []netip.Addr{r.First, r.Last} {
		if addr.Is4() {
			continue
		}
		bytes := addr.As16()
		for _, half := range []string{string(bytes[:8]), string(bytes[8:])} {
			if half == "\xff\xff\xff\xff\xff\xff\xff\xfe" || half == "\xff\xff\xff\xff\xff\xff\xff\xff" {
				return true
			}
		}
	}
	return false
}
