package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/tlsfiles"
)

// world is an authority at a time of its own.
type world struct {
	*pki.Authority

	t   *testing.T
	dir string
	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "pki"), now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	var err error
	if w.Authority, err = pki.Init(w.dir, settings(), w.options()); err != nil {
		t.Fatal(err)
	}
	return w
}

func settings() pki.Settings {
	return pki.Settings{Organization: "Test", Lifetime: 90 * 24 * time.Hour, CALifetime: 10 * 365 * 24 * time.Hour}
}

func (w *world) options() pki.Options { return pki.Options{Now: w.clock} }

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) later(passed time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(passed)
}

func (w *world) issue(order pki.Order) pki.Issued {
	w.t.Helper()
	issued, err := w.Issue(order)
	if err != nil {
		w.t.Fatal(err)
	}
	return issued
}

func (w *world) pair(issued pki.Issued) *tls.Certificate {
	w.t.Helper()
	pair, err := tlsfiles.Pair(issued.File, issued.KeyFile)
	if err != nil {
		w.t.Fatal(err)
	}
	return pair
}

// verify checks a certificate as the other side does: with the root alone, and what is sent along.
func (w *world) verify(pair *tls.Certificate, usage x509.ExtKeyUsage, host string) error {
	w.t.Helper()
	root, err := os.ReadFile(filepath.Join(w.dir, pki.RootFile))
	if err != nil {
		w.t.Fatal(err)
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: w.clock(), DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage},
	}
	options.Roots.AppendCertsFromPEM(root)
	for _, raw := range pair.Certificate[1:] {
		above, err := x509.ParseCertificate(raw)
		if err != nil {
			w.t.Fatal(err)
		}
		options.Intermediates.AddCert(above)
	}
	_, err = pair.Leaf.Verify(options)
	return err
}

// listed returns the serial numbers on the list of revoked certificates, which is signed by the intermediate.
func (w *world) listed() []string {
	w.t.Helper()
	lists, err := tlsfiles.RevocationLists(filepath.Join(w.dir, pki.CRLFile))
	if err != nil {
		w.t.Fatal(err)
	}
	bundle, err := tlsfiles.Certificates(filepath.Join(w.dir, pki.BundleFile))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := lists[0].CheckSignatureFrom(bundle[0]); err != nil {
		w.t.Fatal(err)
	}
	if !lists[0].NextUpdate.After(w.clock()) {
		w.t.Errorf("the list is out of date since %v", lists[0].NextUpdate)
	}
	var serials []string
	for _, entry := range lists[0].RevokedCertificateEntries {
		serials = append(serials, pad(entry.SerialNumber.Text(16)))
	}
	return serials
}

func pad(serial string) string { return strings.Repeat("0", 32-len(serial)) + serial }

