package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"slices"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

// AutoRegistration lets machines in that know a token and call from the right network.
type AutoRegistration struct {
	Token  string // at least 32 characters
	Ranges []netip.Prefix
}

// Registration is a machine that wants to be known.
type Registration struct {
	ID       string
	Password string
	Token    string // for automatic registration, "" for none
	Address  netip.Addr
}

// Register adds a machine; it is validated when its token was good, and waits for that otherwise. Exists when
// the name is taken, Invalid when the password is longer than 72 bytes, Unauthorized when the token is not
// accepted. An address that registers too often is refused for ReasonTooMany.
func (m *Machines) Register(ctx context.Context, registration Registration) (validated bool, err error) {
	if wait, ok := m.registrations.Allow(registration.Address, m.options.Now()); !ok {
		return false, tooMany(SideAgent, wait, "too many registrations from this address")
	}
	invited, err := m.invited(registration)
	if err != nil {
		return false, err
	}
	if invited { // a whole fleet may share an address
		m.registrations.Forgive(registration.Address, m.options.Now())
	}
	return invited, m.add(ctx, registration, invited)
}

// invited reports whether a machine needs no validation by hand.
func (m *Machines) invited(registration Registration) (bool, error) {
	auto := m.options.AutoRegistration
	if auto == nil || registration.Token == "" || !registration.Address.IsValid() {
		return false, nil
	}
	given, wanted := sha256.Sum256([]byte(registration.Token)), sha256.Sum256([]byte(auto.Token))
	if subtle.ConstantTimeCompare(given[:], wanted[:]) != 1 {
		return false, agentRefusal(ReasonRegistrationToken, "invalid token for auto registration")
	}
	contains := func(network netip.Prefix) bool { return network.Contains(registration.Address) }
	if !slices.ContainsFunc(auto.Ranges, contains) {
		return false, agentRefusal(ReasonRegistrationAddress, "IP not in allowed range for auto registration")
	}
	return true, nil
}

func (m *Machines) add(ctx context.Context, registration Registration, validated bool) error {
	hash, err := m.passwords.hash(ctx, registration.Password)
	if err != nil {
		return err
	}
	err = m.store.AddMachine(ctx, domain.Machine{
		ID: registration.ID, PasswordHash: hash, IPAddress: registration.Address.String(),
		AuthType: domain.AuthPassword, Validated: validated,
	})
	if fault.Is(err, fault.Exists) {
		return fault.Errorf(fault.Exists, "user '%s': user already exist", registration.ID)
	}
	return err
}
