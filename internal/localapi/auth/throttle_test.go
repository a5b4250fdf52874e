package auth

import (
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestThrottleNeverAllowsMoreThanItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		throttle, err := newThrottle()
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1_800_000_000, 0)
		address := netip.MustParseAddr("192.0.2.1")
		failures, began := 0, now
		for range rapid.IntRange(1, 200).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8000).Draw(t, "ms")) * time.Millisecond)
			if !throttle.allow(address, now) {
				continue
			}
			if rapid.Bool().Draw(t, "succeeds") {
				throttle.forgive(address, now)
				continue
			}
			failures++
			if most := failureBurst + int(now.Sub(began)/failureRecovery) + 1; failures > most {
				t.Fatalf("%d failures in %v", failures, now.Sub(began))
			}
		}
	})
}

func TestThrottleKnowsAddressesApart(t *testing.T) {
	t.Parallel()
	throttle, err := newThrottle()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	exhaust := func(text string) {
		for range failureBurst {
			if !throttle.allow(netip.MustParseAddr(text), now) {
				t.Fatalf("%s was stopped early", text)
			}
		}
	}
	exhaust("192.0.2.1")
	exhaust("2001:db8::1")
	for text, want := range map[string]bool{
		"192.0.2.1": false, "192.0.2.2": true, "2001:db8::2": false, "2001:db8:0:1::1": true,
	} {
		if got := throttle.allow(netip.MustParseAddr(text), now); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if !throttle.allow(netip.Addr{}, now) {
		t.Error("an unknown address was stopped")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	throttle, err := newThrottle()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	address := netip.MustParseAddr("10.0.0.0")
	for range 2 * throttledMax {
		throttle.allow(address, now)
		address = address.Next()
	}
	if got := throttle.purse.Len(); got > throttledMax {
		t.Errorf("%d addresses are remembered", got)
	}
}
