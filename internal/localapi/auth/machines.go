package auth

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store"
)

const (
	maxScenarios = 100_000 // characters of the comma-joined list
	maxColumn    = 255     // characters of what MySQL stores of a User-Agent
)

// errBadCredentials says nothing about what was wrong: the log does.
var errBadCredentials = errors.New("incorrect Username or Password")

// Machines authenticates log processors. It is safe for concurrent use.
type Machines struct {
	store         store.Machines
	options       MachineOptions
	passwords     *passwords
	logins        *Throttle
	registrations *Throttle
}

// MachineOptions are what Machines work with.
type MachineOptions struct {
	Certificates     *Certificates     // nil: none is accepted
	AutoRegistration *AutoRegistration // nil: every machine waits for its validation
	Log              *slog.Logger
	Now              func() time.Time
}

// Credentials are what a machine logs in with.
type Credentials struct {
	ID        string
	Password  string
	TLS       *tls.ConnectionState // with a certificate that the client has shown, ID and Password do not count
	Scenarios []string             // that it runs; none leaves the known ones
	UserAgent string               // must be "name/version"
	Address   netip.Addr
}

// NewMachines returns Machines that are kept in machines.
func NewMachines(machines store.Machines, options MachineOptions) (*Machines, error) {
	logins, err := NewThrottle()
	if err != nil {
		return nil, err
	}
	registrations, err := NewThrottle()
	if err != nil {
		return nil, err
	}
	passwords, err := newPasswords()
	if err != nil {
		return nil, err
	}
	return &Machines{
		store: machines, options: options, passwords: passwords, logins: logins, registrations: registrations,
	}, nil
}

// Login checks credentials, stores what they tell about the machine, and returns its name. An address that
// guesses is refused for ReasonTooMany.
func (m *Machines) Login(ctx context.Context, credentials Credentials) (id string, err error) {
	if presented(credentials.TLS) {
		return m.loginWithCertificate(ctx, credentials)
	}
	if wait, ok := m.logins.Allow(credentials.Address, m.options.Now()); !ok {
		return "", tooMany(SideAgent, wait, "too many failed logins from this address")
	}
	err = m.loginWithPassword(ctx, credentials)
	if !errors.Is(err, errBadCredentials) {
		m.logins.Forgive(credentials.Address, m.options.Now())
	}
	return credentials.ID, err
}

func (m *Machines) loginWithPassword(ctx context.Context, credentials Credentials) error {
	_, version, err := splitAgent(credentials.UserAgent)
	if err != nil {
		return badCredentials(ReasonUserAgent, credentials.ID, err.Error())
	}
	machine, err := m.store.Machine(ctx, credentials.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	matches, err := m.passwords.matches(ctx, credentials.ID, machine.PasswordHash, credentials.Password)
	if err != nil {
		return err
	}
	if !matches {
		return badCredentials(ReasonPassword, credentials.ID, "unknown machine or wrong password")
	}
	if machine.AuthType == domain.AuthTLS {
		return agentRefusal(ReasonAuthType, "machine %s attempted to auth with password but it is configured to use tls", machine.ID)
	}
	if !machine.Validated {
		return notValidated(machine.ID)
	}
	return m.learn(ctx, machine, credentials, version)
}

// loginWithCertificate makes a machine known that it does not know yet: its authority vouches for it.
func (m *Machines) loginWithCertificate(ctx context.Context, credentials Credentials) (id string, err error) {
	commonName, err := m.options.Certificates.check(ctx, credentials.TLS)
	if err != nil {
		return "", err
	}
	id = certifiedName(commonName, credentials.Address)
	_, version, err := splitAgent(credentials.UserAgent)
	if err != nil {
		return "", badCredentials(ReasonUserAgent, id, err.Error())
	}
	machine, err := m.store.Machine(ctx, id)
	if fault.Is(err, fault.NotFound) {
		machine, err = m.addCertified(ctx, id, credentials.Address)
	}
	switch {
	case err != nil:
		return "", err
	case machine.AuthType != domain.AuthTLS:
		return "", agentRefusal(ReasonAuthType, "machine %s attempted to auth with a certificate but it is configured to use %s", id, machine.AuthType)
	case !machine.Validated:
		return "", notValidated(id)
	}
	return id, m.learn(ctx, machine, credentials, version)
}

// certifiedName is the name of who calls from address with a certificate.
func certifiedName(commonName string, address netip.Addr) string {
	return commonName + "@" + address.String()
}

// addCertified adds a machine with a password that nobody knows.
func (m *Machines) addCertified(ctx context.Context, id string, address netip.Addr) (domain.Machine, error) {
	hash, err := m.passwords.hash(ctx, rand.Text())
	if err != nil {
		return domain.Machine{}, err
	}
	machine := domain.Machine{
		ID: id, PasswordHash: hash, IPAddress: address.String(), AuthType: domain.AuthTLS, Validated: true,
	}
	err = m.store.AddMachine(ctx, machine)
	if fault.Is(err, fault.Exists) { // another request was faster
		return m.store.Machine(ctx, id)
	}
	if err == nil {
		//nolint:sloglint // published text: tutorials tell their readers to look for it
		m.options.Log.InfoContext(ctx, fmt.Sprintf("machine %s not found, create it", id))
	}
	return machine, err
}

func badCredentials(reason Reason, id, detail string) *RefusalError {
	return refuse(SideAgent, reason, fault.Unauthorized, errBadCredentials).because(fmt.Sprintf("machine %q: %s", id, detail))
}

func notValidated(id string) *RefusalError {
	return agentRefusal(ReasonNotValidated, "machine %s not validated", id)
}

func agentRefusal(reason Reason, format string, args ...any) *RefusalError {
	return refuse(SideAgent, reason, fault.Unauthorized, fmt.Errorf(format, args...))
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

// Check refuses a machine that has been deleted, or is not validated, since it got its token. One that shows a
// certificate, as it does with every request if it has logged in with one, is refused when that is not good any more.
func (m *Machines) Check(ctx context.Context, id string, state *tls.ConnectionState) error {
	machine, err := m.store.Machine(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return agentRefusal(ReasonGone, "machine %s does not exist any more", id)
	case err != nil:
		return err
	case !machine.Validated:
		return notValidated(id)
	case machine.AuthType != domain.AuthTLS || !presented(state):
		return nil
	}
	_, err = m.options.Certificates.check(ctx, state)
	return err
}

var errAgent = errors.New("user agent is not name/version")

// splitAgent divides a User-Agent into its two parts, no longer than they can be stored.
func splitAgent(agent string) (name, version string, err error) {
	parts := strings.Split(agent, "/")
	if len(parts) != 2 {
		return "", "", errAgent
	}
	return clip(parts[0]), clip(parts[1]), nil
}

func clip(text string) string {
	if utf8.RuneCountInString(text) <= maxColumn {
		return text
	}
	return string([]rune(text)[:maxColumn])
}
