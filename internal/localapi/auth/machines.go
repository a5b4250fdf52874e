package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

const maxScenarios = 100_000 // characters of the comma-joined list

// errBadCredentials says nothing about what was wrong: the log does.
var errBadCredentials = errors.New("incorrect Username or Password")

// Machines authenticates log processors. It is safe for concurrent use.
type Machines struct {
	store     store.Machines
	log       *slog.Logger
	now       func() time.Time
	passwords *passwords
	throttle  *throttle
}

// Credentials are what a machine logs in with.
type Credentials struct {
	ID        string
	Password  string
	Scenarios []string // that it runs; none leaves the known ones
	UserAgent string   // must be "name/version"
	Address   netip.Addr
}

// NewMachines returns Machines that are kept in machines.
func NewMachines(machines store.Machines, log *slog.Logger, now func() time.Time) (*Machines, error) {
	throttle, err := newThrottle()
	if err != nil {
		return nil, err
	}
	return &Machines{store: machines, log: log, now: now, passwords: newPasswords(), throttle: throttle}, nil
}

// Register adds a machine that is not validated yet. Exists when the name is taken, Invalid when the
// password is longer than 72 bytes.
func (m *Machines) Register(ctx context.Context, id, password string, address netip.Addr) error {
	hash, err := m.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	err = m.store.AddMachine(ctx, domain.Machine{
		ID: id, PasswordHash: hash, IPAddress: address.String(), AuthType: domain.AuthPassword,
	})
	if fault.Is(err, fault.Exists) {
		return fault.Errorf(fault.Exists, "user '%s': user already exist", id)
	}
	return err
}

// Login checks credentials and stores what they tell about the machine. It returns ErrTooManyFailures to an
// address that guesses.
func (m *Machines) Login(ctx context.Context, credentials Credentials) error {
	if !m.throttle.allow(credentials.Address, m.now()) {
		return ErrTooManyFailures
	}
	err := m.login(ctx, credentials)
	if !errors.Is(err, errBadCredentials) {
		m.throttle.forgive(credentials.Address, m.now())
	}
	return err
}

func (m *Machines) login(ctx context.Context, credentials Credentials) error {
	_, version, err := splitAgent(credentials.UserAgent)
	if err != nil {
		return m.refuse(ctx, credentials, "user agent is not name/version")
	}
	machine, err := m.store.Machine(ctx, credentials.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	matches, err := m.passwords.matches(ctx, machine.PasswordHash, credentials.Password)
	if err != nil {
		return err
	}
	if !matches {
		return m.refuse(ctx, credentials, "unknown machine or wrong password")
	}
	if err := usable(machine); err != nil {
		return err
	}
	return m.learn(ctx, machine, credentials, version)
}

func usable(machine domain.Machine) error {
	if machine.AuthType == domain.AuthTLS {
		return fault.Errorf(fault.Unauthorized,
			"machine %s attempted to auth with password but it is configured to use tls", machine.ID)
	}
	if !machine.Validated {
		return fault.Errorf(fault.Unauthorized, "machine %s not validated", machine.ID)
	}
	return nil
}

func (m *Machines) refuse(ctx context.Context, credentials Credentials, reason string) error {
	m.log.WarnContext(ctx, "login refused", "machine", credentials.ID, "address", credentials.Address.String(), "reason", reason)
	return fault.Mark(fault.Unauthorized, errBadCredentials)
}

// learn stores what is new about a machine that has proven who it is.
func (m *Machines) learn(ctx context.Context, machine domain.Machine, credentials Credentials, version string) error {
	var change store.MachineChange
	if len(credentials.Scenarios) > 0 {
		joined := strings.Join(credentials.Scenarios, ",")
		if utf8.RuneCountInString(joined) > maxScenarios {
			return fault.Errorf(fault.Unauthorized, "the list of scenarios is longer than %d characters", maxScenarios)
		}
		if joined != strings.Join(machine.Scenarios, ",") {
			change.Scenarios = &credentials.Scenarios
		}
	}
	if address := credentials.Address.String(); address != machine.IPAddress {
		change.IPAddress = &address
	}
	if version != machine.Version {
		change.Version = &version
	}
	if change == (store.MachineChange{}) {
		return nil
	}
	return m.store.UpdateMachine(ctx, machine.ID, change)
}

// Check refuses a machine that has been deleted, or is not validated, since it got its token.
func (m *Machines) Check(ctx context.Context, id string) error {
	machine, err := m.store.Machine(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.Errorf(fault.Unauthorized, "machine %s does not exist any more", id)
	case err != nil:
		return err
	case !machine.Validated:
		return fault.Errorf(fault.Unauthorized, "machine %s not validated", id)
	}
	return nil
}

var errAgent = errors.New("user agent is not name/version")

// splitAgent divides a User-Agent into its two parts.
func splitAgent(agent string) (name, version string, err error) {
	parts := strings.Split(agent, "/")
	if len(parts) != 2 {
		return "", "", errAgent
	}
	return parts[0], parts[1], nil
}
