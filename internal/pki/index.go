package pki

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/atomicfile"
)

// remembered is how long the index keeps what is over: expired certificates, used and expired tokens.
const remembered = 30 * 24 * time.Hour

// State is what has become of a certificate.
type State string

// The states.
const (
	Valid    State = "valid"
	Expiring State = "expiring" // two thirds of its lifetime are over
	Expired  State = "expired"
	Revoked  State = "revoked"
)

// Certificate is what the authority knows about one that it has issued.
type Certificate struct {
	Name      string        `json:"name"`
	Kind      Kind          `json:"kind"`
	Serial    string        `json:"serial"` // in lower-case hexadecimal digits
	NotBefore time.Time     `json:"not_before"`
	NotAfter  time.Time     `json:"not_after"`
	Lifetime  time.Duration `json:"lifetime"` // as it was asked for, and as its successor gets it
	RevokedAt time.Time     `json:"revoked_at,omitzero"`
	File      string        `json:"file,omitempty"` // where it was written; "" when its key is on another machine only
}

// State returns what has become of the certificate by now.
func (c Certificate) State(now time.Time) State {
	switch {
	case !c.RevokedAt.IsZero():
		return Revoked
	case now.After(c.NotAfter):
		return Expired
	case !now.Before(c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) / 3 * 2)):
		return Expiring
	}
	return Valid
}

func (c Certificate) lives(now time.Time) bool {
	state := c.State(now)
	return state == Valid || state == Expiring
}

// index is what the authority remembers.
type index struct {
	Organization string        `json:"organization"`
	Lifetime     time.Duration `json:"lifetime"` // of certificates for which none is asked
	CRLNumber    int64         `json:"crl_number"`
	CRLUntil     time.Time     `json:"crl_until"` // when the list should be written again
	Certificates []Certificate `json:"certificates"`
	Tokens       []invitation  `json:"tokens"`
}

func (a *Authority) readIndex() (*index, error) {
	text, err := os.ReadFile(a.path(indexFile))
	if err != nil {
		return nil, fmt.Errorf("reading the index of the authority: %w", err)
	}
	var ix index
	if err := json.Unmarshal(text, &ix); err != nil {
		return nil, fmt.Errorf("reading the index of the authority: %s: %w", a.path(indexFile), err)
	}
	return &ix, nil
}

// writeIndex forgets what has long been over.
func (a *Authority) writeIndex(ix *index) error {
	horizon := a.now().Add(-remembered)
	ix.Certificates = slices.DeleteFunc(ix.Certificates, func(c Certificate) bool { return c.NotAfter.Before(horizon) })
	ix.Tokens = slices.DeleteFunc(ix.Tokens, func(t invitation) bool { return t.Expires.Before(horizon) })
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(ix); err != nil {
		return fmt.Errorf("writing the index of the authority: %w", err)
	}
	return atomicfile.Write(a.path(indexFile), text.Bytes(), secretMode)
}

// change reads the index, has it changed, and writes it when that went well. Nobody else changes it meanwhile.
func (a *Authority) change(change func(*index, *issuer) error) error {
	return a.exclusively(func() error {
		ix, err := a.readIndex()
		if err != nil {
			return err
		}
		signer, err := a.loadIssuer()
		if err != nil {
			return err
		}
		if err := change(ix, signer); err != nil {
			return err
		}
		if a.now().After(ix.CRLUntil) {
			return a.writeList(ix, signer)
		}
		return a.writeIndex(ix)
	})
}

// Certificates returns all that were issued, but for those that have expired a month ago, by name and, of one name, the
// newest first.
func (a *Authority) Certificates() ([]Certificate, error) {
	ix, err := a.readIndex()
	if err != nil {
		return nil, err
	}
	slices.Reverse(ix.Certificates)
	slices.SortStableFunc(ix.Certificates, func(x, y Certificate) int { return strings.Compare(x.Name, y.Name) })
	return ix.Certificates, nil
}

// free refuses a name that a living certificate has.
func (ix *index) free(name string, now time.Time) error {
	for _, known := range ix.Certificates {
		if known.Name == name && known.lives(now) {
			return fault.Errorf(fault.Exists, "the name %s belongs to a certificate that is valid until %s: "+
				"renew that one, or revoke it first ('cscli pki revoke %s')", name, known.NotAfter.UTC().Format(time.RFC3339), name)
		}
	}
	return nil
}

// bySerial returns the certificate with a serial number, nil for none.
func (ix *index) bySerial(serial string) *Certificate {
	for i := range ix.Certificates {
		if ix.Certificates[i].Serial == serial {
			return &ix.Certificates[i]
		}
	}
	return nil
}

// newest returns the certificate of a name that was issued last and is not revoked, nil for none.
func (ix *index) newest(name string) *Certificate {
	var found *Certificate
	for i := range ix.Certificates {
		c := &ix.Certificates[i]
		if c.Name == name && c.RevokedAt.IsZero() {
			found = c
		}
	}
	return found
}
