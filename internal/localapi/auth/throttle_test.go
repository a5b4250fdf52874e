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
		throttle, err := NewThrottle()
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1_800_000_000, 0)
		address := netip.MustParseAddr("192.0.2.1")
		failures, began := 0, now
		for range rapid.IntRange(1, 200).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8000).Draw(t, "ms")) * time.Millisecond)
			wait, ok := throttle.Allow(address, now)
			if !ok {
				if wait <= 0 || wait > throttleRecovery {
					t.Fatalf("to wait %v", wait)
				}
				continue
			}
			if rapid.Bool().Draw(t, "succeeds") {
				throttle.Forgive(address, now)
				continue
			}
			failures++
			if most := throttleBurst + int(now.Sub(began)/throttleRecovery) + 1; failures > most {
				t.Fatalf("%d failures in %v", failures, now.Sub(began))
			}
		}
	})
}

func TestThrottleKnowsAddressesApart(t *testing.T) {
	t.Parallel()
	throttle, err := NewThrottle()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	exhaust := func(text string) {
		for range throttleBurst {
			if _, ok := throttle.Allow(netip.MustParseAddr(text), now); !ok {
				t.Fatalf("%s was stopped early", text)
			}
		}
	}
	exhaust("192.0.2.1")
	exhaust("2001:db8::1")
	for text, want := range map[string]bool{
		"192.0.2.1": false, "192.0.2.2": true, "2001:db8::2": false, "2001:db8:0:1::1": true,
	} {
		if _, got := throttle.Allow(netip.MustParseAddr(text), now); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if _, ok := throttle.Allow(netip.Addr{}, now); !ok {
		t.Error("an unknown address was stopped")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	throttle, err := NewThrottle()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	address := netip.MustParseAddr("10.0.0.0")
	for range 2 * throttledMax {
		throttle.Allow(address, now)
		address = address.Next()
	}
	if got := throttle.purse.Len(); got > throttledMax {
		t.Errorf("%d addresses are remembered", got)
	}
}

func TestThrottleSaysWhenItIsWorthTryingAgain(t *testing.T) {
	t.Parallel()
	throttle, err := NewThrottle()
	if err != nil {
		t.Fatal(err)
	}
	now, address := time.Unix(1_800_000_000, 0), netip.MustParseAddr("192.0.2.1")
	for range throttleBurst {
		throttle.Allow(address, now)
	}
	now = now.Add(time.Second)
	wait, ok := throttle.Allow(address, now)
	if ok || wait.Round(time.Millisecond) != throttleRecovery-time.Second {
		t.Fatalf("wait %v, %v", wait, ok)
	}
	if _, ok := throttle.Allow(address, now.Add(wait+time.Millisecond)); !ok {
		t.Error("waiting was not enough")
	}
}
