package domain_test

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

func TestParseIPRange(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text        string
		first, last string // "" is an error
	}{
		{"192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"192.0.2.0/24", "192.0.2.0", "192.0.2.255"},
		{"192.0.2.77/24", "192.0.2.0", "192.0.2.255"},
		{"192.0.2.77/32", "192.0.2.77", "192.0.2.77"},
		{"192.0.2.77/31", "192.0.2.76", "192.0.2.77"},
		{"192.0.2.77/0", "0.0.0.0", "255.255.255.255"},
		{"2001:DB8::1", "2001:db8::1", "2001:db8::1"},
		{"2001:db8::1/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"},
		{"2001:db8::/127", "2001:db8::", "2001:db8::1"},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"fe80::1%eth0", "fe80::1", "fe80::1"},
		{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1%eth0", "192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1/120", "192.0.2.0", "192.0.2.255"},
		{"::ffff:192.0.2.1/96", "0.0.0.0", "255.255.255.255"},
		{"::ffff:192.0.2.1/95", "::fffe:0:0", "::ffff:ffff:ffff"},
		{"", "", ""},
		{"192.0.2", "", ""},
		{"192.0.2.256", "", ""},
		{"192.0.2.0/33", "", ""},
		{"192.0.2.0/-1", "", ""},
		{"192.0.2.0/", "", ""},
		{"192.0.2.0/024", "", ""},
		{"2001:db8::/129", "", ""},
		{"fe80::%eth0/64", "", ""},
		{"192.0.2.1-192.0.2.9", "", ""},
		{" 192.0.2.1", "", ""},
		{"example.org", "", ""},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			got, err := domain.ParseIPRange(test.text)
			if test.first == "" {
				if err == nil || got.IsValid() {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			want := domain.IPRange{First: netip.MustParseAddr(test.first), Last: netip.MustParseAddr(test.last)}
			if err != nil || got != want || !got.IsValid() {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
}

// drawRange draws from few enough networks that ranges often overlap.
func drawRange(t *rapid.T, name string) domain.IPRange {
	addr := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.ByteRange(0, 2), 4, 4).Draw(t, name)))
	bits := rapid.IntRange(0, 32).Draw(t, name+" bits")
	if rapid.Bool().Draw(t, name+" is IPv6") {
		addr = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.ByteRange(0, 1), 16, 16).Draw(t, name)))
		bits = rapid.IntRange(0, 128).Draw(t, name+" bits")
	}
	text := netip.PrefixFrom(addr, bits).String()
	if rapid.Bool().Draw(t, name+" is an address") {
		text = addr.String()
	}
	drawn, err := domain.ParseIPRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}

// TestContainsIsAnOrder, and ranges of different families know nothing of each other.
func TestContainsIsAnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawRange(t, "a"), drawRange(t, "b"), drawRange(t, "c")
		if !a.Contains(a) {
			t.Errorf("%v does not contain itself", a)
		}
		if a.Contains(b) && b.Contains(c) && !a.Contains(c) {
			t.Errorf("%v contains %v, that contains %v, but not the first the last", a, b, c)
		}
		if a.Contains(b) && b.Contains(a) && a != b {
			t.Errorf("%v and %v contain each other", a, b)
		}
		if a.Is4() != b.Is4() && a.Contains(b) {
			t.Errorf("%v contains %v of the other family", a, b)
		}
	})
}

// TestPrefixesAgreeWithNetip: the first and last address are in, their neighbours are not, and containing
// another prefix is what net/netip says about it.
func TestPrefixesAgreeWithNetip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix, other := drawPrefix(t, "prefix"), drawPrefix(t, "other")
		r, o := mustParse(t, prefix.String()), mustParse(t, other.String())
		if r.First != prefix.Masked().Addr() || !prefix.Contains(r.Last) {
			t.Errorf("%v is from %v to %v", prefix, r.First, r.Last)
		}
		if next := r.Last.Next(); next.IsValid() && prefix.Contains(next) {
			t.Errorf("%v goes beyond %v", prefix, r.Last)
		}
		want := prefix.Bits() <= other.Bits() && prefix.Contains(other.Addr())
		if got := r.Contains(o); got != want {
			t.Errorf("%v contains %v: %v", prefix, other, got)
		}
	})
}

func drawPrefix(t *rapid.T, name string) netip.Prefix {
	if rapid.Bool().Draw(t, name+" is IPv6") {
		bytes := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)
		bytes[0] |= 0x20 // never an IPv4 address in disguise
		return netip.PrefixFrom(netip.AddrFrom16([16]byte(bytes)), rapid.IntRange(0, 128).Draw(t, name+" bits"))
	}
	bytes := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(bytes)), rapid.IntRange(0, 32).Draw(t, name+" bits"))
}

func mustParse(t *rapid.T, text string) domain.IPRange {
	r, err := domain.ParseIPRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMappedAddressesAreIPv4: writing an address or a prefix the long way changes nothing.
func TestMappedAddressesAreIPv4(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		addr := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		mapped := netip.AddrFrom16(addr.As16())
		bits := rapid.IntRange(0, 32).Draw(t, "bits")
		if got, want := mustParse(t, mapped.String()), mustParse(t, addr.String()); got != want || !got.Is4() {
			t.Errorf("%v is %v, %v is %v", mapped, got, addr, want)
		}
		long, short := netip.PrefixFrom(mapped, bits+96), netip.PrefixFrom(addr, bits)
		if got, want := mustParse(t, long.String()), mustParse(t, short.String()); got != want || !got.Is4() {
			t.Errorf("%v is %v, %v is %v", long, got, short, want)
		}
	})
}

func TestZeroRangeIsInvalid(t *testing.T) {
	t.Parallel()
	if (domain.IPRange{}).IsValid() {
		t.Error("valid")
	}
}

func FuzzParseIPRange(f *testing.F) {
	for _, text := range []string{"192.0.2.1", "192.0.2.0/24", "::ffff:192.0.2.1/95", "fe80::1%eth0", "::/0", "1.2.3.4/33", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := domain.ParseIPRange(text)
		if err != nil {
			return
		}
		if !r.IsValid() || !r.Contains(r) || r.First.Compare(r.Last) > 0 || r.First.Is4() != r.Is4() {
			t.Errorf("%q is %v", text, r)
		}
		if r.First.Is4() != r.Last.Is4() || r.First.Zone() != "" || r.Last.Zone() != "" {
			t.Errorf("%q is %v", text, r)
		}
	})
}
