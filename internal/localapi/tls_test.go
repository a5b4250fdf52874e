package localapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/ocsp"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi"
	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/platform/tlsfiles/tlstest"
	"shieldwall/internal/wire"
)

// secure is a Local API with TLS, and the authority of its clients.
type secure struct {
	*fixture
	ca     *tlstest.Authority // of everybody
	agents *tlstest.Authority // an intermediate of it
	dir    string
	url    string
	config localapi.TLS
}

func newSecure(t *testing.T, change ...func(*secure)) *secure {
	t.Helper()
	s := &secure{fixture: newFixture(t), ca: tlstest.NewAuthority(t, "Test CA"), dir: t.TempDir()}
	s.agents = s.ca.Intermediate(t, "Test Agents CA")
	s.config = localapi.TLS{
		ClientVerification: tls.VerifyClientCertIfGiven, AgentsAllowedOU: []string{"agent-ou"}, BouncersAllowedOU: []string{"bouncer-ou"},
	}
	s.config.CertFile, s.config.KeyFile = s.ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).Write(t, s.dir, "server")
	s.config.CACertFile = s.ca.Write(t, s.dir)
	for _, apply := range change {
		apply(s)
	}
	s.server = s.start(func(cfg *localapi.Config) { cfg.Listen, cfg.TLS = "127.0.0.1:0", &s.config })
	serve(t, s.server)
	s.url = "https://" + s.server.Addr().String()
	return s
}

// crl puts a list in force that names certificates of the intermediate authority.
func (s *secure) crl(revoked ...*x509.Certificate) {
	s.t.Helper()
	s.config.CRLFile = tlstest.Replace(s.t, filepath.Join(s.dir, "crl.pem"), s.agents.CRL(s.t, tlstest.CRL{Revoked: revoked}))
}

// client returns a client that keeps its connection; pair may be nil.
func (s *secure) client(pair *tlstest.Pair) *http.Client {
	config := &tls.Config{RootCAs: s.ca.Pool()}
	if pair != nil {
		// Even when the server does not name the authority of the certificate.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certificate := pair.TLS()
			return &certificate, nil
		}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// refusal returns what the server says when it does not like a certificate. Who only listens hears it for
// sure, while a request may find no more than that the connection is gone.
func (s *secure) refusal(pair *tlstest.Pair) string {
	s.t.Helper()
	transport, ok := s.client(pair).Transport.(*http.Transport)
	if !ok {
		s.t.Fatal("not a transport")
	}
	dialer := &tls.Dialer{Config: transport.TLSClientConfig}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", s.server.Addr().String())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	return fmt.Sprint(err)
}

func (s *secure) agent(leaf tlstest.Leaf) *tlstest.Pair {
	s.t.Helper()
	if leaf.CommonName == "" {
		leaf.CommonName = "agent-1"
	}
	if leaf.OUs == nil {
		leaf.OUs = []string{"agent-ou"}
	}
	pair := s.agents.Issue(s.t, leaf)
	return &pair
}

func (s *secure) bouncerPair() *tlstest.Pair {
	s.t.Helper()
	return s.agent(tlstest.Leaf{CommonName: "fw", OUs: []string{"bouncer-ou"}})
}

// login logs in and returns the status and the message, or the transport's error.
func (s *secure) login(client *http.Client) string {
	s.t.Helper()
	return s.ask(client, "POST", "/v1/watchers/login", `{"scenarios":["a/b"]}`)
}

// pull asks for decisions as a bouncer does.
func (s *secure) pull(client *http.Client, headers ...string) string {
	s.t.Helper()
	return s.ask(client, "GET", "/v1/decisions", "", headers...)
}

func (s *secure) ask(client *http.Client, method, path, body string, headers ...string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "crowdsec/v1.7.4-linux")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	var answer wire.Message
	_ = json.NewDecoder(res.Body).Decode(&answer) // many answers have no message
	_, _ = io.Copy(io.Discard, res.Body)
	return strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, answer.Message))
}

func (s *secure) want(want, got string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("got %q\nwant %q", got, want)
	}
}

