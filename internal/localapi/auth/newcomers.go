package auth

import (
	"net/netip"
	"time"

	"shieldwall/internal/domain/fault"
)

// Newcomers bounds how often an address may try to join with a token that is not good. It is safe for concurrent use.
type Newcomers struct {
	throttle *Throttle
	now      func() time.Time
}

// NewNewcomers returns Newcomers that know no address yet.
func NewNewcomers(now func() time.Time) (*Newcomers, error) {
	throttle, err := NewThrottle()
	if err != nil {
		return nil, err
	}
	return &Newcomers{throttle: throttle, now: now}, nil
}

// Admit refuses an address that has tried too often, for ReasonTooMany. Each call that does not is followed by one of Judge.
func (n *Newcomers) Admit(address netip.Addr) error {
	if wait, ok := n.throttle.Allow(address, n.now()); !ok {
		return tooMany(SideNewcomer, wait, "too many attempts to join from this address")
	}
	return nil
}

// Judge makes a refusal of what the authority thinks of a token. Anything else is not counted as an attempt, and returned as
// it is.
func (n *Newcomers) Judge(address netip.Addr, err error) error {
	if fault.Is(err, fault.Forbidden) {
		return refuse(SideNewcomer, ReasonJoinToken, fault.Forbidden, err)
	}
	n.throttle.Forgive(address, n.now())
	return err
}