func request(t *testing.T, name string) *x509.CertificateRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: name, OrganizationalUnit: []string{"bouncer-ou", "root-ou"}}, DNSNames: []string{"lapi"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificateRequest(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func wantKind(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v (%v), want %q (%v)", err, fault.KindOf(err), text, kind)
	}
}

func TestInitMakesWhatBothSidesNeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, mode := range map[string]fs.FileMode{
		"ca.pem": 0o644, "ca-key.pem": 0o600, "inter.pem": 0o644, "inter-key.pem": 0o600, "bundle.pem": 0o644, "crl.pem": 0o644,
		"index.json": 0o600, ".": fs.ModeDir | 0o700,
	} {
		if info, err := os.Stat(filepath.Join(w.dir, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if listed := w.listed(); len(listed) != 0 {
		t.Errorf("%v are revoked already", listed)
	}
	bundle, err := tlsfiles.Certificates(filepath.Join(w.dir, pki.BundleFile))
	if err != nil || len(bundle) != 2 || bundle[0].CheckSignatureFrom(bundle[1]) != nil || bundle[1].CheckSignatureFrom(bundle[1]) != nil {
		t.Errorf("the bundle is %d certificates, %v", len(bundle), err)
	}
	if !bundle[0].MaxPathLenZero || bundle[1].MaxPathLen != 1 || !bundle[0].IsCA || !bundle[1].IsCA {
		t.Error("the intermediate may make authorities")
	}
}

func TestInitReplacesNothingWithoutBeingTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(pki.Order{Kind: pki.Agent, Name: "a"})
	before, _ := w.Fingerprint()
	_, err := pki.Init(w.dir, settings(), w.options())
	wantKind(t, err, fault.Exists, "--force")
	forced := settings()
	forced.Force = true
	if _, err := pki.Init(w.dir, forced, w.options()); err != nil {
		t.Fatal(err)
	}
	after, _ := w.Fingerprint()
	if all, err := w.Certificates(); err != nil || len(all) != 0 || before == after {
		t.Errorf("the new authority knows %v, %v", all, err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "diary.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = pki.Init(other, forced, w.options())
	wantKind(t, err, fault.Exists, "is not empty, and holds no authority")
	_, err = pki.Open(other, w.options())
	wantKind(t, err, fault.NotFound, "cscli pki init --dir "+other)
	for text, change := range map[string]func(*pki.Settings){
		"organization":               func(s *pki.Settings) { s.Organization = "" },
		"lifetime must be positive":  func(s *pki.Settings) { s.Lifetime = 0 },
		"the authority must live lo": func(s *pki.Settings) { s.CALifetime = s.Lifetime },
	} {
		wrong := settings()
		change(&wrong)
		_, err := pki.Init(filepath.Join(t.TempDir(), "x"), wrong, w.options())
		wantKind(t, err, fault.Invalid, text)
	}
}

func TestIssuedCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const client, server = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	for _, c := range []struct {
		order  pki.Order
		unit   string
		usage  x509.ExtKeyUsage
		host   string
		refuse x509.ExtKeyUsage
	}{
		{pki.Order{Kind: pki.Agent, Name: "agent-1"}, "agent-ou", client, "", server},
		{pki.Order{Kind: pki.Bouncer, Name: "b.example.com", Out: filepath.Join(w.dir, "elsewhere")}, "bouncer-ou", client, "", server},
		{pki.Order{Kind: pki.Server, Name: "lapi", Hosts: []string{"LAPI.example.com", "10.0.0.1", "::1"}}, "server-ou", server, "10.0.0.1", client},
		{pki.Order{Kind: pki.Server, Name: "lapi-2", Hosts: []string{"*.example.com"}}, "server-ou", server, "a.example.com", client},
	} {
		issued := w.issue(c.order)
		pair := w.pair(issued)
		if len(pair.Certificate) != 2 {
			t.Errorf("%s: %d certificates in its file", issued.Name, len(pair.Certificate))
		}
		if err := w.verify(pair, c.usage, c.host); err != nil {
			t.Errorf("%s: %v", issued.Name, err)
		}
		if w.verify(pair, c.refuse, c.host) == nil {
			t.Errorf("%s can be used by the other side", issued.Name)
		}
		subject := pair.Leaf.Subject
		if subject.CommonName != c.order.Name || !slices.Equal(subject.OrganizationalUnit, []string{c.unit}) || pki.KindOf(pair.Leaf) != c.order.Kind {
			t.Errorf("%s: subject %s", issued.Name, subject)
		}
		if got := pair.Leaf.NotAfter; !got.Equal(w.clock().Add(settings().Lifetime)) || issued.State(w.clock()) != pki.Valid {
			t.Errorf("%s: until %v, %s", issued.Name, got, issued.State(w.clock()))
		}
		if info, err := os.Stat(issued.KeyFile); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: key %v, %v", issued.Name, info, err)
		}
	}
	if w.verify(w.pair(w.issue(pki.Order{Kind: pki.Server, Name: "lapi-3", Hosts: []string{"a"}})), server, "b") == nil {
		t.Error("a certificate is for any host")
	}
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.issue(pki.Order{Kind: pki.Agent, Name: "taken"})
	key, err := os.ReadFile(first.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		order pki.Order
		kind  fault.Kind
		text  string
	}{
		{pki.Order{Kind: pki.Bouncer, Name: "taken"}, fault.Exists, "cscli pki revoke taken"},
		{pki.Order{Kind: pki.Agent, Name: ""}, fault.Invalid, "is no name"},
		{pki.Order{Kind: pki.Agent, Name: "../x"}, fault.Invalid, "is no name"},
		{pki.Order{Kind: pki.Agent, Name: "a b"}, fault.Invalid, "is no name"},
		{pki.Order{Kind: pki.Agent, Name: "x-key"}, fault.Invalid, "keys are called like that"},
		{pki.Order{Kind: pki.Agent, Name: strings.Repeat("x", 65)}, fault.Invalid, "at most 64"},
		{pki.Order{Kind: pki.Agent, Name: "x", Hosts: []string{"h"}}, fault.Invalid, "only servers have hosts"},
		{pki.Order{Kind: pki.Agent, Name: "x", Lifetime: -1}, fault.Invalid, "lifetime"},
		{pki.Order{Kind: pki.Server, Name: "x"}, fault.Invalid, "--host"},
		{pki.Order{Kind: pki.Server, Name: "x", Hosts: []string{"https://h:8080"}}, fault.Invalid, "without scheme and port"},
		{pki.Order{Kind: pki.Server, Name: "x", Hosts: []string{""}}, fault.Invalid, "neither the name nor the address"},
	} {
		_, err := w.Issue(c.order)
		wantKind(t, err, c.kind, c.text)
	}
	if after, err := os.ReadFile(first.KeyFile); err != nil || string(after) != string(key) {
		t.Errorf("the key of another certificate was replaced: %v", err)
	}
	blocked := filepath.Join(w.dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Issue(pki.Order{Kind: pki.Agent, Name: "x", Out: blocked}); err == nil {
		t.Error("a file is taken for a folder")
	}
	if all, err := w.Certificates(); err != nil || len(all) != 1 {
		t.Errorf("what was refused is in the index: %v, %v", all, err)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	begin := time.Unix(0, 0)
	c := pki.Certificate{NotBefore: begin, NotAfter: begin.Add(9 * time.Hour)}
	for after, want := range map[time.Duration]pki.State{
		0: pki.Valid, 6*time.Hour - 1: pki.Valid, 6 * time.Hour: pki.Expiring, 9 * time.Hour: pki.Expiring, 9*time.Hour + 1: pki.Expired,
	} {
		if got := c.State(begin.Add(after)); got != want {
			t.Errorf("after %v: %s, want %s", after, got, want)
		}
	}
	c.RevokedAt = begin
	if got := c.State(begin); got != pki.Revoked {
		t.Errorf("got %s", got)
	}
}

func TestRevoking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.issue(pki.Order{Kind: pki.Agent, Name: "a"}), w.issue(pki.Order{Kind: pki.Agent, Name: "b"})
	renewed, err := w.RenewNamed("a")
	if err != nil {
		t.Fatal(err)
	}
	if revoked, err := w.Revoke("a"); err != nil || len(revoked) != 2 {
		t.Errorf("revoked %v, %v", revoked, err)
	}
	if got := w.listed(); !slices.Equal(got, []string{a.Serial, renewed.Serial}) {
		t.Errorf("listed %v", got)
	}
	colons := strings.ToUpper(b.Serial[:2] + ":" + b.Serial[2:])
	if _, err := w.Revoke(colons); err != nil || len(w.listed()) != 3 {
		t.Errorf("revoking %s: %v", colons, err)
	}
	for _, again := range []string{"a", b.Serial, "nobody"} {
		_, err := w.Revoke(again)
		wantKind(t, err, fault.NotFound, again)
	}
	_, err = w.RenewNamed("a")
	wantKind(t, err, fault.NotFound, "no certificate has the name")
	w.issue(pki.Order{Kind: pki.Agent, Name: "a"}) // the name is free again
	w.later(settings().Lifetime + 31*24*time.Hour)
	w.issue(pki.Order{Kind: pki.Agent, Name: "c"})
	if all, err := w.Certificates(); err != nil || len(all) != 1 {
		t.Errorf("what has long been over is kept: %v, %v", all, err)
	}
}

func TestTheListIsWrittenAgainInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(pki.Order{Kind: pki.Agent, Name: "a"})
	if _, err := w.Revoke("a"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(w.dir, pki.CRLFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after  time.Duration
		change bool
	}{{time.Hour, false}, {61 * 24 * time.Hour, true}} {
		w.later(c.after)
		if err := w.RefreshList(); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(filepath.Join(w.dir, pki.CRLFile))
		if err != nil || (string(now) != string(before)) != c.change || len(w.listed()) != 1 {
			t.Errorf("after %v: changed %t, %v", c.after, string(now) != string(before), err)
		}
	}
}

func TestRenewingKeepsKeySubjectHostsAndLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	issued := w.issue(pki.Order{Kind: pki.Server, Name: "lapi", Hosts: []string{"a.example", "10.0.0.1"}, Lifetime: 30 * time.Hour})
	old := w.pair(issued)
	link := filepath.Join(w.dir, "link.pem")
	if err := os.Symlink(issued.File, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(issued.File, 0o640); err != nil {
		t.Fatal(err)
	}
	w.later(21 * time.Hour)
	if err := w.RenewFiles(link, issued.KeyFile); err != nil {
		t.Fatal(err)
	}
	next := w.pair(issued)
	if next.Leaf.Subject.String() != old.Leaf.Subject.String() || !slices.Equal(next.Leaf.DNSNames, old.Leaf.DNSNames) ||
		!next.Leaf.IPAddresses[0].Equal(old.Leaf.IPAddresses[0]) || !next.Leaf.NotAfter.Equal(w.clock().Add(30*time.Hour)) {
		t.Errorf("renewed %s for %v, %v until %v", next.Leaf.Subject, next.Leaf.DNSNames, next.Leaf.IPAddresses, next.Leaf.NotAfter)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if info, err := os.Stat(issued.File); err != nil || info.Mode() != 0o640 {
		t.Errorf("the file has other rights: %v, %v", info, err)
	}
	w.later(40 * time.Hour) // it has expired; who holds the authority may renew it all the same
	if _, err := w.RenewNamed("lapi"); err != nil {
		t.Error(err)
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"short", "revoked", "short-2"} {
		w.issue(pki.Order{Kind: pki.Agent, Name: name, Lifetime: 30 * time.Hour})
	}
	w.issue(pki.Order{Kind: pki.Agent, Name: "long"})
	joined := w.join(pki.Agent, "joined")
	w.later(21 * time.Hour)
	if _, err := w.Revoke("revoked"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RenewNamed("short-2"); err != nil {
		t.Fatal(err)
	}
	for within, want := range map[time.Duration][]string{0: {"short"}, 30 * time.Hour: {"short", "short-2"}, 100 * 24 * time.Hour: {"long", "short", "short-2"}} {
		if got, err := w.Due(within); err != nil || !slices.Equal(got, want) {
			t.Errorf("within %v: %v, %v", within, got, err)
		}
	}
	_, err := w.RenewNamed(joined.Subject.CommonName)
	wantKind(t, err, fault.Invalid, "on the machine that has joined")
	_, err = w.RenewNamed("nobody")
	wantKind(t, err, fault.NotFound, "cscli pki list")
	all, err := w.Certificates()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(all[1].File, all[1].File+".moved"); err != nil {
		t.Fatal(err)
	}
	_, err = w.RenewNamed(all[1].Name)
	wantKind(t, err, fault.Invalid, "not where they were issued")
}

func (w *world) invite(kind pki.Kind, name string) pki.Token {
	w.t.Helper()
	token, expires, err := w.Invite(pki.Invitation{Kind: kind, Name: name, TTL: time.Hour})
	if err != nil || !expires.Equal(w.clock().Add(time.Hour)) {
		w.t.Fatalf("until %v, %v", expires, err)
	}
	return token
}

func (w *world) join(kind pki.Kind, name string) *x509.Certificate {
	w.t.Helper()
	chain, err := w.Join(w.invite(kind, "").Secret(), request(w.t, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return chain[0]
}

func TestJoining(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.invite(pki.Agent, "")
	chain, err := w.Join(token.Secret(), request(t, "web-1"))
	if err != nil {
		t.Fatal(err)
	}
	leaf := chain[0]
	if len(chain) != 3 || leaf.Subject.String() != "CN=web-1,OU=agent-ou,O=Test" || len(leaf.DNSNames) != 0 {
		t.Errorf("got %d certificates, of %s for %v: only the name of a request counts", len(chain), leaf.Subject, leaf.DNSNames)
	}
	if sum := token.Fingerprint; sum != fingerprint(t, w) {
		t.Error("the token is of another authority")
	}
	_, err = w.Join(token.Secret(), request(t, "web-2"))
	wantKind(t, err, fault.Forbidden, "used already, by web-1")
	named, err := w.Join(w.invite(pki.Bouncer, "fw").Secret(), request(t, "web-1"))
	if err != nil || named[0].Subject.String() != "CN=fw,OU=bouncer-ou,O=Test" {
		t.Errorf("the name of the token does not count: %v", err)
	}
}

func fingerprint(t *testing.T, w *world) [32]byte {
	t.Helper()
	sum, err := w.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(pki.Order{Kind: pki.Agent, Name: "taken"})
	late := w.invite(pki.Agent, "")
	w.later(time.Hour)
	_, err := w.Join(late.Secret(), request(t, "x"))
	wantKind(t, err, fault.Forbidden, "has expired on 2027-01-01T01:00:00Z")
	_, err = w.Join("guessed", request(t, "x"))
	wantKind(t, err, fault.Forbidden, "unknown")

	token := w.invite(pki.Agent, "")
	_, err = w.Join(token.Secret(), request(t, "taken"))
	wantKind(t, err, fault.Exists, "belongs to a certificate")
	_, err = w.Join(token.Secret(), request(t, "../../etc"))
	wantKind(t, err, fault.Invalid, "is no name")
	forged := request(t, "x")
	forged.RawTBSCertificateRequest = append([]byte{}, forged.RawTBSCertificateRequest...)
	forged.RawTBSCertificateRequest[len(forged.RawTBSCertificateRequest)-1] ^= 1
	_, err = w.Join(token.Secret(), forged)
	wantKind(t, err, fault.Invalid, "not signed by its own key")
	_, err = w.Join(token.Secret(), weakRequest(t))
	wantKind(t, err, fault.Invalid, "too weak")
	if _, err := w.Join(token.Secret(), request(t, "x")); err != nil {
		t.Errorf("refused requests have used the token up: %v", err)
	}

	for text, wrong := range map[string]pki.Invitation{
		"cscli pki issue server": {Kind: pki.Server, TTL: time.Hour},
		"must be positive":       {Kind: pki.Agent},
		"is no name":             {Kind: pki.Agent, TTL: time.Hour, Name: "/"},
	} {
		_, _, err := w.Invite(wrong)
		wantKind(t, err, fault.Invalid, text)
	}
	_, _, err = w.Invite(pki.Invitation{Kind: pki.Agent, TTL: time.Hour, Name: "taken"})
	wantKind(t, err, fault.Exists, "taken")
}

func weakRequest(t *testing.T) *x509.CertificateRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "weak"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificateRequest(raw)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestATokenIsGoodOnceForAll has many join at the same time, as if in several processes.
func TestATokenIsGoodOnceForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.invite(pki.Agent, "")
	results := make(chan error, 8)
	for range cap(results) {
		csr := request(t, rand.Text())
		go func() {
			other, err := pki.Open(w.dir, w.options())
			if err == nil {
				_, err = other.Join(token.Secret(), csr)
			}
			results <- err
		}()
	}
	joined := 0
	for range cap(results) {
		if err := <-results; err == nil {
			joined++
		} else {
			wantKind(t, err, fault.Forbidden, "used already")
		}
	}
	if all, err := w.Certificates(); err != nil || joined != 1 || len(all) != 1 {
		t.Errorf("%d have joined, %d certificates, %v", joined, len(all), err)
	}
}

func TestOnlyHashesOfTokensAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.invite(pki.Agent, "")
	for _, name := range []string{"index.json", "crl.pem", ".lock"} {
		text, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil || strings.Contains(string(text), token.Secret()) {
			t.Errorf("%s holds the secret, %v", name, err)
		}
	}
}

func TestRenewingOverTheNetwork(t *testing.T) {
	t.Parallel()
	w, stranger := newWorld(t), newWorld(t)
	issued := w.issue(pki.Order{Kind: pki.Agent, Name: "a"})
	pair := w.pair(issued)
	own, err := pki.RequestFor(*pair)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := w.Renew(pair.Leaf, own)
	if err != nil || len(chain) != 3 || chain[0].Subject.String() != pair.Leaf.Subject.String() || chain[0].SerialNumber.Cmp(pair.Leaf.SerialNumber) == 0 {
		t.Fatalf("got %v, %v", chain, err)
	}
	_, err = w.Renew(pair.Leaf, request(t, "admin"))
	wantKind(t, err, fault.Forbidden, "the request is for CN=admin")
	_, err = stranger.Renew(pair.Leaf, own)
	wantKind(t, err, fault.NotFound, "not issued by this authority")
	if _, err := w.Revoke(issued.Serial); err != nil {
		t.Fatal(err)
	}
	_, err = w.Renew(pair.Leaf, own)
	wantKind(t, err, fault.Forbidden, "is revoked")
	if _, err := w.Renew(chain[0], own); err != nil {
		t.Errorf("its successor is revoked, too: %v", err)
	}
	w.later(settings().Lifetime + time.Second)
	_, err = w.Renew(chain[0], own)
	wantKind(t, err, fault.Forbidden, "is expired")
}

func TestTheAuthorityItselfEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.later(settings().CALifetime - time.Hour)
	issued := w.issue(pki.Order{Kind: pki.Agent, Name: "a"})
	if left := issued.NotAfter.Sub(w.clock()); left != time.Hour {
		t.Errorf("a certificate outlives its authority: %v", left)
	}
	w.later(time.Hour)
	_, err := w.Issue(pki.Order{Kind: pki.Agent, Name: "b"})
	wantKind(t, err, fault.Invalid, "cscli pki init --force")
}

func TestWithoutTheKeyOfTheRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := os.Remove(filepath.Join(w.dir, "ca-key.pem")); err != nil {
		t.Fatal(err)
	}
	w.issue(pki.Order{Kind: pki.Agent, Name: "a"})
	if _, err := w.Revoke("a"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(w.dir, "inter-key.pem")); err != nil {
		t.Fatal(err)
	}
	if _, err := pki.Open(w.dir, w.options()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened without the key that signs: %v", err)
	}
}

func TestRSARequestsAreTakenFrom2048Bits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "rsa"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(raw)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := w.Join(w.invite(pki.Agent, "").Secret(), csr)
	if err != nil || chain[0].KeyUsage&x509.KeyUsageKeyEncipherment == 0 {
		t.Errorf("got %v, %v", chain, err)
	}
}
