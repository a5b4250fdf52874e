package auth

import (
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	throttleBurst    = 20              // what an address may do at once
	throttleRecovery = 6 * time.Second // until it may do one more
	throttledMax     = 8192            // addresses that are remembered
	throttleBitsIPv6 = 64              // one customer usually has all of it
)

// Throttle bounds how often an address may do something: 20 times at once, then once every 6 seconds. An
// attempt costs a coin before it is made, so that many at once cannot slip through, and what turns out to be
// harmless gets it back. The memory that it takes is bounded, too. It is safe for concurrent use.
type Throttle struct {
	mu    sync.Mutex
	purse *simplelru.LRU[netip.Prefix, purse]
}

// purse counts in time, a coin being what it takes to get one back: whole numbers, which add up.
type purse struct {
	spent time.Duration
	at    time.Time
}

// NewThrottle returns a Throttle that knows no address yet.
func NewThrottle() (*Throttle, error) {
	lru, err := simplelru.NewLRU[netip.Prefix, purse](throttledMax, nil)
	if err != nil {
		return nil, err
	}
	return &Throttle{purse: lru}, nil
}

// Allow takes a coin of address. When there is none left it returns false, and how long to wait for one.
func (t *Throttle) Allow(address netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	return t.spend(address, now, throttleRecovery)
}

// Forgive gives the coin of an attempt back.
func (t *Throttle) Forgive(address netip.Addr, now time.Time) {
	t.spend(address, now, -throttleRecovery)
}

func (t *Throttle) spend(address netip.Addr, now time.Time, cost time.Duration) (wait time.Duration, ok bool) {
	key := throttleKey(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	p, _ := t.purse.Get(key)
	spent := max(0, p.spent-max(0, now.Sub(p.at))) + cost
	if excess := spent - throttleBurst*throttleRecovery; excess > 0 {
		return excess, false
	}
	if spent <= 0 {
		t.purse.Remove(key)
		return 0, true
	}
	t.purse.Add(key, purse{spent: spent, at: now})
	return 0, true
}

func throttleKey(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = throttleBitsIPv6
	}
	prefix, err := address.Prefix(bits)
	if err != nil { // an unknown address: all such share one purse
		return netip.Prefix{}
	}
	return prefix
}
