// Package tlstest makes authorities, certificates, revocation lists and OCSP responders for tests.
//
// Everything is valid from 2020 to 2100 unless a test says otherwise, so that the clock of the test and that
// of the machine may differ.
package tlstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority issues certificates.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	above       []*x509.Certificate // that lead to the root, without it
}

// Pair is a certificate with its key, and the certificates that lead to the root.
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	above       []*x509.Certificate
}

// Leaf describes a certificate. The zero value of a field takes the default.
type Leaf struct {
	CommonName          string
	OUs                 []string
	DNSNames            []string  // default "localhost"
	NotBefore, NotAfter time.Time // default 2020 to 2100
	OCSPServers         []string
	Usage               []x509.ExtKeyUsage // default server and client
}

// CRL describes a revocation list.
type CRL struct {
	Revoked                []*x509.Certificate
	ThisUpdate, NextUpdate time.Time // default 2020 to 2100
}

// NewAuthority returns a root.
func NewAuthority(tb testing.TB, name string) *Authority {
	tb.Helper()
	key := newKey(tb)
	template := authorityTemplate(tb, name)
	return &Authority{Certificate: sign(tb, template, template, key.Public(), key), Key: key}
}

// Intermediate returns an authority below a.
func (a *Authority) Intermediate(tb testing.TB, name string) *Authority {
	tb.Helper()
	key := newKey(tb)
	certificate := sign(tb, authorityTemplate(tb, name), a.Certificate, key.Public(), a.Key)
	return &Authority{Certificate: certificate, Key: key, above: append([]*x509.Certificate{certificate}, a.above...)}
}

// Issue returns a certificate for 127.0.0.1, ::1 and the names of the leaf.
func (a *Authority) Issue(tb testing.TB, leaf Leaf) Pair {
	tb.Helper()
	key := newKey(tb)
	return Pair{Certificate: sign(tb, leafTemplate(tb, leaf), a.Certificate, key.Public(), a.Key), Key: key, above: a.above}
}

// Sign returns a certificate as Issue does, for the key of somebody else, in PEM with those that lead to the root.
func (a *Authority) Sign(tb testing.TB, leaf Leaf, public crypto.PublicKey) []byte {
	tb.Helper()
	text := certificatePEM(sign(tb, leafTemplate(tb, leaf), a.Certificate, public, a.Key))
	for _, above := range a.above {
		text = append(text, certificatePEM(above)...)
	}
	return text
}

func leafTemplate(tb testing.TB, leaf Leaf) *x509.Certificate {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(tb),
		Subject:      pkix.Name{CommonName: leaf.CommonName, OrganizationalUnit: leaf.OUs},
		NotBefore:    or(leaf.NotBefore, year(2020)),
		NotAfter:     or(leaf.NotAfter, year(2100)),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  leaf.Usage,
		DNSNames:     leaf.DNSNames,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		OCSPServer:   leaf.OCSPServers,
	}
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if template.DNSNames == nil {
		template.DNSNames = []string{"localhost"}
	}
	return template
}

// CRL returns a revocation list in PEM.
func (a *Authority) CRL(tb testing.TB, crl CRL) []byte {
	tb.Helper()
	template := &x509.RevocationList{
		Number: serial(tb), ThisUpdate: or(crl.ThisUpdate, year(2020)), NextUpdate: or(crl.NextUpdate, year(2100)),
	}
	for _, certificate := range crl.Revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: certificate.SerialNumber, RevocationTime: year(2021)})
	}
	list, err := x509.CreateRevocationList(rand.Reader, template, a.Certificate, a.Key)
	check(tb, err)
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})
}

// PEM returns the certificate of the authority.
func (a *Authority) PEM() []byte { return certificatePEM(a.Certificate) }

// Write stores the certificate of the authority in dir and returns the path.
func (a *Authority) Write(tb testing.TB, dir string) string {
	tb.Helper()
	return Replace(tb, filepath.Join(dir, a.Certificate.Subject.CommonName+".pem"), a.PEM())
}

// Pool returns a pool with the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// TLS returns the pair with the certificates that lead to the root.
func (p Pair) TLS() tls.Certificate {
	chain := [][]byte{p.Certificate.Raw}
	for _, above := range p.above {
		chain = append(chain, above.Raw)
	}
	return tls.Certificate{Certificate: chain, PrivateKey: p.Key, Leaf: p.Certificate}
}

// Write stores the pair as name.pem and name-key.pem in dir and returns the paths.
func (p Pair) Write(tb testing.TB, dir, name string) (certFile, keyFile string) {
	tb.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(p.Key)
	check(tb, err)
	certificates := certificatePEM(p.Certificate)
	for _, above := range p.above {
		certificates = append(certificates, certificatePEM(above)...)
	}
	certFile = Replace(tb, filepath.Join(dir, name+".pem"), certificates)
	keyFile = Replace(tb, filepath.Join(dir, name+"-key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return certFile, keyFile
}

// Replace puts a file in place at once, as careful programs do, and returns its path.
func Replace(tb testing.TB, path string, text []byte) string {
	tb.Helper()
	next := path + ".next"
	check(tb, os.WriteFile(next, text, 0o600))
	check(tb, os.Rename(next, path))
	return path
}

func authorityTemplate(tb testing.TB, name string) *x509.Certificate {
	tb.Helper()
	return &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: name}, NotBefore: year(2020), NotAfter: year(2100),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
}

func sign(tb testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	tb.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	check(tb, err)
	certificate, err := x509.ParseCertificate(raw)
	check(tb, err)
	return certificate
}

func newKey(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(tb, err)
	return key
}

func serial(tb testing.TB) *big.Int {
	tb.Helper()
	const bits = 100
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
	check(tb, err)
	return number
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

func year(number int) time.Time { return time.Date(number, 1, 1, 0, 0, 0, 0, time.UTC) }

func or(value, fallback time.Time) time.Time {
	if value.IsZero() {
		return fallback
	}
	return value
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
