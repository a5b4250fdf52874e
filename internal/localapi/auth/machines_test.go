package auth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/presence"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/platform/tlsfiles/tlstest"
)

// machineStore keeps machines in memory.
type machineStore struct {
	mu    sync.Mutex
	rows  map[string]domain.Machine
	race  func(*machineStore) // happens before an addition
	added int
}

func (s *machineStore) AddMachine(_ context.Context, m domain.Machine) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.race != nil {
		s.race(s)
	}
	if _, taken := s.rows[m.ID]; taken {
		return fault.Errorf(fault.Exists, "taken")
	}
	s.rows[m.ID] = m
	s.added++
	return nil
}

func (s *machineStore) Machine(_ context.Context, id string) (domain.Machine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.rows[id]
	if !ok {
		return domain.Machine{}, fault.Errorf(fault.NotFound, "no such machine")
	}
	return m, nil
}

func (s *machineStore) UpdateMachine(_ context.Context, id string, change store.MachineChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.rows[id]
	set(&m.IPAddress, change.IPAddress)
	set(&m.Version, change.Version)
	set(&m.Scenarios, change.Scenarios)
	s.rows[id] = m
	return nil
}

func (s *machineStore) Machines(context.Context) ([]domain.Machine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.rows)), nil
}

func (s *machineStore) DeleteMachine(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
	return nil
}

func newMachines(t *testing.T, s store.Machines, now *time.Time, options auth.MachineOptions) *auth.Machines {
	t.Helper()
	options.Log, options.Now = slog.New(slog.DiscardHandler), func() time.Time { return *now }
	machines, err := auth.NewMachines(s, options)
	if err != nil {
		t.Fatal(err)
	}
	return machines
}

func reasonOf(err error) auth.Reason {
	var refusal *auth.RefusalError
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

const registrationToken = "0123456789abcdef0123456789abcdef"

func autoRegistration() auth.MachineOptions {
	return auth.MachineOptions{AutoRegistration: &auth.AutoRegistration{
		Token: registrationToken, Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
	}}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	now := at(0)
	s := &machineStore{rows: map[string]domain.Machine{"taken": {}}}
	off, on := newMachines(t, s, &now, auth.MachineOptions{}), newMachines(t, s, &now, autoRegistration())
	inside := netip.MustParseAddr("10.1.2.3")
	for _, test := range []struct {
		name      string
		machines  *auth.Machines
		id, token string
		address   netip.Addr
		validated bool
		want      string // error
		reason    auth.Reason
	}{
		{"off", off, "a", registrationToken, inside, false, "", ""},
		{"no token", on, "b", "", inside, false, "", ""},
		{"good token", on, "c", registrationToken, inside, true, "", ""},
		{"good token over IPv6", on, "d", registrationToken, netip.MustParseAddr("2001:db8::1"), true, "", ""},
		{"no address", on, "e", registrationToken, netip.Addr{}, false, "", ""},
		{"wrong token", on, "f", strings.ToUpper(registrationToken), inside, false, "invalid token for auto registration", auth.ReasonRegistrationToken},
		{"longer token", on, "f", registrationToken + "0", inside, false, "invalid token for auto registration", auth.ReasonRegistrationToken},
		{"wrong network", on, "f", registrationToken, netip.MustParseAddr("192.0.2.1"), false, "IP not in allowed range for auto registration", auth.ReasonRegistrationAddress},
		{"taken", on, "taken", registrationToken, inside, true, "user 'taken': user already exist", ""},
	} {
		validated, err := test.machines.Register(t.Context(), auth.Registration{ID: test.id, Password: "p", Token: test.token, Address: test.address})
		if validated != test.validated || (err == nil) != (test.want == "") || err != nil && err.Error() != test.want || reasonOf(err) != test.reason {
			t.Errorf("%s: got %v, %v", test.name, validated, err)
		}
		if row, ok := s.rows[test.id]; err == nil && (!ok || row.Validated != test.validated || row.AuthType != domain.AuthPassword) {
			t.Errorf("%s: stored %+v", test.name, row)
		}
	}
	if _, ok := s.rows["f"]; ok {
		t.Error("a refused machine was stored")
	}
}

func TestRegistrationsFromAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	now := at(0)
	s := &machineStore{rows: map[string]domain.Machine{}}
	machines := newMachines(t, s, &now, autoRegistration())
	attempts, password := 0, "p"
	register := func(address, token string) error {
		attempts++
		_, err := machines.Register(t.Context(), auth.Registration{
			ID: fmt.Sprint(attempts), Password: password, Token: token, Address: netip.MustParseAddr(address),
		})
		return err
	}
	// A thousand wrong tokens in a second: all but the first few cost nothing, and nothing is kept of them.
	refusals := map[auth.Reason]int{}
	for range 1000 {
		now = now.Add(time.Millisecond)
		refusals[reasonOf(register("10.0.0.1", strings.Repeat("x", 32)))]++
	}
	if refusals[auth.ReasonRegistrationToken] != 20 || refusals[auth.ReasonTooMany] != 980 {
		t.Errorf("got %v", refusals)
	}
	if err := register("10.0.0.2", registrationToken); err != nil {
		t.Errorf("another address: %v", err)
	}
	var refusal *auth.RefusalError
	if err := register("10.0.0.1", registrationToken); !errors.As(err, &refusal) || refusal.RetryAfter <= 0 || refusal.RetryAfter > 6*time.Second {
		t.Fatalf("got %v", err)
	}
	now = now.Add(refusal.RetryAfter + time.Millisecond)
	if err := register("10.0.0.1", registrationToken); err != nil {
		t.Errorf("after waiting: %v", err)
	}
	password = strings.Repeat("p", 73) // is found out before it is hashed, which takes long
	for range 25 {                     // a fleet behind one address
		if err := register("10.0.0.3", registrationToken); !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	}
}

