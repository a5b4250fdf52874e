package localapiclient_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
	"shieldwall/internal/platform/logging/logtest"
	"shieldwall/internal/platform/tlsfiles"
	"shieldwall/internal/platform/tlsfiles/tlstest"
	"shieldwall/internal/wire"
)

// shown starts a server that shows certificates and answers with handler.
func shown(t *testing.T, certificate tls.Certificate, handler http.Handler) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// withRoot is the pair with the root behind it, as a Local API with an authority shows it.
func withRoot(pair tlstest.Pair, root *tlstest.Authority) tls.Certificate {
	certificate := pair.TLS()
	certificate.Certificate = append(certificate.Certificate, root.Certificate.Raw)
	return certificate
}

func sum(root *tlstest.Authority) []byte {
	digest := sha256.Sum256(root.Certificate.Raw)
	return digest[:]
}

func TestNothingIsSentToWhoIsNotPinned(t *testing.T) {
	t.Parallel()
	root, other := tlstest.NewAuthority(t, "Root"), tlstest.NewAuthority(t, "Root")
	intermediate := root.Intermediate(t, "Intermediate")
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		shown tls.Certificate
		pin   []byte
		host  string
		want  string // of the error; "" for none
	}{
		"good":                  {withRoot(intermediate.Issue(t, tlstest.Leaf{CommonName: "lapi"}), root), sum(root), "127.0.0.1", ""},
		"good, by name":         {withRoot(intermediate.Issue(t, tlstest.Leaf{CommonName: "lapi"}), root), sum(root), "localhost", ""},
		"another root":          {withRoot(other.Issue(t, tlstest.Leaf{CommonName: "lapi"}), other), sum(root), "127.0.0.1", "the authority of the join token is not in its chain"},
		"root is not shown":     {intermediate.Issue(t, tlstest.Leaf{CommonName: "lapi"}).TLS(), sum(root), "127.0.0.1", "the authority of the join token is not in its chain"},
		"root beside the chain": {withRoot(other.Issue(t, tlstest.Leaf{CommonName: "lapi"}), root), sum(root), "127.0.0.1", "x509: "},
		"client's certificate":  {withRoot(intermediate.Issue(t, tlstest.Leaf{CommonName: "c", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}), root), sum(root), "127.0.0.1", "incompatible key usage"},
		"expired":               {withRoot(intermediate.Issue(t, tlstest.Leaf{CommonName: "lapi", NotAfter: year(2021)}), root), sum(root), "127.0.0.1", "expired"},
		"other name":            {withRoot(intermediate.Issue(t, tlstest.Leaf{CommonName: "lapi", DNSNames: []string{"lapi.example"}}), root), sum(root), "localhost", "not localhost; the url must use a name"},
	} {
		asked := make(chan struct{}, 10)
		url := shown(t, c.shown, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked <- struct{}{}
			answer(w, 201, `{"certificate":"c","bundle":"b"}`)
		}))
		url = strings.Replace(url, "127.0.0.1", c.host, 1)
		issued, err := newClient(t, localapiclient.Config{URL: localapiclient.URLs{url}, PinnedCA: c.pin}).Join(t.Context(), wire.Join{Secret: "s"})
		switch {
		case c.want == "" && (err != nil || issued.Certificate != "c" || len(asked) != 1):
			t.Errorf("%s: got %+v, %v", name, issued, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(asked) != 0):
			t.Errorf("%s: asked %d times, %v", name, len(asked), err)
		}
	}
	_, err := localapiclient.New(localapiclient.Config{URL: localapiclient.URLs{"http://127.0.0.1"}, PinnedCA: sum(root)}, slog.New(slog.DiscardHandler))
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "must begin with https://") {
		t.Errorf("without TLS: %v", err)
	}
}

func TestARefusedCertificateIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := tlstest.NewAuthority(t, "CA")
	cert, key := ca.Issue(t, tlstest.Leaf{CommonName: "fw"}).Write(t, dir, "fw")
	url := shown(t, ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).TLS(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wire.RefusalHeader, "certificate revoked by CRL")
		answer(w, 403, `{"message":"access forbidden"}`)
	}))
	cfg := localapiclient.Config{URL: localapiclient.URLs{url}, CACert: ca.Write(t, dir), Cert: cert, Key: key}
	_, err := newClient(t, cfg).Decisions(t.Context(), localapiclient.LiveQuery{})
	var refused *localapiclient.CertificateError
	var status *localapiclient.Error
	if !errors.As(err, &refused) || refused.Side != localapiclient.SideClient || !errors.As(err, &status) || status.Status != 403 ||
		!fault.Is(err, fault.Forbidden) ||
		err.Error() != "the Local API refuses our certificate: CN=fw, issued by CN=CA: API error: access forbidden: certificate revoked by CRL" {
		t.Errorf("got %v", err)
	}
	cfg.Cert, cfg.Key = "", ""
	if _, err := newClient(t, cfg).Decisions(t.Context(), localapiclient.LiveQuery{}); errors.As(err, &refused) || !fault.Is(err, fault.Forbidden) {
		t.Errorf("without a certificate: %v", err)
	}
}

// renewer is a Local API that renews certificates of its authority, or does what answer says.
type renewer struct {
	t      *testing.T
	ca     *tlstest.Authority
	answer func(w http.ResponseWriter, n int) bool // nil, or not true: it renews

	mu    sync.Mutex
	asked []string // subjects
}

