package localapi_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/pki"
	"shieldwall/internal/platform/tlsfiles/tlstest"
	"shieldwall/internal/wire"
)

// issuing is a Local API with an authority.
type issuing struct {
	*secure
	authority *pki.Authority
}

func newIssuing(t *testing.T) *issuing {
	t.Helper()
	i := &issuing{}
	dir := t.TempDir()
	i.secure = newSecure(t, func(s *secure) {
		var err error
		if i.authority, err = pki.Init(dir, pki.Settings{
			Organization: "Test", Lifetime: 30 * 24 * time.Hour, CALifetime: 3000 * time.Hour,
		}, pki.Options{Now: s.clock}); err != nil {
			t.Fatal(err)
		}
		issued, err := i.authority.Issue(pki.Order{Kind: pki.Server, Name: "lapi", Hosts: []string{"127.0.0.1"}})
		if err != nil {
			t.Fatal(err)
		}
		s.authority = i.authority
		s.config.CertFile, s.config.KeyFile = issued.File, issued.KeyFile
		s.config.CACertFile, s.config.RootFile = filepath.Join(dir, pki.BundleFile), filepath.Join(dir, pki.RootFile)
		s.config.CRLFile = filepath.Join(dir, pki.CRLFile)
	})
	return i
}

// client trusts the authority and shows a certificate, if there is one.
func (i *issuing) client(pair *tls.Certificate) *http.Client {
	i.t.Helper()
	bundle, err := os.ReadFile(i.config.CACertFile)
	if err != nil {
		i.t.Fatal(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), Time: i.clock}
	config.RootCAs.AppendCertsFromPEM(bundle)
	if pair != nil {
		config.Certificates = []tls.Certificate{*pair}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	i.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (i *issuing) secret(kind pki.Kind) string {
	i.t.Helper()
	token, _, err := i.authority.Invite(pki.Invitation{Kind: kind, TTL: time.Hour})
	if err != nil {
		i.t.Fatal(err)
	}
	return token.Secret()
}

// requestFor returns a request in PEM, and its key.
func requestFor(t *testing.T, subject pkix.Name, key *ecdsa.PrivateKey) (string, *ecdsa.PrivateKey) {
	t.Helper()
	var err error
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw})), key
}

func document(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// join fetches a certificate, and checks it.
func (i *issuing) join(kind pki.Kind, name string) (*tls.Certificate, *ecdsa.PrivateKey) {
	i.t.Helper()
	csr, key := requestFor(i.t, pkix.Name{CommonName: name}, nil)
	return i.issued(i.client(nil), "/v1/join", document(i.t, wire.Join{Secret: i.secret(kind), CSR: csr}), key), key
}

func (i *issuing) issued(client *http.Client, path, body string, key *ecdsa.PrivateKey) *tls.Certificate {
	i.t.Helper()
	res := do(i.t, client, "POST", i.url+path, body)
	var answer wire.IssuedCertificate
	if err := json.Unmarshal([]byte(res.body), &answer); err != nil || res.status != 201 || strings.Count(answer.Bundle, "BEGIN CERT") != 2 {
		i.t.Fatalf("got %+v, %v", res, err)
	}
	private, err := pki.EncodeKey(key)
	if err != nil {
		i.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(answer.Certificate), private)
	if err != nil || len(pair.Certificate) != 2 {
		i.t.Fatalf("got %d certificates, %v", len(pair.Certificate), err)
	}
	return &pair
}

func TestJoiningMachinesAreLetIn(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	agent, _ := i.join(pki.Agent, "web-1")
	i.want("200", i.login(i.client(agent)))
	bouncer, _ := i.join(pki.Bouncer, "fw-1")
	i.want("200", i.pull(i.client(bouncer)))
	i.logged("certificate issued", "way=join", `subject="CN=web-1,OU=agent-ou,O=Test"`, "address=127.0.0.1")
	i.logged("certificate issued", "way=join", `subject="CN=fw-1,OU=bouncer-ou,O=Test"`)
	if got := strings.Join(counts(t, i.fixture), "\n"); !strings.Contains(got, `cs_lapi_certificates_issued_total{way="join"} 2`) {
		t.Errorf("metrics:\n%s", got)
	}
}

func TestJoiningIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	csr, _ := requestFor(t, pkix.Name{CommonName: "web-1"}, nil)
	taken, _ := requestFor(t, pkix.Name{CommonName: "lapi"}, nil)
	used := i.secret(pki.Agent)
	good := i.secret(pki.Agent)
	ask := func(body string) string { return i.ask(i.client(nil), "POST", "/v1/join", body) }
	ask(document(t, wire.Join{Secret: used, CSR: csr}))
	for _, c := range []struct{ body, want string }{
		{document(t, wire.Join{Secret: "guessed", CSR: csr}), "403 the join token is unknown"},
		{document(t, wire.Join{Secret: used, CSR: csr}), "403 the join token was used already, by web-1 on 2026-11-21T19:00:00Z"},
		{document(t, wire.Join{Secret: good, CSR: taken}), "403 the name lapi belongs to a certificate that is valid until 2026-12-21T19:00:00Z: renew that one, or revoke it first ('cscli pki revoke lapi')"},
		{document(t, wire.Join{Secret: good, CSR: "-----"}), "400 csr: no certificate request in PEM"},
		{`{"secret":"x"}`, "422 validation failure list:\ncsr in body is required"},
		{`{`, "400 unexpected EOF"},
	} {
		if got := ask(c.body); got != c.want {
			t.Errorf("%.60s:\n got %s\nwant %s", c.body, got, c.want)
		}
	}
	i.logged("access refused", "side=newcomer", `reason="the join token is unknown"`, "address=127.0.0.1")
	i.wait(time.Hour)
	i.want("403 the join token has expired on 2026-11-21T20:00:00Z", ask(document(t, wire.Join{Secret: good, CSR: csr})))
	if strings.Contains(i.log.String(), good) || strings.Contains(i.log.String(), used) {
		t.Error("a secret is in the log")
	}
}

