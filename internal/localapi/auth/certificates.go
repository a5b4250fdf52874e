package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"shieldwall/internal/domain/fault"
)

// DefaultCacheTime is for how long the outcome of a revocation check holds.
const DefaultCacheTime = time.Hour

// CertificateOptions say which client certificates are accepted.
type CertificateOptions struct {
	Side        Side
	AllowedOUs  []string                // one of a certificate's must be among them: none accepts nobody
	Authorities func() *x509.CertPool   // that certificates must come from
	Revoked     func() *RevocationLists // nil: there are no lists
	CacheFor    time.Duration           // how long the outcome of a revocation check holds; 0: DefaultCacheTime
	HTTP        *http.Client            // asks OCSP servers
	Log         *slog.Logger
	Now         func() time.Time
}

// Certificates decides which client certificates are good. It is safe for concurrent use. A nil one accepts
// none.
type Certificates struct {
	options    CertificateOptions
	revocation *revocation
}

// NewCertificates returns Certificates that have checked none yet.
func NewCertificates(options CertificateOptions) (*Certificates, error) {
	if options.CacheFor <= 0 {
		options.CacheFor = DefaultCacheTime
	}
	revocation, err := newRevocation(options)
	if err != nil {
		return nil, err
	}
	return &Certificates{options: options, revocation: revocation}, nil
}

// presented reports whether a client has shown a certificate: then nothing else that it sends counts.
func presented(state *tls.ConnectionState) bool {
	return state != nil && len(state.PeerCertificates) > 0
}

// Presented returns the certificate with which somebody proves who he is, on whichever of the sides it is for. The errors
// are those of a login; Unauthorized without a certificate.
func Presented(ctx context.Context, state *tls.ConnectionState, sides ...*Certificates) (*x509.Certificate, error) {
	if !presented(state) {
		return nil, refuse(SideNewcomer, ReasonNoCertificate, fault.Unauthorized, errors.New("a client certificate is needed"))
	}
	leaf := state.PeerCertificates[0]
	judge := sides[0]
	for _, side := range sides {
		if side.allows(leaf) {
			judge = side
		}
	}
	_, err := judge.check(ctx, state)
	return leaf, err
}

// check returns the common name of the certificate that was presented, if it is good now. Unauthorized with a
// Refusal if it is not; Unavailable when ctx ends before that is known.
func (c *Certificates) check(ctx context.Context, state *tls.ConnectionState) (commonName string, err error) {
	leaf := state.PeerCertificates[0]
	if c == nil || len(state.VerifiedChains) == 0 {
		return "", c.refuse(leaf, ReasonUntrusted, errors.New("no verified cert in request"))
	}
	if err := c.admit(leaf); err != nil {
		return "", err
	}
	finding, err := c.revocation.look(ctx, state.PeerCertificates)
	if err != nil {
		return "", err
	}
	if finding.refused() {
		return "", c.refuse(leaf, finding.reason, finding.err)
	}
	return leaf.Subject.CommonName, nil
}

// admit checks what the certificate itself says.
func (c *Certificates) admit(leaf *x509.Certificate) error {
	now := c.options.Now()
	switch {
	case now.Before(leaf.NotBefore):
		return c.refuse(leaf, ReasonExpired, fmt.Errorf("client certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339)))
	case now.After(leaf.NotAfter):
		return c.refuse(leaf, ReasonExpired, fmt.Errorf("client certificate has expired on %s", leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	if !c.allows(leaf) {
		return c.refuse(leaf, ReasonOU, fmt.Errorf("client certificate OU %v doesn't match expected OU %v",
			leaf.Subject.OrganizationalUnit, c.options.AllowedOUs))
	}
	return nil
}

// allows reports whether a unit of the certificate is one of those that are let in.
func (c *Certificates) allows(leaf *x509.Certificate) bool {
	return c != nil && slices.ContainsFunc(leaf.Subject.OrganizationalUnit, func(unit string) bool {
		return slices.Contains(c.options.AllowedOUs, unit)
	})
}

func (c *Certificates) refuse(leaf *x509.Certificate, reason Reason, err error) *RefusalError {
	side := SideAgent
	if c != nil {
		side = c.options.Side
	}
	refusal := refuse(side, reason, fault.Unauthorized, err)
	refusal.Certificate = leaf
	return refusal
}
