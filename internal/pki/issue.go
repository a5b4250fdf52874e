package pki

import (
	"crypto/x509"
	"path/filepath"
	"time"

	"shieldwall/internal/domain/fault"
)

// Order is a certificate to issue, with a key that is made here.
type Order struct {
	Kind     Kind
	Name     string        // its common name, and that of its files
	Hosts    []string      // of a server: each name and address under which clients reach it
	Lifetime time.Duration // 0: that of the authority
	Out      string        // folder for certificate and key, which is made if need be; "": issued in that of the authority
}

// Issued is a certificate with its files.
type Issued struct {
	Certificate

	KeyFile string
}

// Issue makes a key and signs a certificate for it. The file of the certificate holds the intermediate, too. Exists when a
// living certificate has the name, Invalid when the order makes no sense.
func (a *Authority) Issue(order Order) (Issued, error) {
	if err := CheckName(order.Name); err != nil {
		return Issued{}, err
	}
	hosts, err := checkHosts(order.Kind, order.Hosts)
	if err != nil {
		return Issued{}, err
	}
	out, err := a.outFolder(order.Out)
	if err != nil {
		return Issued{}, err
	}
	var (
		issued Issued
		chain  []*x509.Certificate
	)
	err = a.change(func(ix *index, signer *issuer) error {
		if err := ix.free(order.Name, a.now()); err != nil {
			return err
		}
		lifetime := order.Lifetime
		if lifetime == 0 {
			lifetime = ix.Lifetime
		}
		key, err := newKey()
		if err != nil {
			return err
		}
		certificate, err := a.issue(ix, signer, leaf{order.Kind, ix.subject(order.Kind, order.Name), hosts, lifetime}, key.Public())
		if err != nil {
			return err
		}
		noted := &ix.Certificates[len(ix.Certificates)-1]
		noted.File = CertificatePath(out, order.Name)
		issued, chain = Issued{*noted, KeyPath(out, order.Name)}, signer.chain(certificate)
		return writeKey(issued.KeyFile, key) // before the note: what cannot be written is not issued
	})
	if err != nil {
		return Issued{}, err
	}
	return issued, writeCertificates(issued.File, chain[:len(chain)-1]...)
}

func (a *Authority) outFolder(out string) (string, error) {
	if out == "" {
		out = a.path(issuedFolder)
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "the folder for the certificate: %w", err)
	}
	return out, makeFolder(out, folderMode)
}
