package localapiclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/tlsfiles"
	"shieldwall/internal/wire"
)

// Join redeems the secret of a join token for a certificate, with a request for it in PEM. Forbidden when the token is not
// good or the name is taken, NotFound when the Local API has no authority. It is sent to one URL only, which Config.PinnedCA
// should guard.
func (c *Client) Join(ctx context.Context, join wire.Join) (wire.IssuedCertificate, error) {
	var issued wire.IssuedCertificate
	err := c.anywhere(ctx, request{once: true}, func(ctx context.Context, t try) error {
		return c.send(ctx, t, request{
			method: http.MethodPost, path: []string{"join"}, body: join, decode: into(&issued), maxSize: maxSmall,
		}, header{})
	})
	return issued, err
}

// KeepCertificate renews the client certificate when two thirds of its lifetime are over, until ctx ends. Whether an
// authority of ours has issued it, the Local API knows, which is asked then and not before. Without a certificate there is
// nothing to do, and it returns at once.
func (c *Client) KeepCertificate(ctx context.Context) {
	if c.cfg.Cert == "" {
		return
	}
	tlsfiles.Renewal{
		Current: func() (*x509.Certificate, error) {
			pair, err := tlsfiles.Pair(c.cfg.Cert, c.cfg.Key)
			if err != nil {
				return nil, err
			}
			return pair.Leaf, nil
		},
		Renew: c.renewCertificate, Now: c.cfg.Now, Log: c.log,
	}.Run(ctx)
}

// renewCertificate replaces the file of the certificate. The key stays: so one file changes, at once, and what is on disk
// fits together at any moment.
func (c *Client) renewCertificate(ctx context.Context) error {
	pair, err := tlsfiles.Pair(c.cfg.Cert, c.cfg.Key)
	if err != nil {
		return err
	}
	csr, err := requestFor(pair)
	if err != nil {
		return err
	}
	issued, err := c.renew(ctx, wire.Renewal{CSR: csr})
	if err != nil {
		return err
	}
	if err := c.fits(issued.Certificate, pair.Leaf); err != nil {
		return fmt.Errorf("the Local API's answer to a request for a certificate: %w", err)
	}
	return tlsfiles.Replace(c.cfg.Cert, []byte(issued.Certificate))
}

func requestFor(pair *tls.Certificate) (string, error) {
	template := &x509.CertificateRequest{RawSubject: pair.Leaf.RawSubject}
	raw, err := x509.CreateCertificateRequest(rand.Reader, template, pair.PrivateKey)
	if err != nil {
		return "", fmt.Errorf("making a request for a certificate: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: raw})), nil
}

// renew asks at each URL: of several Local APIs, one may have the authority. NotFound when all say that they have not.
func (c *Client) renew(ctx context.Context, renewal wire.Renewal) (issued wire.IssuedCertificate, err error) {
	for _, e := range c.endpoints {
		failure := c.send(ctx, try{endpoint: e}, request{
			method: http.MethodPost, path: []string{"renew"}, body: renewal, decode: into(&issued), maxSize: maxSmall,
		}, header{})
		if failure == nil {
			return issued, nil
		}
		if err == nil || fault.Is(err, fault.NotFound) {
			err = failure
		}
	}
	if fault.Is(err, fault.NotFound) {
		err = fmt.Errorf("the Local API cannot renew this certificate, who has issued it has to: %w", err)
	}
	return issued, err
}

// fits refuses what would be worse than the certificate that is there.
func (c *Client) fits(text string, current *x509.Certificate) error {
	key, err := os.ReadFile(c.cfg.Key)
	if err != nil {
		return err
	}
	next, err := tls.X509KeyPair([]byte(text), key)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(next.Leaf.RawSubject, current.RawSubject):
		return fmt.Errorf("it is for %s", next.Leaf.Subject)
	case !next.Leaf.NotAfter.After(current.NotAfter):
		return errors.New("it ends no later than the one that is there: the authority itself is about to expire")
	}
	return nil
}

// pin is what the certificate of a server has to be.
type pin struct {
	sum  []byte // SHA-256 of the authority that it comes from
	host string // that it is for
	now  func() time.Time
}

// pinTo makes a connection fail before anything is sent when the certificate of the server is not what it has to be.
func pinTo(secure *tls.Config, p pin) {
	secure.InsecureSkipVerify = true // what follows is stricter
	secure.VerifyConnection = func(state tls.ConnectionState) error {
		if err := p.verify(state.PeerCertificates); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
		return nil
	}
}

func (p pin) verify(chain []*x509.Certificate) error {
	at := slices.IndexFunc(chain, func(certificate *x509.Certificate) bool {
		sum := sha256.Sum256(certificate.Raw)
		return subtle.ConstantTimeCompare(sum[:], p.sum) == 1
	})
	if at < 0 {
		return errPinned
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), DNSName: p.host, CurrentTime: p.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	options.Roots.AddCert(chain[at])
	for _, certificate := range chain[1:] {
		options.Intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(options)
	return err
}

// errPinned is a chain without the authority that it must end at.
var errPinned = errors.New("the authority of the join token is not in its chain; the token is of another Local API, its pki.dir is not set, " +
	"or somebody is in between")
