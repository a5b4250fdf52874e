package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
)

const (
	serialBytes = 16 // the first bit is cleared: 20 are allowed, and some programs cannot read negative numbers
	leastRSA    = 2048
	maxName     = 64 // characters of a common name
	// skew is how far a certificate reaches back, for clocks that are late.
	skew = 5 * time.Minute
	// skewShare keeps that small beside lifetimes of seconds: it is at most this part of them.
	skewShare = 12
)

// leaf describes a certificate to sign.
type leaf struct {
	kind     Kind
	subject  pkix.Name
	hosts    []string // names and addresses, of a server
	lifetime time.Duration
}

// issue signs a certificate for a public key and makes a note of it.
func (a *Authority) issue(ix *index, signer *issuer, l leaf, public crypto.PublicKey) (*x509.Certificate, error) {
	now := a.now()
	if l.lifetime <= 0 {
		return nil, fault.Errorf(fault.Invalid, "the lifetime of a certificate must be positive")
	}
	if !now.Before(signer.certificate.NotAfter) {
		return nil, fault.Errorf(fault.Invalid, "the authority itself has expired on %s: make another one with 'cscli pki init --force'",
			signer.certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	serial, err := newSerial(a.random, ix)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               l.subject,
		NotBefore:             now.Add(-min(skew, l.lifetime/skewShare)),
		NotAfter:              earlier(now.Add(l.lifetime), signer.certificate.NotAfter),
		KeyUsage:              keyUsage(public),
		ExtKeyUsage:           l.kind.usage(),
		BasicConstraintsValid: true,
	}
	addHosts(template, l.hosts)
	certificate, err := create(template, signer.certificate, public, signer.key)
	if err != nil {
		return nil, err
	}
	ix.Certificates = append(ix.Certificates, Certificate{
		Name: l.subject.CommonName, Kind: l.kind, Serial: serialText(serial), Lifetime: l.lifetime,
		NotBefore: certificate.NotBefore, NotAfter: certificate.NotAfter,
	})
	return certificate, nil
}

func (ix *index) subject(kind Kind, name string) pkix.Name {
	return pkix.Name{CommonName: name, Organization: []string{ix.Organization}, OrganizationalUnit: []string{kind.unit()}}
}

func addHosts(template *x509.Certificate, hosts []string) {
	for _, host := range hosts {
		if address, err := netip.ParseAddr(host); err == nil {
			template.IPAddresses = append(template.IPAddresses, address.AsSlice())
			continue
		}
		template.DNSNames = append(template.DNSNames, host)
	}
}

func create(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return certificate, nil
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}

// newSerial returns a number that no certificate of the index has.
func newSerial(random io.Reader, ix *index) (*big.Int, error) {
	var digits [serialBytes]byte
	for {
		if _, err := io.ReadFull(random, digits[:]); err != nil {
			return nil, fmt.Errorf("making a serial number: %w", err)
		}
		digits[0] &= 0x7f
		serial := new(big.Int).SetBytes(digits[:])
		if digits[0] != 0 && ix.bySerial(serialText(serial)) == nil { // so that all have the same length
			return serial, nil
		}
	}
}

func serialText(serial *big.Int) string { return fmt.Sprintf("%0*x", 2*serialBytes, serial) }

func keyUsage(public crypto.PublicKey) x509.KeyUsage {
	if _, ok := public.(*rsa.PublicKey); ok {
		return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	}
	return x509.KeyUsageDigitalSignature
}

// acceptable refuses requests that are not signed by their key, and keys that are too weak.
func acceptable(request *x509.CertificateRequest) error {
	if err := request.CheckSignature(); err != nil {
		return fault.Errorf(fault.Invalid, "the request is not signed by its own key: %w", err)
	}
	switch key := request.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P224() {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if key.N.BitLen() >= leastRSA {
			return nil
		}
	}
	return fault.Errorf(fault.Invalid, "the key of the request is too weak or of an unknown kind: use ECDSA with P-256")
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// CheckName returns an error of kind Invalid for what is no good common name, or no good name of a file.
func CheckName(name string) error {
	switch {
	case len(name) > maxName || !nameForm.MatchString(name):
		return fault.Errorf(fault.Invalid, "'%s' is no name for a certificate: it needs letters, digits, dots, dashes and underscores, "+
			"at most %d of them, and begins with a letter or a digit", name, maxName)
	case strings.HasSuffix(name, keySuffix):
		return fault.Errorf(fault.Invalid, "'%s' is no name for a certificate: keys are called like that", name)
	}
	return nil
}

var hostForm = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// checkHosts returns the names and addresses of a server as certificates want them.
func checkHosts(kind Kind, hosts []string) ([]string, error) {
	switch {
	case kind != Server && len(hosts) > 0:
		return nil, fault.Errorf(fault.Invalid, "only servers have hosts")
	case kind == Server && len(hosts) == 0:
		return nil, fault.Errorf(fault.Invalid, "a server needs --host for each name and address under which clients reach it")
	}
	checked := make([]string, len(hosts))
	for i, host := range hosts {
		checked[i] = strings.ToLower(strings.TrimSpace(host))
		if _, err := netip.ParseAddr(checked[i]); err != nil && !hostForm.MatchString(checked[i]) {
			return nil, fault.Errorf(fault.Invalid, "'%s' is neither the name nor the address of a host (without scheme and port)", host)
		}
	}
	return checked, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
