package pki

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/atomicfile"
)

// The lifetime of a list, and when it is written again although nothing was revoked.
const (
	listLifetime = 90 * 24 * time.Hour
	listRest     = listLifetime / 3
)

// Revoke puts all certificates of a name, or the one with a serial number, on the list, and returns them. NotFound when
// there is none that is not over.
func (a *Authority) Revoke(nameOrSerial string) ([]Certificate, error) {
	var revoked []Certificate
	err := a.change(func(ix *index, _ *issuer) error {
		now := a.now()
		serial := plainSerial(nameOrSerial)
		for i := range ix.Certificates {
			c := &ix.Certificates[i]
			if (c.Name == nameOrSerial || c.Serial == serial) && c.lives(now) {
				c.RevokedAt = now.UTC().Truncate(time.Second)
				revoked = append(revoked, *c)
			}
		}
		if len(revoked) == 0 {
			return fault.Errorf(fault.NotFound, "no valid certificate has the name or the serial number '%s': see 'cscli pki list'", nameOrSerial)
		}
		ix.CRLUntil = time.Time{}
		return nil
	})
	return revoked, err
}

// plainSerial returns a serial number as the index has it, of the form that it shows or that openssl does.
func plainSerial(text string) string {
	text = strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(text, ":", ""), "0x"))
	if len(text) < 2*serialBytes {
		text = strings.Repeat("0", 2*serialBytes-len(text)) + text
	}
	return text
}

// RefreshList writes the list of revoked certificates again when a third of its lifetime is left or less.
func (a *Authority) RefreshList() error {
	ix, err := a.readIndex()
	if err != nil || !a.now().After(ix.CRLUntil) {
		return err
	}
	return a.change(func(*index, *issuer) error { return nil })
}

// writeList writes the list of revoked certificates, and the index. Should it not get to its end, the index says that the
// list has to be written.
func (a *Authority) writeList(ix *index, signer *issuer) error {
	ix.CRLUntil = time.Time{}
	ix.CRLNumber++
	if err := a.writeIndex(ix); err != nil {
		return err
	}
	now := a.now()
	template := &x509.RevocationList{
		Number: big.NewInt(ix.CRLNumber), ThisUpdate: now.Add(-skew), NextUpdate: now.Add(listLifetime),
		RevokedCertificateEntries: ix.revoked(),
	}
	list, err := x509.CreateRevocationList(rand.Reader, template, signer.certificate, signer.key)
	if err != nil {
		return fmt.Errorf("signing the list of revoked certificates: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: labelCRL, Bytes: list})
	if err := atomicfile.Write(a.path(CRLFile), text, publicMode); err != nil {
		return err
	}
	ix.CRLUntil = now.Add(listLifetime - listRest)
	return a.writeIndex(ix)
}

func (ix *index) revoked() []x509.RevocationListEntry {
	var entries []x509.RevocationListEntry
	for _, c := range ix.Certificates {
		serial, ok := new(big.Int).SetString(c.Serial, 16)
		if ok && !c.RevokedAt.IsZero() {
			entries = append(entries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: c.RevokedAt})
		}
	}
	return entries
}
