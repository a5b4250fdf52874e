package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"shieldwall/internal/platform/atomicfile"
)

const (
	keySuffix         = "-key"
	labelCertificate  = "CERTIFICATE"
	labelKey          = "PRIVATE KEY"
	labelCRL          = "X509 CRL"
	certificateSuffix = ".pem"
)

// CertificatePath returns where the certificate of a name is in a folder.
func CertificatePath(dir, name string) string { return filepath.Join(dir, name+certificateSuffix) }

// KeyPath returns where the key of a name is in a folder.
func KeyPath(dir, name string) string { return filepath.Join(dir, name+keySuffix+certificateSuffix) }

// EncodeCertificates returns certificates in PEM, in their order.
func EncodeCertificates(certificates ...*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, certificate := range certificates {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: labelCertificate, Bytes: certificate.Raw}))
	}
	return text.Bytes()
}

// EncodeKey returns a private key in PEM.
func EncodeKey(key crypto.Signer) ([]byte, error) {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelKey, Bytes: raw}), nil
}

func writeCertificates(path string, certificates ...*x509.Certificate) error {
	return atomicfile.Write(path, EncodeCertificates(certificates...), publicMode)
}

func writeKey(path string, key crypto.Signer) error {
	text, err := EncodeKey(key)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, text, secretMode)
}

// readCertificate reads the first certificate of a file.
func readCertificate(path string) (*x509.Certificate, error) {
	text, err := os.ReadFile(path) //nolint:gosec // a file of the authority
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != labelCertificate {
		return nil, fmt.Errorf("reading a certificate: %s: none in it", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate: %s: %w", path, err)
	}
	return certificate, nil
}

// makeFolder makes a folder for secrets. One that exists keeps its rights.
func makeFolder(path string, mode fs.FileMode) error {
	if err := os.MkdirAll(path, mode); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	return nil
}
