package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// The labels of PEM blocks.
const (
	labelCertificate = "CERTIFICATE"
	labelCRL         = "X509 CRL"
)

// Pair reads a certificate, with those that lead to its authority, and its key.
func Pair(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("unable to load certificate '%s' and key '%s': %w", certFile, keyFile, err)
	}
	return &pair, nil
}

// Authorities returns the certificates that the system trusts and those of the file; "" adds none.
func Authorities(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil { // a system without any
		pool = x509.NewCertPool()
	}
	if path == "" {
		return pool, nil
	}
	text, err := read(path, labelCertificate)
	if err != nil {
		return nil, fmt.Errorf("unable to load CA certificates: %w", err)
	}
	if _, err := blocks(text, labelCertificate); err != nil {
		return nil, fmt.Errorf("unable to load CA certificates: %s: %w", path, err)
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("unable to load CA certificates: %s: none of them can be read", path)
	}
	return pool, nil
}

// Certificates reads the certificates of a file, in their order.
func Certificates(path string) ([]*x509.Certificate, error) {
	text, err := read(path, labelCertificate)
	if err != nil {
		return nil, fmt.Errorf("unable to load certificates: %w", err)
	}
	found, err := blocks(text, labelCertificate)
	if err != nil {
		return nil, fmt.Errorf("unable to load certificates: %s: %w", path, err)
	}
	certificates := make([]*x509.Certificate, len(found))
	for i, block := range found {
		if certificates[i], err = x509.ParseCertificate(block); err != nil {
			return nil, fmt.Errorf("unable to load certificates: %s: %w", path, err)
		}
	}
	return certificates, nil
}

// RevocationLists reads the lists of revoked certificates in a file, one or more. Their signatures are for
// the caller to check, who knows the issuers.
func RevocationLists(path string) ([]*x509.RevocationList, error) {
	text, err := read(path, labelCRL)
	if err != nil {
		return nil, fmt.Errorf("unable to load CRL: %w", err)
	}
	lists, err := parseRevocationLists(text)
	if err != nil {
		return nil, fmt.Errorf("unable to load CRL: %s: %w", path, err)
	}
	return lists, nil
}

func parseRevocationLists(text []byte) ([]*x509.RevocationList, error) {
	found, err := blocks(text, labelCRL)
	if err != nil {
		return nil, err
	}
	lists := make([]*x509.RevocationList, 0, len(found))
	for i, block := range found {
		list, err := x509.ParseRevocationList(block)
		if err != nil {
			return nil, fmt.Errorf("list %d: %w", i+1, err)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// blocks returns the PEM blocks with a label. The decoder passes over what it cannot read; here that is an
// error, because the file may be half written.
func blocks(text []byte, label string) ([][]byte, error) {
	begun := strings.Count(string(text), "-----BEGIN "+label+"-----")
	var found [][]byte
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type == label {
			found = append(found, block.Bytes)
		}
	}
	if len(found) != begun {
		return nil, fmt.Errorf("%d of %d blocks of %s are cut off or garbled", begun-len(found), begun, label)
	}
	return found, nil
}
