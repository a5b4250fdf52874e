package localapiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/tlsfiles"
)

const (
	connectTimeout = 10 * time.Second
	maxRedirects   = 10
	pingAfter      = 15 * time.Second // of silence on a connection of HTTP/2
	pingTimeout    = 5 * time.Second
)

// transport is the way to a Local API. When a file with certificates changes it makes new connections with
// the new content and leaves the old ones: a server looks at the certificate of a connection at each request,
// so that one of yesterday would be refused one day, although its successor has long been there.
type transport struct {
	route *tlsfiles.Watched[*route]
	last  atomic.Pointer[route]
}

// route is a transport of one version of the files.
type route struct {
	*http.Transport
	certificate *x509.Certificate // that is shown to a server that asks for one, nil for none
	asked       atomic.Bool       // a server has asked
}

func newTransport(cfg Config, host, socket string, log *slog.Logger) (*transport, error) {
	build := func() (*route, error) { return newRoute(cfg, host, socket) }
	watched, err := tlsfiles.Watch(tlsfiles.Options{Now: cfg.Now, Log: log}, build, cfg.CACert, cfg.Cert, cfg.Key)
	if err != nil {
		return nil, fault.Mark(fault.Invalid, err)
	}
	return &transport{route: watched}, nil
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	now := t.route.Get()
	if last := t.last.Swap(now); last != nil && last != now {
		last.CloseIdleConnections()
	}
	res, err := now.RoundTrip(r)
	if err != nil {
		return nil, now.explain(r, err)
	}
	return res, nil
}

// CloseIdleConnections does what it says; http.Client looks for it.
func (t *transport) CloseIdleConnections() { t.route.Get().CloseIdleConnections() }

func newRoute(cfg Config, host, socket string) (*route, error) {
	secure, err := tlsConfig(cfg, host)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connectTimeout}
	r := &route{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSClientConfig:       secure,
		TLSHandshakeTimeout:   connectTimeout,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
		// One connection carries everything: a dead one must not swallow request after request.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}}
	if socket != "" {
		r.Proxy = nil
		r.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
	}
	pair := &tls.Certificate{} // none
	if cfg.Cert != "" || cfg.Key != "" {
		if pair, err = tlsfiles.Pair(cfg.Cert, cfg.Key); err != nil {
			return nil, err
		}
		r.certificate = pair.Leaf
	}
	// Whether or not the server names its authority: a refusal says more than silence.
	secure.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		r.asked.Store(true)
		return pair, nil
	}
	return r, nil
}

func tlsConfig(cfg Config, host string) (*tls.Config, error) {
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: cfg.InsecureSkipVerify, //nolint:gosec // the administrator asked for it
	}
	if cfg.PinnedCA != nil {
		pinTo(secure, pin{sum: cfg.PinnedCA, host: host, now: cfg.Now})
		return secure, nil
	}
	if cfg.CACert == "" {
		return secure, nil
	}
	pool, err := tlsfiles.Authorities(cfg.CACert)
	secure.RootCAs = pool
	return secure, err
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