func TestGuessingTokensIsBounded(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	csr, _ := requestFor(t, pkix.Name{CommonName: "web-1"}, nil)
	client := i.client(nil)
	body := document(t, wire.Join{Secret: "guessed", CSR: csr})
	for range 20 {
		i.want("403 the join token is unknown", i.ask(client, "POST", "/v1/join", body))
	}
	i.want("429 too many attempts to join from this address", i.ask(client, "POST", "/v1/join", body))
}

// TestIssuingNeedsTLSAndAnAuthority: without the one it is forbidden, without the other there is no such route.
func TestIssuingNeedsTLSAndAnAuthority(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	csr, _ := requestFor(t, pkix.Name{CommonName: "web-1"}, nil)
	body := document(t, wire.Join{Secret: i.secret(pki.Agent), CSR: csr})
	i.expect(403, `{"message":"certificates are issued over TLS only"}`, send(t, i.server.Handler(), "127.0.0.1:4000", "POST", "/v1/join", body))
	w := send(t, i.server.Handler(), "127.0.0.1:4000", "POST", "/v1/renew", body)
	i.expect(401, `{"code":401,"message":"a client certificate is needed"}`, w)
	without := newFixture(t)
	for _, path := range []string{"/v1/join", "/v1/renew"} {
		without.expect(404, `{"message":"this Local API issues no certificates"}`, without.call("POST", path, body))
	}
}

func TestRenewing(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	for kind, name := range map[pki.Kind]string{pki.Agent: "web-1", pki.Bouncer: "fw-1"} {
		first, key := i.join(kind, name)
		i.wait(time.Hour)
		csr, _ := requestFor(t, first.Leaf.Subject, key)
		next := i.issued(i.client(first), "/v1/renew", document(t, wire.Renewal{CSR: csr}), key)
		if next.Leaf.Subject.String() != first.Leaf.Subject.String() || !next.Leaf.NotAfter.Equal(first.Leaf.NotAfter.Add(time.Hour)) {
			t.Errorf("renewed %s until %v", next.Leaf.Subject, next.Leaf.NotAfter)
		}
		i.logged("certificate issued", "way=renew", `subject="CN=`+name)
		other, _ := requestFor(t, pkix.Name{CommonName: "admin"}, key)
		if got := i.ask(i.client(first), "POST", "/v1/renew", document(t, wire.Renewal{CSR: other})); !strings.HasPrefix(got, "403 the request is for CN=admin") {
			t.Errorf("got %s", got)
		}
		if _, err := i.authority.Revoke(name); err != nil {
			t.Fatal(err)
		}
		i.wait(5 * time.Second)
		i.want("401 certificate revoked by CRL", i.ask(i.client(first), "POST", "/v1/renew", document(t, wire.Renewal{CSR: csr})))
	}
	csr, _ := requestFor(t, pkix.Name{CommonName: "x"}, nil)
	i.want("401 a client certificate is needed", i.ask(i.client(nil), "POST", "/v1/renew", document(t, wire.Renewal{CSR: csr})))
}

// TestARevokedMachineIsRefusedAlthoughItHasAToken, as long as it shows the certificate that it has logged in with.
func TestARevokedMachineIsRefusedAlthoughItHasAToken(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	agent, _ := i.join(pki.Agent, "web-1")
	client := i.client(agent)
	i.want("200", i.login(client))
	bearer := "Bearer " + i.token("web-1@127.0.0.1")
	i.want("200", i.ask(client, "GET", "/v1/heartbeat", "", "Authorization", bearer))
	if _, err := i.authority.Revoke("web-1"); err != nil {
		t.Fatal(err)
	}
	i.wait(5 * time.Second)
	i.want("401 certificate revoked by CRL", i.ask(client, "GET", "/v1/heartbeat", "", "Authorization", bearer))
	i.logged("access refused", "side=agent", `reason="certificate revoked by CRL"`, `subject="CN=web-1,`)
}

// TestWhoIsRefusedIsToldWhy although the published answer to bouncers does not say.
func TestWhoIsRefusedIsToldWhy(t *testing.T) {
	t.Parallel()
	s := newSecure(t)
	pair := s.agent(tlstest.Leaf{CommonName: "a"})
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/v1/decisions", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.client(pair).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if got := res.Header.Get(wire.RefusalHeader); res.StatusCode != 403 || got != "client certificate OU [agent-ou] doesn't match expected OU [bouncer-ou]" {
		t.Errorf("got %d, %q", res.StatusCode, got)
	}
}

// TestTheRootIsShown: who joins knows nothing but its fingerprint.
func TestTheRootIsShown(t *testing.T) {
	t.Parallel()
	i := newIssuing(t)
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", i.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	secured, ok := conn.(*tls.Conn)
	if !ok {
		t.Fatal("no TLS")
	}
	shown := secured.ConnectionState().PeerCertificates
	if len(shown) != 3 || !bytes.Equal(shown[2].RawSubject, shown[2].RawIssuer) {
		t.Errorf("%d certificates are shown", len(shown))
	}
}
