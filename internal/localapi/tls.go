package localapi

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"shieldwall/internal/localapi/auth"
	"shieldwall/internal/platform/tlsfiles"
)

// crlInterval is the published time between two looks at the file with revoked certificates.
const crlInterval = 5 * time.Second

// TLS says how to serve with certificates. Files that change are read again: none needs a restart.
type TLS struct {
	CertFile           string
	KeyFile            string
	CACertFile         string             // authorities of client certificates besides the system's, "" for none
	ClientVerification tls.ClientAuthType // the zero value asks for no certificates
	AgentsAllowedOU    []string
	BouncersAllowedOU  []string
	CRLFile            string        // "" for none
	RootFile           string        // shown behind those of CertFile, for clients that know its fingerprint only; "" for none
	CacheFor           time.Duration // how long the outcome of a revocation check holds; 0: an hour
}

// secrecy is everything about TLS that comes from files.
type secrecy struct {
	verification tls.ClientAuthType
	pair         *tlsfiles.Watched[*tls.Certificate]
	authorities  *tlsfiles.Watched[*x509.CertPool]
	revoked      *tlsfiles.Watched[*auth.RevocationLists] // nil: there are no lists
	now          func() time.Time
}

// openTLS reads the files for the first time.
func openTLS(cfg TLS, deps Deps) (*secrecy, error) {
	options := tlsfiles.Options{Now: deps.Now, Log: deps.Log}
	s := &secrecy{verification: cfg.ClientVerification, now: deps.Now}
	var err error
	s.pair, err = tlsfiles.Watch(options, func() (*tls.Certificate, error) {
		return pairWithRoot(cfg.CertFile, cfg.KeyFile, cfg.RootFile)
	}, cfg.CertFile, cfg.KeyFile, cfg.RootFile)
	if err != nil {
		return nil, err
	}
	caFile := cfg.CACertFile
	if cfg.ClientVerification <= tls.RequestClientCert { // published: then it is not even looked at
		caFile = ""
	}
	s.authorities, err = tlsfiles.Watch(options, func() (*x509.CertPool, error) {
		return tlsfiles.Authorities(caFile)
	}, caFile)
	if err != nil || cfg.CRLFile == "" {
		return s, err
	}
	options.Interval = crlInterval
	s.revoked, err = tlsfiles.Watch(options, func() (*auth.RevocationLists, error) {
		lists, err := tlsfiles.RevocationLists(cfg.CRLFile)
		return auth.NewRevocationLists(lists), err
	}, cfg.CRLFile)
	return s, err
}

// pairWithRoot reads what the server shows. Chains usually end below the root; who joins has only its fingerprint.
func pairWithRoot(certFile, keyFile, rootFile string) (*tls.Certificate, error) {
	pair, err := tlsfiles.Pair(certFile, keyFile)
	if err != nil || rootFile == "" {
		return pair, err
	}
	roots, err := tlsfiles.Certificates(rootFile)
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		if !slices.ContainsFunc(pair.Certificate, func(shown []byte) bool { return bytes.Equal(shown, root.Raw) }) {
			pair.Certificate = append(pair.Certificate, root.Raw)
		}
	}
	return pair, nil
}

// certificates returns what decides about the client certificates of one side.
func (s *secrecy) certificates(side auth.Side, cfg TLS, deps Deps) (*auth.Certificates, error) {
	options := auth.CertificateOptions{
		Side: side, AllowedOUs: cfg.AgentsAllowedOU, Authorities: s.authorities.Get,
		CacheFor: cfg.CacheFor, HTTP: deps.HTTP, Log: deps.Log, Now: deps.Now,
	}
	if side == auth.SideBouncer {
		options.AllowedOUs = cfg.BouncersAllowedOU
	}
	if s.revoked != nil {
		options.Revoked = s.revoked.Get
	}
	return auth.NewCertificates(options)
}

// config returns what a listener needs. Each handshake uses the files of its moment; sessions are not
// resumed, because that would let in again who came with a certificate of an authority that is gone.
func (s *secrecy) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return &tls.Config{
				MinVersion:             tls.VersionTLS12,
				NextProtos:             []string{"h2", "http/1.1"},
				Certificates:           []tls.Certificate{*s.pair.Get()},
				ClientAuth:             s.verification,
				ClientCAs:              s.authorities.Get(),
				SessionTicketsDisabled: true,
				Time:                   s.now,
			}, nil
		},
	}
}

// defaultHTTP asks OCSP servers. It follows no redirects: the certificate says whom to ask.
func defaultHTTP() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
