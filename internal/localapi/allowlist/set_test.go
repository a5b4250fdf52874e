package allowlist_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/allowlist"
)

var now = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)

func list(name string, values ...string) domain.Allowlist {
	l := domain.Allowlist{Name: name}
	for _, value := range values {
		value, comment, _ := strings.Cut(value, " ")
		l.Items = append(l.Items, domain.AllowlistItem{Value: value, Comment: comment})
	}
	return l
}

func parse(t rapid.TB, text string) domain.IPRange {
	t.Helper()
	addresses, err := domain.ParseIPRange(text)
	if err != nil {
		t.Fatal(err)
	}
	return addresses
}

func TestReasons(t *testing.T) {
	t.Parallel()
	expired := domain.Allowlist{Name: "old", Items: []domain.AllowlistItem{
		{Value: "1.2.3.4", ExpiresAt: now}, {Value: "1.2.3.5", ExpiresAt: now.Add(time.Second)},
	}}
	set := allowlist.NewSet([]domain.Allowlist{
		list("b", "1.2.3.4 second", "10.0.0.0/8", "nonsense"),
		list("a", "1.2.3.0/24 office", "2001:db8::/32", "::ffff:5.6.7.8"),
		expired,
	})
	for value, want := range map[string]string{
		"1.2.3.4":           "1.2.3.0/24 from a (office), 1.2.3.4 from b (second)",
		"1.2.3.5":           "1.2.3.0/24 from a (office), 1.2.3.5 from old",
		"1.2.3.0/24":        "1.2.3.0/24 from a (office), 1.2.3.4 from b (second), 1.2.3.5 from old",
		"1.2.0.0/16":        "1.2.3.0/24 from a (office), 1.2.3.4 from b (second), 1.2.3.5 from old",
		"1.2.4.0/24":        "",
		"10.200.0.1":        "10.0.0.0/8 from b",
		"8.0.0.0/6":         "10.0.0.0/8 from b",
		"2001:db8:1::/48":   "2001:db8::/32 from a",
		"2001:db9::1":       "",
		"5.6.7.8":           "::ffff:5.6.7.8 from a",
		"::/0":              "2001:db8::/32 from a",
		"::ffff:5.6.7.8":    "::ffff:5.6.7.8 from a",
		"255.255.255.255":   "",
		"ffff:ffff::/32":    "",
		"2001:db8::/32":     "2001:db8::/32 from a",
		"::ffff:10.1.2.3":   "10.0.0.0/8 from b",
		"102:304::":         "",
		"2001:db8::1.2.3.4": "2001:db8::/32 from a",
	} {
		if got := allowlist.Reasons(set.Concerning(parse(t, value), now)); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
		if set.Concerns(parse(t, value), now) != (want != "") {
			t.Errorf("%s: Concerns differs", value)
		}
	}
}

func TestTheZeroSetIsEmpty(t *testing.T) {
	t.Parallel()
	if new(allowlist.Set).Concerns(parse(t, "1.2.3.4"), now) {
		t.Error("an empty set concerns something")
	}
}

// TestLookUpIsThatOfAScan compares the index with the definition, on a small space full of overlaps.
func TestLookUpIsThatOfAScan(t *testing.T) {
	t.Parallel()
	prefix := rapid.Custom(func(t *rapid.T) string {
		low := rapid.IntRange(0, 15).Draw(t, "low")
		if rapid.Bool().Draw(t, "v6") {
			return netip.PrefixFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", low)), rapid.IntRange(120, 128).Draw(t, "bits")).Masked().String()
		}
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(low)}), rapid.IntRange(26, 32).Draw(t, "bits")).Masked().String()
	})
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(prefix).Draw(t, "items")
		asked := parse(t, prefix.Draw(t, "asked"))
		set := allowlist.NewSet([]domain.Allowlist{list("l", values...)})
		var want []string
		for _, value := range values {
			if item := parse(t, value); item.Contains(asked) || asked.Contains(item) {
				want = append(want, value)
			}
		}
		var got []string
		for _, match := range set.Concerning(asked, now) {
			got = append(got, match.Value)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func BenchmarkConcerns(b *testing.B) {
	values := make([]string, 0, 100_000)
	for i := range cap(values) {
		values = append(values, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
	}
	set := allowlist.NewSet([]domain.Allowlist{list("l", values...)})
	asked := parse(b, "192.0.2.1")
	for b.Loop() {
		set.Concerns(asked, now)
	}
}
