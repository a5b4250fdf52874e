package localapiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"shieldwall/internal/domain/fault"
)

const (
	connectTimeout = 10 * time.Second
	maxRedirects   = 10
)

func newTransport(cfg Config, socket string) (*http.Transport, error) {
	secure, err := tlsConfig(cfg)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connectTimeout}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       secure,
		TLSHandshakeTimeout:   connectTimeout,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
	}
	if socket != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	return transport, nil
}

func tlsConfig(cfg Config) (*tls.Config, error) {
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: cfg.InsecureSkipVerify, //nolint:gosec // the administrator asked for it
	}
	if cfg.CACert != "" {
		pool, err := trusting(cfg.CACert)
		if err != nil {
			return nil, err
		}
		secure.RootCAs = pool
	}
	if cfg.Cert == "" && cfg.Key == "" {
		return secure, nil
	}
	// Read again for every handshake, so that a renewed certificate is used without a restart; read once
	// here, so that a mistake shows at start.
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cfg.Cert, cfg.Key)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "loading client certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(nil); err != nil {
		return nil, err
	}
	secure.GetClientCertificate = load
	return secure, nil
}

// trusting returns the system's certificates and those of the file.
func trusting(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "loading CA certificate: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.Errorf(fault.Invalid, "loading CA certificate: no certificate in %s", path)
	}
	return pool, nil
}

// stayOnHost follows a redirect only where the credentials of the request may go: to the same host, and
// never from HTTPS to plain HTTP.
func stayOnHost(next *http.Request, done []*http.Request) error {
	first := done[0].URL
	switch {
	case next.URL.Hostname() != first.Hostname():
		return fmt.Errorf("redirect to another host: %s", next.URL.Host)
	case first.Scheme == "https" && next.URL.Scheme != "https":
		return fmt.Errorf("redirect from https to %s", next.URL.Scheme)
	case len(done) >= maxRedirects:
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	return nil
}
