package pki

import (
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"shieldwall/internal/domain/fault"
)

// maxInvitations bounds the tokens that wait to be used.
const maxInvitations = 10_000

// Invitation is a token to make.
type Invitation struct {
	Kind Kind          // Agent or Bouncer
	Name string        // that the certificate will have; "": the machine says it
	TTL  time.Duration // positive
}

// invitation is what is kept of a token.
type invitation struct {
	Hash    string    `json:"hash"` // of the secret
	Kind    Kind      `json:"kind"`
	Name    string    `json:"name,omitempty"`
	Expires time.Time `json:"expires"`
	UsedAt  time.Time `json:"used_at,omitzero"`
	UsedBy  string    `json:"used_by,omitempty"` // the name of the certificate
}

// Invite makes a token that is good once, and returns when it expires. Exists when a living certificate has the name.
func (a *Authority) Invite(wanted Invitation) (token Token, expires time.Time, err error) {
	switch {
	case wanted.Kind != Agent && wanted.Kind != Bouncer:
		return Token{}, time.Time{}, fault.Errorf(fault.Invalid, "only agents and bouncers join with a token; a server's certificate is made with 'cscli pki issue server'")
	case wanted.TTL <= 0:
		return Token{}, time.Time{}, fault.Errorf(fault.Invalid, "the time to live must be positive")
	}
	token.Kind, token.Name = wanted.Kind, wanted.Name
	if wanted.Name != "" {
		if err := CheckName(wanted.Name); err != nil {
			return Token{}, time.Time{}, err
		}
	}
	if token.Fingerprint, err = a.Fingerprint(); err != nil {
		return Token{}, time.Time{}, err
	}
	if _, err := io.ReadFull(a.random, token.secret[:]); err != nil {
		return Token{}, time.Time{}, fmt.Errorf("making a secret: %w", err)
	}
	expires = a.now().Add(wanted.TTL).UTC().Truncate(time.Second)
	return token, expires, a.change(func(ix *index, _ *issuer) error {
		if err := ix.free(wanted.Name, a.now()); err != nil {
			return err
		}
		if len(ix.Tokens) >= maxInvitations {
			return fault.Errorf(fault.TooLarge, "%d join tokens are kept already: they are forgotten a month after they expire", maxInvitations)
		}
		ix.Tokens = append(ix.Tokens, invitation{
			Hash: hashSecret(token.Secret()), Kind: wanted.Kind, Name: wanted.Name, Expires: expires,
		})
		return nil
	})
}

// Join redeems the secret of a token: it signs a certificate for the key of a request, whose common name counts when the
// token has none. Forbidden when the token is unknown, used or expired, Exists when a living certificate has the name;
// only success uses a token up. The chain leads from the certificate to the root, both included.
func (a *Authority) Join(secret string, request *x509.CertificateRequest) (chain []*x509.Certificate, err error) {
	hash := hashSecret(secret)
	if ix, err := a.readIndex(); err != nil { // strangers must not make others wait
		return nil, err
	} else if _, err := ix.invited(hash, a.now()); err != nil {
		return nil, err
	}
	if err := acceptable(request); err != nil {
		return nil, err
	}
	err = a.change(func(ix *index, signer *issuer) error {
		token, err := ix.invited(hash, a.now())
		if err != nil {
			return err
		}
		name := token.Name
		if name == "" {
			name = request.Subject.CommonName
		}
		if err := CheckName(name); err != nil {
			return err
		}
		if err := ix.free(name, a.now()); err != nil {
			return err
		}
		certificate, err := a.issue(ix, signer, leaf{token.Kind, ix.subject(token.Kind, name), nil, ix.Lifetime}, request.PublicKey)
		if err != nil {
			return err
		}
		token.UsedAt, token.UsedBy = a.now().UTC().Truncate(time.Second), name
		chain = signer.chain(certificate)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return chain, nil
}

// invited returns the token with a hash if it is still good, Forbidden with the reason if not.
func (ix *index) invited(hash string, now time.Time) (*invitation, error) {
	var found *invitation
	for i := range ix.Tokens {
		if subtle.ConstantTimeCompare([]byte(ix.Tokens[i].Hash), []byte(hash)) == 1 {
			found = &ix.Tokens[i]
		}
	}
	switch {
	case found == nil:
		return nil, fault.Errorf(fault.Forbidden, "the join token is unknown")
	case !found.UsedAt.IsZero():
		return nil, fault.Errorf(fault.Forbidden, "the join token was used already, by %s on %s", found.UsedBy, found.UsedAt.Format(time.RFC3339))
	case !now.Before(found.Expires):
		return nil, fault.Errorf(fault.Forbidden, "the join token has expired on %s", found.Expires.Format(time.RFC3339))
	}
	return found, nil
}