// logged waits until a line with all the parts is in the log.
func (s *secure) logged(parts ...string) {
	s.t.Helper()
	found := eventually(func() bool {
		for line := range strings.Lines(s.log.String()) {
			if containsAll(line, parts) {
				return true
			}
		}
		return false
	})
	if !found {
		s.t.Errorf("not logged: %q\n%s", parts, s.log)
	}
}

// eventually waits for what happens after the answer to a client, and reports whether it does.
func eventually(happened func() bool) bool {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

func containsAll(line string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(line, part) {
			return false
		}
	}
	return true
}

func TestAgentsLogInWithCertificates(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	client := s.client(s.agent(tlstest.Leaf{}))
	res := do(t, client, "POST", s.url+"/v1/watchers/login", `{"scenarios":["a/b"]}`, "User-Agent", "crowdsec/v1.7.4-linux")
	var token wire.Token
	if err := json.Unmarshal([]byte(res.body), &token); err != nil || res.status != 200 || res.protocol != "HTTP/2.0" {
		t.Fatalf("got %+v, %v", res, err)
	}
	machine, err := s.store.Machine(t.Context(), "agent-1@127.0.0.1")
	if err != nil || machine.AuthType != domain.AuthTLS || !machine.Validated || machine.IPAddress != "127.0.0.1" ||
		machine.Version != "v1.7.4-linux" || !strings.HasPrefix(machine.PasswordHash, "$2a$10$") {
		t.Errorf("stored %+v, %v", machine, err)
	}
	s.want("200", s.ask(s.client(nil), "GET", "/v1/heartbeat", "", "Authorization", "Bearer "+token.Token))
	s.want("401 cookie token is empty", s.ask(client, "GET", "/v1/heartbeat", ""))
	s.want("200", s.login(client))
	s.want("200", s.ask(client, "POST", "/v1/watchers/login", `{}`))
	s.want("401 missing scenarios list in login request for TLS auth: EOF", s.ask(client, "POST", "/v1/watchers/login", ""))
	s.want("401 incorrect Username or Password", s.ask(client, "POST", "/v1/watchers/login", "{}", "User-Agent", "crowdsec"))
	s.want("401 machine agent-1@127.0.0.1 attempted to auth with password but it is configured to use tls",
		s.passwordLogin("agent-1@127.0.0.1"))
	if machines, err := s.store.Machines(t.Context()); err != nil || len(machines) != 1 {
		t.Errorf("%d machines, %v", len(machines), err)
	}
}

// passwordLogin tries to log in as a machine that was given the password "secret-p" behind the API's back.
func (s *secure) passwordLogin(id string) string {
	s.t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret-p"), bcrypt.MinCost)
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(hash)
	if err := s.store.UpdateMachine(s.t.Context(), id, store.MachineChange{PasswordHash: &text}); err != nil {
		s.t.Fatal(err)
	}
	return s.ask(s.client(nil), "POST", "/v1/watchers/login", `{"machine_id":"`+id+`","password":"secret-p"}`)
}

func TestBouncersUseCertificates(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	key := s.bouncer()
	client := s.client(s.bouncerPair())
	s.want("200", s.ask(client, "HEAD", "/v1/decisions", ""))
	s.want("200", s.ask(client, "HEAD", "/v1/decisions/stream", ""))
	if rows, err := s.store.Bouncers(t.Context(), store.BouncerFilter{}); err != nil || len(rows) != 1 {
		t.Errorf("a probe has left %d bouncers, %v", len(rows), err)
	}
	s.want("200", s.pull(client, "User-Agent", "crowdsec-firewall-bouncer/v0.0.34"))
	s.want("200", s.ask(client, "GET", "/v1/decisions/stream?startup=true", "", "User-Agent", "crowdsec-firewall-bouncer/v0.0.34"))
	s.flush()
	rows, err := s.store.Bouncers(t.Context(), store.BouncerFilter{Name: "fw@127.0.0.1"})
	if err != nil || len(rows) != 1 {
		t.Fatalf("stored %+v, %v", rows, err)
	}
	if row := rows[0]; row.AuthType != domain.AuthTLS || !row.AutoCreated || row.IPAddress != "127.0.0.1" ||
		row.Type != "crowdsec-firewall-bouncer" || row.Version != "v0.0.34" || len(row.KeyHash) != 128 || row.LastPull.IsZero() {
		t.Errorf("stored %+v", row)
	}
	s.want("200", s.pull(s.client(nil), key...))
	s.want("403 access forbidden", s.pull(s.client(nil)))
	// A certificate counts, whatever else is there.
	agent := s.client(s.agent(tlstest.Leaf{}))
	s.want("403 access forbidden", s.pull(agent, key...))
	s.logged("access refused", "side=bouncer", `detail="client certificate OU [agent-ou] doesn't match expected OU [bouncer-ou]"`,
		`subject="CN=agent-1,OU=agent-ou"`, `issuer="CN=Test Agents CA"`, "address=127.0.0.1")
	if strings.Contains(s.log.String(), key[1]) {
		t.Error("a key was logged")
	}
}

func TestRowsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	s.machine("agent-1@127.0.0.1")
	s.want("401 machine agent-1@127.0.0.1 attempted to auth with a certificate but it is configured to use password",
		s.login(s.client(s.agent(tlstest.Leaf{}))))
	for name, row := range map[string]domain.Bouncer{
		"of a key": {Name: "fw@127.0.0.1", KeyHash: auth.HashKey("x"), AuthType: domain.AuthAPIKey},
		"revoked":  {Name: "gone@127.0.0.1", KeyHash: auth.HashKey("y"), AuthType: domain.AuthTLS, Revoked: true},
	} {
		if _, err := s.store.AddBouncer(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		commonName, _, _ := strings.Cut(row.Name, "@")
		pair := s.agent(tlstest.Leaf{CommonName: commonName, OUs: []string{"bouncer-ou"}})
		if got := s.pull(s.client(pair)); got != "403 access forbidden" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestCertificatesThatAreRefusedInTheHandshake(t *testing.T) {
	t.Parallel()
	s := newSecure(t, func(s *secure) { s.config.ClientVerification = tls.RequireAndVerifyClientCert })
	stranger := tlstest.NewAuthority(t, "Other CA").Issue(t, tlstest.Leaf{CommonName: "stranger", OUs: []string{"agent-ou"}})
	now := s.clock()
	for name, test := range map[string]struct {
		pair   *tlstest.Pair
		client string   // what the client is told
		server []string // what the server says
	}{
		"wrong authority": {&stranger, "unknown certificate authority", []string{
			`reason="tls: failed to verify certificate: x509: certificate signed by unknown authority`, "subject=\"CN=stranger,OU=agent-ou\"", `issuer="CN=Other CA"`,
		}},
		"expired": {s.agent(tlstest.Leaf{CommonName: "old", NotAfter: now.Add(-time.Hour)}), "expired certificate", []string{
			"certificate has expired or is not yet valid", `subject="CN=old,OU=agent-ou"`, `issuer="CN=Test Agents CA"`,
		}},
		"not yet valid": {s.agent(tlstest.Leaf{CommonName: "young", NotBefore: now.Add(time.Hour)}), "expired certificate", []string{
			"certificate has expired or is not yet valid", `subject="CN=young,OU=agent-ou"`,
		}},
		"for servers": {s.agent(tlstest.Leaf{CommonName: "www", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), "bad certificate", []string{
			"incompatible key usage", `subject="CN=www,OU=agent-ou"`,
		}},
		"none": {nil, "certificate required", []string{"client didn't provide a certificate"}},
	} {
		if got := s.refusal(test.pair); !strings.Contains(got, test.client) {
			t.Errorf("%s: the client is told %s", name, got)
		}
		s.logged(append(test.server, "TLS handshake failed", "address=127.0.0.1")...)
	}
	s.want("200", s.login(s.client(s.agent(tlstest.Leaf{}))))
	metrics := strings.Join(counts(t, s.fixture), "\n")
	for _, want := range []string{
		`cs_lapi_refusals_total{reason="certificate_untrusted",side="unknown"} 2`,
		`cs_lapi_refusals_total{reason="certificate_expired",side="unknown"} 2`,
		`cs_lapi_refusals_total{reason="no_certificate",side="unknown"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
}

func TestClientsThatRefuseTheServerAreNoted(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: tlstest.NewAuthority(t, "Other CA").Pool()}}}
	if got := s.login(client); !strings.Contains(got, "unknown authority") {
		t.Errorf("got %s", got)
	}
	s.logged("TLS handshake failed", `reason="remote error: tls: bad certificate"`, `subject="CN=lapi"`, `issuer="CN=Test CA"`)
}

func TestComplaintsAboutAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	s := newSecure(t, func(s *secure) { s.config.ClientVerification = tls.RequireAndVerifyClientCert })
	const attempts = 30
	for range attempts {
		s.refusal(nil)
	}
	all := fmt.Sprintf(`cs_lapi_refusals_total{reason="no_certificate",side="unknown"} %d`, attempts)
	if !eventually(func() bool { return slices.Contains(counts(t, s.fixture), all) }) {
		t.Fatalf("not counted: %s", all)
	}
	s.wait(time.Hour)
	s.refusal(s.agent(tlstest.Leaf{CommonName: "last", NotAfter: s.clock().Add(-time.Minute)}))
	s.logged("TLS handshake failed", "CN=last")
	if lines := strings.Count(s.log.String(), `msg="TLS handshake failed"`); lines >= attempts {
		t.Errorf("%d lines", lines)
	}
}

func TestRequestsWithACertificateThatIsNotGood(t *testing.T) {
	t.Parallel()
	s := newSecure(t, func(s *secure) { s.config.CacheFor = time.Hour; s.crl() })
	s.want("401 client certificate OU [other] doesn't match expected OU [agent-ou]", s.login(s.client(s.agent(tlstest.Leaf{OUs: []string{"other"}}))))
	s.want("200", s.login(s.client(s.agent(tlstest.Leaf{OUs: []string{"other", "agent-ou"}}))))
	s.logged("access refused", "side=agent", `subject="CN=agent-1,OU=other"`)
	// It ends while its connection stays open.
	short := s.client(s.agent(tlstest.Leaf{NotAfter: s.clock().Add(time.Minute).Truncate(time.Second)}))
	s.want("200", s.login(short))
	s.wait(2 * time.Minute)
	s.want("401 client certificate has expired on 2026-11-21T19:01:00Z", s.login(short))
}

func TestCertificatesThatNobodyHasVerified(t *testing.T) {
	t.Parallel()
	for _, mode := range []tls.ClientAuthType{tls.RequestClientCert, tls.RequireAnyClientCert} {
		s := newSecure(t, func(s *secure) { s.config.ClientVerification = mode })
		s.want("401 no verified cert in request", s.login(s.client(s.agent(tlstest.Leaf{}))))
		s.want("403 access forbidden", s.pull(s.client(s.bouncerPair())))
	}
	s := newSecure(t, func(s *secure) { s.config.ClientVerification = tls.NoClientCert })
	s.want("200", s.pull(s.client(s.bouncerPair()), s.bouncer()...))
}

func TestRevokedByCRL(t *testing.T) {
	t.Parallel()
	s := newSecure(t, func(s *secure) { s.crl() })
	pair, other, bouncer := s.agent(tlstest.Leaf{}), s.agent(tlstest.Leaf{CommonName: "agent-2"}), s.bouncerPair()
	client, pulls := s.client(pair), s.client(bouncer)
	s.want("200", s.login(client))
	s.want("200", s.pull(pulls))
	s.crl(pair.Certificate, bouncer.Certificate)
	s.want("200", s.login(client)) // the file was just looked at
	s.wait(5 * time.Second)        // far less than the hour for which good answers hold
	s.want("401 certificate revoked by CRL", s.login(client))
	s.want("401 (cache) certificate revoked by CRL", s.login(client))
	s.want("403 access forbidden", s.pull(pulls))
	s.logged("access refused", "side=bouncer", `detail="certificate revoked by CRL"`, `subject="CN=fw,OU=bouncer-ou"`)
	s.want("200", s.login(s.client(other)))
	s.crl()
	s.wait(5 * time.Second)
	s.want("200", s.login(client))
	if err := os.WriteFile(s.config.CRLFile, []byte("-----BEGIN X509 CRL-----\nMII"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wait(5 * time.Second)
	s.want("200", s.login(client))
	s.logged("changed files cannot be used, their old content stays in force", s.config.CRLFile)
}

func TestListsThatCountAndThatDoNot(t *testing.T) {
	t.Parallel()
	// Another authority of the same name cannot revoke what it has not issued.
	s := newSecure(t, func(s *secure) { s.crl() })
	pair := s.agent(tlstest.Leaf{})
	impostor := s.ca.Intermediate(t, "Test Agents CA")
	old := s.agents.CRL(t, tlstest.CRL{Revoked: []*x509.Certificate{pair.Certificate}, NextUpdate: s.clock().Add(-time.Hour)})
	forged := impostor.CRL(t, tlstest.CRL{Revoked: []*x509.Certificate{pair.Certificate}})
	s.use(forged)
	s.want("200", s.login(s.client(pair)))
	s.use(append(forged, old...))
	s.want("401 certificate revoked by CRL", s.login(s.client(pair)))
	s.logged("a CRL is out of date", `issuer="CN=Test Agents CA"`)
	// The intermediate itself is revoked by the root.
	s.use(s.ca.CRL(t, tlstest.CRL{Revoked: []*x509.Certificate{s.agents.Certificate}}))
	s.want("401 certificate revoked by CRL", s.login(s.client(pair)))
}

// use puts a file of lists in force.
func (s *secure) use(crl []byte) {
	s.t.Helper()
	tlstest.Replace(s.t, s.config.CRLFile, crl)
	s.wait(5 * time.Second)
}

func TestRevokedByOCSP(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	responder := s.agents.Responder(t, nil)
	pair := s.agent(tlstest.Leaf{OCSPServers: []string{"http://127.0.0.1:1/", responder.URL}})
	serial := pair.Certificate.SerialNumber
	client := s.client(pair)
	s.want("200", s.login(client))
	s.want("200", s.login(client))
	if asked := responder.Asked(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	responder.Set(serial, ocsp.Revoked)
	s.wait(59 * time.Minute)
	s.want("200", s.login(client))
	s.wait(time.Minute)
	s.want("401 certificate revoked by OCSP", s.login(client))
	s.want("401 (cache) certificate revoked by OCSP", s.login(client))
	// Nobody knows: let in, and ask again soon.
	for name, silence := range map[string]func(){
		"unknown": func() { responder.Set(serial, ocsp.Unknown) }, "silent": func() { responder.Silence(true) },
	} {
		silence()
		s.wait(time.Hour)
		before := responder.Asked()
		s.want("200", s.login(client))
		s.want("200", s.login(client))
		s.wait(10 * time.Second)
		s.want("200", s.login(client))
		if asked := responder.Asked() - before; asked != 2 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
	s.logged("an OCSP server does not help", responder.URL)
}

func TestOnlyResponderCertificatesVouch(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	for name, test := range map[string]struct {
		usage []x509.ExtKeyUsage
		want  string
	}{
		"responder":      {[]x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, "401 certificate revoked by OCSP"},
		"another client": {[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, "200"},
	} {
		signer := s.agents.Issue(t, tlstest.Leaf{CommonName: "signer", Usage: test.usage})
		responder := s.agents.Responder(t, &signer)
		pair := s.agent(tlstest.Leaf{OCSPServers: []string{responder.URL}})
		responder.Set(pair.Certificate.SerialNumber, ocsp.Revoked)
		if got := s.login(s.client(pair)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestAuthoritiesAreReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	next := tlstest.NewAuthority(t, "Next CA")
	pair := next.Issue(t, tlstest.Leaf{CommonName: "agent-9", OUs: []string{"agent-ou"}})
	before := s.client(s.agent(tlstest.Leaf{}))
	s.want("200", s.login(before))
	if got := s.refusal(&pair); !strings.Contains(got, "unknown certificate authority") {
		t.Errorf("got %s", got)
	}
	tlstest.Replace(t, s.config.CACertFile, next.PEM())
	s.wait(5 * time.Second)
	s.want("200", s.login(s.client(&pair)))
	if got := s.login(before); !strings.HasPrefix(got, "401 x509: certificate signed by unknown authority") {
		t.Errorf("on a connection of the old authority: %s", got)
	}
}

func TestTheServerCertificateIsReplacedWithoutARefusal(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	var (
		group sync.WaitGroup
		calls atomic.Int64
		done  atomic.Bool
	)
	for range 4 {
		group.Go(func() {
			for !done.Load() {
				client := s.client(nil) // a new connection each time
				if got := s.ask(client, "GET", "/health", ""); got != "200" {
					t.Errorf("got %s", got)
				}
				client.CloseIdleConnections()
				calls.Add(1)
			}
		})
	}
	for i := range 10 {
		name := fmt.Sprintf("lapi-%d", i)
		next := s.ca.Issue(t, tlstest.Leaf{CommonName: name})
		dir := t.TempDir()
		certFile, keyFile := next.Write(t, dir, "server")
		for from, to := range map[string]string{certFile: s.config.CertFile, keyFile: s.config.KeyFile} { // one after the other
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
			s.wait(2 * time.Second)
			s.served() // with whatever is there in between
		}
		for deadline := time.Now().Add(20 * time.Second); s.served() != name; { // another may be reading the files just now
			if time.Now().After(deadline) {
				t.Fatalf("%s is not served", name)
			}
		}
	}
	done.Store(true)
	group.Wait()
	if err := os.WriteFile(s.config.CertFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wait(2 * time.Second)
	if got := s.served(); got != "lapi-9" {
		t.Errorf("a broken file is served as %s", got)
	}
	s.logged("changed files cannot be used, their old content stays in force", s.config.CertFile)
	t.Logf("%d connections", calls.Load())
}

// served returns the common name of the certificate that a new connection gets.
func (s *secure) served() string {
	s.t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: s.ca.Pool(), ServerName: "localhost"}}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", s.server.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	secure, ok := conn.(*tls.Conn)
	if !ok {
		s.t.Fatalf("%T", conn)
	}
	return secure.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestPlainAndOldSpeakersOnTheTLSPort(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", s.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil || string(text) != "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n" {
		t.Errorf("got %q, %v", text, err)
	}
	old := &tls.Dialer{Config: &tls.Config{RootCAs: s.ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}
	if _, err := old.DialContext(t.Context(), "tcp", s.server.Addr().String()); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestTheSocketStaysPlain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ca, dir := tlstest.NewAuthority(t, "Test CA"), t.TempDir()
	certFile, keyFile := ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).Write(t, dir, "server")
	socket := filepath.Join(dir, "lapi.sock")
	serve(t, f.start(func(cfg *localapi.Config) {
		cfg.Listen, cfg.Socket, cfg.TLS = "127.0.0.1:0", socket, &localapi.TLS{CertFile: certFile, KeyFile: keyFile}
	}))
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}}}
	if res := do(t, client, "GET", "http://unix/health", ""); res.status != 200 {
		t.Errorf("got %+v", res)
	}
}

func TestTLSFilesThatCannotBeUsedAreErrorsAtStart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ca, dir := tlstest.NewAuthority(t, "Test CA"), t.TempDir()
	certFile, keyFile := ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).Write(t, dir, "server")
	good := localapi.TLS{CertFile: certFile, KeyFile: keyFile, ClientVerification: tls.VerifyClientCertIfGiven}
	for want, change := range map[string]func(*localapi.TLS){
		"unable to load certificate '/none' and key '" + keyFile + "'": func(c *localapi.TLS) { c.CertFile = "/none" },
		"unable to load CA certificates: open /none":                   func(c *localapi.TLS) { c.CACertFile = "/none" },
		"unable to load CRL: open /none":                               func(c *localapi.TLS) { c.CRLFile = "/none" },
	} {
		cfg := good
		change(&cfg)
		_, err := localapi.New(t.Context(), localapi.Config{Secret: secret, TLS: &cfg}, localapi.Deps{Store: f.store})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
