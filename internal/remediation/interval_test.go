package remediation_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/remediation"
)

// universe is a handful of addresses at either end of a family, so that generated ranges meet.
var universe = func() []netip.Addr {
	var addresses []netip.Addr
	for i := range byte(24) {
		addresses = append(addresses, netip.AddrFrom4([4]byte{255, 255, 255, 232 + i}))
	}
	return addresses
}()

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rangeOf(t *rapid.T) domain.IPRange {
	a := rapid.IntRange(0, len(universe)-1).Draw(t, "first")
	b := rapid.IntRange(a, len(universe)-1).Draw(t, "last")
	return domain.IPRange{First: universe[a], Last: universe[b]}
}

func elements(t *rapid.T) []remediation.Element {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) remediation.Element {
		lifetime := time.Duration(rapid.IntRange(1, 5).Draw(t, "lifetime")) * time.Hour
		return remediation.Element{IPRange: rangeOf(t), Until: epoch.Add(lifetime)}
	}), 0, 8).Draw(t, "ranges")
}

func latest(ranges []remediation.Element, address netip.Addr) time.Time {
	var until time.Time
	for _, r := range ranges {
		if r.Contains(domain.IPRange{First: address, Last: address}) && r.Until.After(until) {
			until = r.Until
		}
	}
	return until
}

func TestDisjointKeepsTheLifetimeOfEveryAddress(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ranges := elements(t)
		pieces := remediation.Disjoint(ranges)
		for _, address := range universe {
			if got, want := latest(pieces, address), latest(ranges, address); !got.Equal(want) {
				t.Fatalf("%s until %v, want %v, in %v", address, got, want, pieces)
			}
		}
	})
}

func TestDisjointIsDisjointAndMinimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pieces := remediation.Disjoint(elements(t))
		for i, piece := range pieces {
			if piece.Last.Less(piece.First) {
				t.Fatalf("piece %v is upside down", piece)
			}
			if i == 0 {
				continue
			}
			previous := pieces[i-1]
			if !previous.Last.Less(piece.First) {
				t.Fatalf("%v and %v overlap", previous, piece)
			}
			if previous.Last.Next() == piece.First && previous.Until.Equal(piece.Until) {
				t.Fatalf("%v and %v could be one", previous, piece)
			}
		}
	})
}

func TestDisjointIsStableInTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ranges := elements(t)
		later := epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "later")) * time.Hour)
		expired := func(e remediation.Element) bool { return !e.Until.After(later) }
		before := slices.DeleteFunc(remediation.Disjoint(ranges), expired)
		after := remediation.Disjoint(slices.DeleteFunc(ranges, expired))
		if !slices.Equal(before, after) {
			t.Fatalf("cut as %v, later as %v", before, after)
		}
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "240.0.0.0/4", "192.0.2.0/31", "2001:db8::1", "2001:db8::/32", "::/0",
	} {
		r, err := domain.ParseIPRange(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := remediation.Text(r); got != value {
			t.Errorf("%s is written %s", value, got)
		}
	}
	odd := domain.IPRange{First: netip.MustParseAddr("192.0.2.1"), Last: netip.MustParseAddr("192.0.2.9")}
	if got := remediation.Text(odd); got != "192.0.2.1-192.0.2.9" {
		t.Errorf("%v is written %s", odd, got)
	}
}
