package auth

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// ErrTooManyFailures is returned to an address that has failed to log in too often lately.
var ErrTooManyFailures = errors.New("too many failed logins from this address")

const (
	failureBurst     = 20              // failures in a row before an address has to wait
	failureRecovery  = 6 * time.Second // until one more attempt is allowed
	throttledMax     = 8192            // addresses that are remembered
	throttleBitsIPv6 = 64              // one customer usually has all of it
)

// throttle bounds failed attempts by address. An attempt costs a coin before it is made, so that many at
// once cannot slip through, and success gives it back.
type throttle struct {
	mu    sync.Mutex
	purse *simplelru.LRU[netip.Prefix, purse]
}

type purse struct {
	spent float64
	at    time.Time
}

func newThrottle() (*throttle, error) {
	lru, err := simplelru.NewLRU[netip.Prefix, purse](throttledMax, nil)
	if err != nil {
		return nil, err
	}
	return &throttle{purse: lru}, nil
}

// allow takes a coin of address; false when there is none left.
func (t *throttle) allow(address netip.Addr, now time.Time) bool {
	return t.spend(address, now, 1)
}

// forgive gives the coin of a successful attempt back.
func (t *throttle) forgive(address netip.Addr, now time.Time) {
	t.spend(address, now, -1)
}

func (t *throttle) spend(address netip.Addr, now time.Time, coins float64) bool {
	key := throttleKey(address)
	t.mu.Lock()
	defer t.mu.Unlock()
	p, _ := t.purse.Get(key)
	recovered := max(0, now.Sub(p.at).Seconds()) / failureRecovery.Seconds()
	spent := max(0, p.spent-recovered) + coins
	if spent > failureBurst {
		return false
	}
	if spent <= 0 {
		t.purse.Remove(key)
		return true
	}
	t.purse.Add(key, purse{spent: spent, at: now})
	return true
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
