package firewall_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"shieldwall/internal/app/firewall"
	"shieldwall/internal/platform/tlsfiles/tlstest"
)

// newSecureAPI is a Local API that wants certificates of ca.
func newSecureAPI(t *testing.T, ca *tlstest.Authority) *localAPI {
	t.Helper()
	api := &localAPI{}
	api.Server = &httptest.Server{Listener: listen(t), Config: &http.Server{
		Handler: http.HandlerFunc(api.serve), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}}
	api.TLS = &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, tlstest.Leaf{CommonName: "lapi"}).TLS()},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	}
	api.StartTLS()
	t.Cleanup(api.Close)
	return api
}

func TestCertificateInsteadOfKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, other := tlstest.NewAuthority(t, "Test CA"), tlstest.NewAuthority(t, "Other CA")
	api := newSecureAPI(t, ca)
	api.decide([]string{"192.0.2.1"}, nil)
	cert, key := ca.Issue(t, tlstest.Leaf{CommonName: "fw"}).Write(t, dir, "fw")
	foreignCert, foreignKey := other.Issue(t, tlstest.Leaf{CommonName: "stranger"}).Write(t, dir, "stranger")
	file := func(caFile, cert, key string) string {
		return configFile(t, "mode: dry-run\nupdate_frequency: 20ms\napi_url: "+api.URL+"\nca_cert_path: "+caFile+
			"\ncert_path: "+cert+"\nkey_path: "+key+"\n")
	}
	for path, want := range map[string]string{
		file(ca.Write(t, dir), foreignCert, foreignKey): "the Local API refuses our certificate: CN=stranger, issued by CN=Other CA: remote error: tls: unknown certificate authority",
		file(other.Write(t, dir), cert, key):            "the Local API's certificate is not trusted: CN=lapi, issued by CN=Test CA: x509: certificate signed by unknown authority",
	} {
		var out transcript
		if code := firewall.Main(t.Context(), around(io.Discard, &out, "-c", path)); code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, &out)
		}
	}
	var out transcript
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	caFile := ca.Write(t, dir)
	go func() { ended <- firewall.Main(ctx, around(io.Discard, &out, "-c", file(caFile, cert, key))) }()
	eventually(t, "the ban", func() bool { return strings.Contains(out.String(), "192.0.2.1") })
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d\n%s", code, &out)
	}
	for _, want := range []string{"Using cert auth with cert '" + cert + "' and key '" + key + "'", "Using CA cert '" + caFile + "'"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
