package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/tlsfiles"
)

// Renew signs a successor of a certificate that is still good: with the same subject, hosts and lifetime, for the key of the
// request, which may be the same. NotFound when the certificate was not issued here, Forbidden when it is over or the
// request is for another subject. The chain leads from the new certificate to the root, both included.
func (a *Authority) Renew(current *x509.Certificate, request *x509.CertificateRequest) (chain []*x509.Certificate, err error) {
	return a.renew(current, request, Revoked, Expired)
}

// renew is Renew for certificates that are in none of the states.
func (a *Authority) renew(current *x509.Certificate, request *x509.CertificateRequest, refused ...State) (chain []*x509.Certificate, err error) {
	if err := acceptable(request); err != nil {
		return nil, err
	}
	if !bytes.Equal(request.RawSubject, current.RawSubject) {
		return nil, fault.Errorf(fault.Forbidden, "the request is for %s, and the certificate for %s", request.Subject, current.Subject)
	}
	err = a.change(func(ix *index, signer *issuer) error {
		known := ix.bySerial(serialText(current.SerialNumber))
		if known == nil || current.CheckSignatureFrom(signer.certificate) != nil {
			return fault.Errorf(fault.NotFound, "the certificate %s was not issued by this authority, which cannot renew it", current.Subject)
		}
		if state := known.State(a.now()); slices.Contains(refused, state) {
			return fault.Errorf(fault.Forbidden, "the certificate %s is %s", current.Subject, state)
		}
		certificate, err := a.succeed(ix, signer, current, request.PublicKey, *known)
		if err != nil {
			return err
		}
		chain = signer.chain(certificate)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return chain, nil
}

// succeed signs the successor of a certificate.
func (a *Authority) succeed(ix *index, signer *issuer, current *x509.Certificate, public crypto.PublicKey, known Certificate) (*x509.Certificate, error) {
	hosts := append([]string{}, current.DNSNames...)
	for _, address := range current.IPAddresses {
		hosts = append(hosts, address.String())
	}
	certificate, err := a.issue(ix, signer, leaf{known.Kind, current.Subject, hosts, known.Lifetime}, public)
	if err != nil {
		return nil, err
	}
	ix.Certificates[len(ix.Certificates)-1].File = known.File
	return certificate, nil
}

// RenewFiles renews the certificate in a file for its own key, and replaces the file at once. One that has expired is
// renewed, too: who may write the files of the authority needs no proof. Other errors are those of Renew.
func (a *Authority) RenewFiles(certFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("renewing a certificate: %w", err)
	}
	request, err := RequestFor(pair)
	if err != nil {
		return err
	}
	chain, err := a.renew(pair.Leaf, request, Revoked)
	if err != nil {
		return err
	}
	return tlsfiles.Replace(certFile, EncodeCertificates(chain[:len(chain)-1]...))
}

// RequestFor returns a request for the successor of a certificate, signed with its key.
func RequestFor(pair tls.Certificate) (*x509.CertificateRequest, error) {
	template := &x509.CertificateRequest{RawSubject: pair.Leaf.RawSubject}
	raw, err := x509.CreateCertificateRequest(rand.Reader, template, pair.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("making a request for a certificate: %w", err)
	}
	return x509.ParseCertificateRequest(raw)
}

// RenewNamed renews the certificate of a name that was issued to files of this machine. NotFound when the name is unknown,
// Invalid when its files are on another machine.
func (a *Authority) RenewNamed(name string) (Certificate, error) {
	ix, err := a.readIndex()
	if err != nil {
		return Certificate{}, err
	}
	newest := ix.newest(name)
	if newest == nil {
		return Certificate{}, fault.Errorf(fault.NotFound, "no certificate has the name '%s': see 'cscli pki list'", name)
	}
	if err := a.renewHere(*newest); err != nil {
		return Certificate{}, err
	}
	if ix, err = a.readIndex(); err != nil {
		return Certificate{}, err
	}
	return *ix.newest(name), nil
}

func (a *Authority) renewHere(c Certificate) error {
	if c.File == "" {
		return fault.Errorf(fault.Invalid, "the key of %s is on the machine that has joined with it, which renews by itself", c.Name)
	}
	err := a.RenewFiles(c.File, strings.TrimSuffix(c.File, certificateSuffix)+keySuffix+certificateSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Errorf(fault.Invalid, "the files of %s are not where they were issued any more: %w", c.Name, err)
	}
	return err
}

// Due returns the names of the certificates that RenewNamed can renew and should: they end within a time from now, or two
// thirds of their lifetime are over.
func (a *Authority) Due(within time.Duration) ([]string, error) {
	all, err := a.Certificates()
	if err != nil {
		return nil, err
	}
	now := a.now()
	var names []string
	seen := map[string]bool{}
	for _, c := range all { // the newest of a name comes first
		if seen[c.Name] || !c.RevokedAt.IsZero() {
			continue
		}
		seen[c.Name] = true
		due := c.State(now) != Valid || c.NotAfter.Sub(now) <= within
		if due && c.File != "" {
			names = append(names, c.Name)
		}
	}
	return names, nil
}