func (r *renewer) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request.TLS.PeerCertificates[0].Subject.String())
	if r.answer != nil && r.answer(w, len(r.asked)) {
		return
	}
	var body wire.Renewal
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil || request.URL.Path != "/v1/renew" {
		r.t.Errorf("%s: %v", request.URL, err)
	}
	block, _ := pem.Decode([]byte(body.CSR))
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		r.t.Errorf("the request is %v", err)
		return
	}
	leaf := tlstest.Leaf{CommonName: csr.Subject.CommonName, OUs: csr.Subject.OrganizationalUnit, NotAfter: time.Now().Add(time.Hour)}
	text, err := json.Marshal(wire.IssuedCertificate{Certificate: string(r.ca.Sign(r.t, leaf, csr.PublicKey))})
	if err != nil {
		r.t.Error(err)
	}
	answer(w, 201, string(text))
}

func (r *renewer) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// keeping is a client that keeps a certificate of which more than two thirds are over.
type keeping struct {
	*renewer

	cert string
	log  *logtest.Buffer
}

// keep starts such a client, of a Local API for each of the answers; what it returns knows the last of them.
func keep(t *testing.T, answers ...func(w http.ResponseWriter, n int) bool) keeping {
	t.Helper()
	dir, ca := t.TempDir(), tlstest.NewAuthority(t, "CA")
	k := keeping{log: &logtest.Buffer{}}
	pair := ca.Issue(t, tlstest.Leaf{CommonName: "a", OUs: []string{"agent-ou"}, NotAfter: time.Now().Add(30 * time.Second)})
	var key string
	k.cert, key = pair.Write(t, dir, "a")
	var urls localapiclient.URLs
	for _, reply := range answers {
		k.renewer = &renewer{t: t, ca: ca, answer: reply}
		urls = append(urls, shown(t, ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).TLS(), k.renewer))
	}
	c, err := localapiclient.New(localapiclient.Config{URL: urls, CACert: ca.Write(t, dir), Cert: k.cert, Key: key},
		slog.New(slog.NewTextHandler(k.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.KeepCertificate(ctx)
	}()
	t.Cleanup(func() { stop(); <-ended; c.Close() })
	return k
}

// until polls for what must happen.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (k keeping) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	found, err := tlsfiles.Certificates(k.cert)
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func TestTheCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	k := keep(t, nil)
	until(t, "a certificate for another hour", func() bool { return time.Until(k.leaf(t).NotAfter) > 50*time.Minute })
	key := strings.TrimSuffix(k.cert, ".pem") + "-key.pem"
	if _, err := tlsfiles.Pair(k.cert, key); err != nil || k.leaf(t).Subject.String() != "CN=a,OU=agent-ou" {
		t.Errorf("%s: %v", k.leaf(t).Subject, err)
	}
	until(t, "a line in the log", func() bool { return strings.Contains(k.log.String(), "certificate renewed") })
	entries, err := os.ReadDir(filepath.Dir(k.cert))
	if err != nil || len(entries) != 3 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

func TestARenewalThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	k := keep(t, func(w http.ResponseWriter, n int) bool {
		switch n {
		case 1:
			answer(w, 503, `{"message":"the service is unavailable, try again later"}`)
		case 2:
			answer(w, 201, `{"certificate":"garbage","bundle":""}`)
		}
		return n <= 2
	})
	until(t, "a certificate for another hour", func() bool { return time.Until(k.leaf(t).NotAfter) > 50*time.Minute })
	for _, want := range []string{"certificate not renewed", "the service is unavailable", "the Local API's answer to a request for a certificate", "subject=\"CN=a,OU=agent-ou\""} {
		if !strings.Contains(k.log.String(), want) {
			t.Errorf("not logged: %q in\n%s", want, k.log)
		}
	}
}

func TestAnotherLocalAPIMayHaveTheAuthority(t *testing.T) {
	t.Parallel()
	none := func(w http.ResponseWriter, _ int) bool { answer(w, 404, ""); return true }
	k := keep(t, none, nil)
	until(t, "a certificate for another hour", func() bool { return time.Until(k.leaf(t).NotAfter) > 50*time.Minute })
	without := keep(t, none, none)
	until(t, "several questions", func() bool { return without.count() >= 2 })
	if text := without.log.String(); strings.Count(text, "cannot renew this certificate, who has issued it has to") != 1 {
		t.Errorf("logged\n%s", text)
	}
}

func TestWithoutACertificateThereIsNothingToKeep(t *testing.T) {
	t.Parallel()
	newClient(t, localapiclient.Config{URL: localapiclient.URLs{"https://127.0.0.1"}}).KeepCertificate(t.Context())
}

func TestAnswersThatAreWorseThanWhatIsThere(t *testing.T) {
	t.Parallel()
	for want, leaf := range map[string]tlstest.Leaf{
		"it is for CN=b":      {CommonName: "b"},
		"it ends no later":    {CommonName: "a", OUs: []string{"agent-ou"}, NotAfter: time.Now().Add(5 * time.Second)},
		"private key does no": {},
	} {
		var k keeping
		ready := make(chan struct{})
		k = keep(t, func(w http.ResponseWriter, _ int) bool {
			<-ready
			public := k.leaf(t).PublicKey
			if leaf.CommonName == "" {
				public = k.ca.Certificate.PublicKey
			}
			answer(w, 201, fmt.Sprintf(`{"certificate":%q,"bundle":""}`, k.ca.Sign(t, leaf, public)))
			return true
		})
		before := k.leaf(t)
		close(ready)
		until(t, want, func() bool { return strings.Contains(k.log.String(), want) })
		if !k.leaf(t).Equal(before) {
			t.Errorf("%s: the certificate was replaced", want)
		}
	}
}
