package localapiclient_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
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
	"shieldwall/internal/platform/tlsfiles/tlstest"
)

// secureServer answers with the common name of the client's certificate.
func secureServer(t *testing.T, ca *tlstest.Authority, mode tls.ClientAuthType) (url string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "nobody"
		if len(r.TLS.PeerCertificates) > 0 {
			name = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		answer(w, 200, fmt.Sprintf(`[{"value":%q,"scenario":%q}]`, name, r.RemoteAddr))
	}))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, tlstest.Leaf{CommonName: "lapi", DNSNames: []string{"lapi.example"}}).TLS()}, ClientAuth: mode, ClientCAs: ca.Pool(),
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, other := tlstest.NewAuthority(t, "Test CA"), tlstest.NewAuthority(t, "Other CA")
	caFile, otherFile := ca.Write(t, dir), other.Write(t, dir)
	issue := func(from *tlstest.Authority, leaf tlstest.Leaf) localapiclient.Config {
		cert, key := from.Issue(t, leaf).Write(t, dir, leaf.CommonName)
		return localapiclient.Config{CACert: caFile, Cert: cert, Key: key}
	}
	optional, required := secureServer(t, ca, tls.VerifyClientCertIfGiven), secureServer(t, ca, tls.RequireAndVerifyClientCert)
	const refused = "the Local API refuses our certificate: CN="
	for name, test := range map[string]struct {
		cfg  localapiclient.Config
		url  string
		want string // who we are for the server, or what the error contains
	}{
		"no certificate":     {localapiclient.Config{CACert: caFile}, optional, "nobody"},
		"certificate":        {issue(ca, tlstest.Leaf{CommonName: "a"}), optional, "a"},
		"required":           {issue(ca, tlstest.Leaf{CommonName: "b"}), required, "b"},
		"any server":         {localapiclient.Config{InsecureSkipVerify: true}, optional, "nobody"},
		"unknown authority":  {localapiclient.Config{}, optional, "the Local API's certificate is not trusted: CN=lapi, issued by CN=Test CA: x509: certificate signed by unknown authority; set ca_cert_path"},
		"other authority":    {localapiclient.Config{CACert: otherFile}, optional, "x509: certificate signed by unknown authority"},
		"wrong name":         {localapiclient.Config{CACert: caFile}, strings.Replace(optional, "127.0.0.1", "localhost", 1), "not localhost; the url must use a name or an address that the certificate is for"},
		"none where needed":  {localapiclient.Config{CACert: caFile}, required, "the Local API wants a client certificate: remote error: tls: certificate required; set cert_path and key_path"},
		"not ours":           {issue(other, tlstest.Leaf{CommonName: "c"}), required, refused + "c, issued by CN=Other CA: remote error: tls: unknown certificate authority"},
		"expired":            {issue(ca, tlstest.Leaf{CommonName: "d", NotAfter: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}), required, refused + "d, issued by CN=Test CA: remote error: tls: expired certificate"},
		"for something else": {issue(ca, tlstest.Leaf{CommonName: "e", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), required, refused + "e, issued by CN=Test CA: remote error: tls: bad certificate"},
		"plain to TLS":       {localapiclient.Config{}, strings.Replace(optional, "https", "http", 1), "API error: Client sent an HTTP request to an HTTPS server; the url must begin with https://"},
		"TLS to plain":       {localapiclient.Config{}, strings.Replace(serve(t, http.NotFoundHandler()), "http", "https", 1), "http: server gave HTTP response to HTTPS client; the url must begin with http://"},
	} {
		test.cfg.URL = localapiclient.URLs{test.url}
		decisions, err := newClient(t, test.cfg).Decisions(t.Context(), localapiclient.LiveQuery{})
		switch {
		case err == nil && decisions[0].Value != test.want:
			t.Errorf("%s: we are %s, want %s", name, decisions[0].Value, test.want)
		case err != nil && !strings.Contains(err.Error(), test.want):
			t.Errorf("%s:\n got %v\nwant %s", name, err, test.want)
		}
	}
}

func TestChangedCertificateFilesAreUsedByTheNextRequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := tlstest.NewAuthority(t, "Test CA"), tlstest.NewAuthority(t, "Test CA")
	oldServer, newServer := secureServer(t, first, tls.RequestClientCert), secureServer(t, second, tls.RequestClientCert)
	cert, key := first.Issue(t, tlstest.Leaf{CommonName: "old"}).Write(t, dir, "client")
	caFile := first.Write(t, dir)
	var (
		mu  sync.Mutex
		now = time.Unix(1_800_000_000, 0)
		log bytes.Buffer
	)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	wait := func() {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(2 * time.Second)
	}
	client := func(url string) func() (name, peer string, err error) {
		c, err := localapiclient.New(localapiclient.Config{URL: localapiclient.URLs{url}, CACert: caFile, Cert: cert, Key: key, Now: clock},
			slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return func() (string, string, error) {
			decisions, err := c.Decisions(t.Context(), localapiclient.LiveQuery{})
			if err != nil {
				return "", "", err
			}
			return decisions[0].Value, decisions[0].Scenario, nil
		}
	}
	askOld, askNew := client(oldServer), client(newServer)
	name, peer, err := askOld()
	if err != nil || name != "old" {
		t.Fatalf("got %s, %v", name, err)
	}
	if _, again, err := askOld(); err != nil || again != peer {
		t.Errorf("a new connection without a need: %v", err)
	}
	if _, _, err := askNew(); err == nil {
		t.Error("an authority that we do not know is trusted")
	}
	second.Issue(t, tlstest.Leaf{CommonName: "new"}).Write(t, dir, "client")
	wait()
	name, later, err := askOld()
	if err != nil || name != "new" || later == peer {
		t.Errorf("after the change we are %s, %v", name, err)
	}
	tlstest.Replace(t, caFile, second.PEM())
	wait()
	if _, _, err := askNew(); err != nil {
		t.Errorf("with the new authority: %v", err)
	}
	if _, _, err := askOld(); err == nil {
		t.Error("the authority that is gone is still trusted")
	}
	if err := os.WriteFile(cert, []byte("half a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	wait()
	if name, _, err := askNew(); err != nil || name != "new" {
		t.Errorf("with a broken file we are %s, %v", name, err)
	}
	if text := log.String(); !strings.Contains(text, "unable to load certificate '"+cert+"'") {
		t.Errorf("logged %s", text)
	}
}

func TestBadCertificateFilesShowAtStart(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, cfg := range map[string]localapiclient.Config{
		"unable to load CA certificates: open /nonexistent":                        {CACert: "/nonexistent"},
		"unable to load CA certificates: " + empty:                                 {CACert: empty},
		"unable to load certificate '/nonexistent' and key '/key': ":               {Cert: "/nonexistent", Key: "/key"},
		"unable to load certificate '" + empty + "' and key '': ":                  {Cert: empty},
		"unable to load certificate '' and key '" + empty + "': open : no such fi": {Key: empty},
	} {
		cfg.URL = localapiclient.URLs{"https://localhost"}
		if _, err := localapiclient.New(cfg, slog.New(slog.DiscardHandler)); !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
