package localapiclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapiclient"
)

// writePEM stores the test server's own certificate and key, which serve as CA and client certificate.
func writePEM(t *testing.T, pair tls.Certificate) (cert, key string) {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	t.Parallel()
	var presented int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		presented = len(r.TLS.PeerCertificates)
		answer(w, 200, `null`)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	cert, key := writePEM(t, server.TLS.Certificates[0])

	for name, c := range map[string]struct {
		cfg       localapiclient.Config
		ok        bool
		presented int
	}{
		"unknown authority":  {localapiclient.Config{}, false, 0},
		"any certificate":    {localapiclient.Config{InsecureSkipVerify: true}, true, 0},
		"trusted authority":  {localapiclient.Config{CACert: cert}, true, 0},
		"client certificate": {localapiclient.Config{CACert: cert, Cert: cert, Key: key}, true, 1},
	} {
		c.cfg.URL = server.URL
		presented = 0
		_, err := newClient(t, c.cfg).Decisions(t.Context(), localapiclient.LiveQuery{})
		if (err == nil) != c.ok || presented != c.presented {
			t.Errorf("%s: %v, %d certificates", name, err, presented)
		}
	}
}

func TestBadCertificateFilesShowAtStart(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]localapiclient.Config{
		"missing CA": {CACert: "/nonexistent"}, "empty CA": {CACert: empty},
		"missing pair": {Cert: "/nonexistent", Key: "/nonexistent"}, "no key": {Cert: empty},
	} {
		cfg.URL = "https://localhost"
		if _, err := localapiclient.New(cfg, slog.New(slog.DiscardHandler)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