// connection is what a TLS connection with the certificate looks like.
func connection(pair tlstest.Pair, chain ...*x509.Certificate) *tls.ConnectionState {
	return &tls.ConnectionState{
		PeerCertificates: []*x509.Certificate{pair.Certificate},
		VerifiedChains:   [][]*x509.Certificate{append([]*x509.Certificate{pair.Certificate}, chain...)},
	}
}

func newCertificates(t *testing.T, ca *tlstest.Authority, side auth.Side, now *time.Time) *auth.Certificates {
	t.Helper()
	pool := ca.Pool()
	certificates, err := auth.NewCertificates(auth.CertificateOptions{
		Side: side, AllowedOUs: []string{"ou"}, Authorities: func() *x509.CertPool { return pool },
		HTTP: http.DefaultClient, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return certificates
}

func TestLoginWithACertificate(t *testing.T) {
	t.Parallel()
	now := at(0)
	ca := tlstest.NewAuthority(t, "CA")
	pair := ca.Issue(t, tlstest.Leaf{CommonName: "m", OUs: []string{"ou"}})
	credentials := auth.Credentials{
		ID: "ignored", Password: "ignored", TLS: connection(pair, ca.Certificate), UserAgent: "crowdsec/v1",
		Scenarios: []string{"a/b"}, Address: netip.MustParseAddr("10.0.0.1"),
	}
	other := domain.Machine{ID: "m@10.0.0.1", AuthType: domain.AuthPassword, Validated: true}
	waiting := domain.Machine{ID: "m@10.0.0.1", AuthType: domain.AuthTLS}
	for _, test := range []struct {
		name   string
		rows   map[string]domain.Machine
		race   func(*machineStore)
		change func(*auth.Credentials)
		want   auth.Reason
		added  int
	}{
		{"new", map[string]domain.Machine{}, nil, nil, "", 1},
		{"known", map[string]domain.Machine{"m@10.0.0.1": {ID: "m@10.0.0.1", AuthType: domain.AuthTLS, Validated: true}}, nil, nil, "", 0},
		{"another request was faster", map[string]domain.Machine{}, func(s *machineStore) {
			s.rows["m@10.0.0.1"] = domain.Machine{ID: "m@10.0.0.1", AuthType: domain.AuthTLS, Validated: true}
		}, nil, "", 0},
		{"not validated", map[string]domain.Machine{"m@10.0.0.1": waiting}, nil, nil, auth.ReasonNotValidated, 0},
		{"a name with a password", map[string]domain.Machine{"m@10.0.0.1": other}, nil, nil, auth.ReasonAuthType, 0},
		{"bad agent", map[string]domain.Machine{}, nil, func(c *auth.Credentials) { c.UserAgent = "x" }, auth.ReasonUserAgent, 0},
		{"not verified", map[string]domain.Machine{}, nil, func(c *auth.Credentials) {
			c.TLS = &tls.ConnectionState{PeerCertificates: c.TLS.PeerCertificates}
		}, auth.ReasonUntrusted, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &machineStore{rows: test.rows, race: test.race}
			machines := newMachines(t, s, &now, auth.MachineOptions{Certificates: newCertificates(t, ca, auth.SideAgent, &now)})
			sent := credentials
			if test.change != nil {
				test.change(&sent)
			}
			id, err := machines.Login(t.Context(), sent)
			if reasonOf(err) != test.want || (err == nil) != (id == "m@10.0.0.1") || s.added != test.added {
				t.Fatalf("got %q, %v, %d added", id, err, s.added)
			}
			if row := s.rows["m@10.0.0.1"]; err == nil && (row.Version != "v1" || len(row.Scenarios) != 1) {
				t.Errorf("stored %+v", row)
			}
		})
	}
	without := newMachines(t, &machineStore{}, &now, auth.MachineOptions{})
	if _, err := without.Login(t.Context(), credentials); reasonOf(err) != auth.ReasonUntrusted {
		t.Errorf("without TLS: %v", err)
	}
}

func TestASlowOCSPServerDoesNotOutliveTheRequest(t *testing.T) {
	t.Parallel()
	now := at(0)
	ca := tlstest.NewAuthority(t, "CA")
	asked, release := make(chan struct{}), make(chan struct{})
	server := serveOCSP(t, func() { close(asked); <-release })
	pair := ca.Issue(t, tlstest.Leaf{CommonName: "m", OUs: []string{"ou"}, OCSPServers: []string{server}})
	machines := newMachines(t, &machineStore{rows: map[string]domain.Machine{}}, &now,
		auth.MachineOptions{Certificates: newCertificates(t, ca, auth.SideAgent, &now)})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := machines.Login(ctx, auth.Credentials{TLS: connection(pair, ca.Certificate), UserAgent: "a/1", Address: netip.MustParseAddr("10.0.0.1")})
	close(release)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestBouncersWithACertificate(t *testing.T) {
	t.Parallel()
	now := at(0)
	ca := tlstest.NewAuthority(t, "CA")
	pair := ca.Issue(t, tlstest.Leaf{CommonName: "b", OUs: []string{"ou"}})
	who := auth.Caller{Key: "k", TLS: connection(pair, ca.Certificate), Address: netip.MustParseAddr("10.0.0.1"), UserAgent: "a/1"}
	s := &bouncerStore{rows: []domain.Bouncer{keyed(1, "k", "10.0.0.1")}}
	bouncers, err := auth.NewBouncers(s, auth.BouncerOptions{
		Certificates: newCertificates(t, ca, auth.SideBouncer, &now), Presence: presence.New(nil, nil),
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	if probed, err := bouncers.Probe(t.Context(), who); err != nil || probed.Name != "b@10.0.0.1" || len(s.rows) != 1 {
		t.Errorf("probed %+v, %v", probed, err)
	}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if b, err := bouncers.Authenticate(t.Context(), who); err != nil || b.Name != "b@10.0.0.1" || !b.AutoCreated {
				t.Errorf("got %+v, %v", b, err)
			}
		})
	}
	group.Wait()
	if s.names() != "k=10.0.0.1 b@10.0.0.1=10.0.0.1" {
		t.Errorf("left %q", s.names())
	}
	b, err := bouncers.Authenticate(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	cursor, pulled := int64(9), at(0)
	bouncers.Note(b, who.Address, store.BouncerChange{Cursor: &cursor, LastPull: &pulled})
	asked := s.asked
	if b, err = bouncers.Authenticate(t.Context(), who); err != nil || b.Cursor != 9 || s.asked != asked {
		t.Errorf("not remembered: %+v, %v", b, err)
	}
	other := ca.Issue(t, tlstest.Leaf{CommonName: "b", OUs: []string{"other"}})
	who.TLS = connection(other, ca.Certificate)
	var refusal *auth.RefusalError
	if _, err := bouncers.Authenticate(t.Context(), who); !errors.As(err, &refusal) || err.Error() != "access forbidden" ||
		!fault.Is(err, fault.Forbidden) || refusal.Reason != auth.ReasonOU || refusal.Certificate != other.Certificate || refusal.Detail == "" {
		t.Errorf("got %v, %+v", err, refusal)
	}
}

// serveOCSP runs a server that has nothing to say.
func serveOCSP(t *testing.T, asked func()) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked() }))
	t.Cleanup(server.Close)
	return server.URL
}
