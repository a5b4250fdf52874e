package auth

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"shieldwall/internal/domain/fault"
)

// tokenLife is how long a token is good, and for how long after its making it can be exchanged.
const tokenLife = time.Hour

// Tokens makes and checks the bearer tokens of machines. It is safe for concurrent use.
type Tokens struct {
	secret []byte
	now    func() time.Time
}

// claims are the published content of a token.
type claims struct {
	ID       string           `json:"id"`
	Expires  *jwt.NumericDate `json:"exp"`
	IssuedAt *jwt.NumericDate `json:"orig_iat"`
}

// NewTokens returns Tokens that sign with secret, of at least 64 bytes.
func NewTokens(secret []byte, now func() time.Time) (*Tokens, error) {
	const minSecret = 64
	if len(secret) < minSecret {
		return nil, fmt.Errorf("the secret for tokens has %d bytes, less than %d", len(secret), minSecret)
	}
	return &Tokens{secret: secret, now: now}, nil
}

// Issue returns a token for a machine and when it expires.
func (t *Tokens) Issue(machineID string) (token string, expires time.Time, err error) {
	issued := t.now().Truncate(time.Second)
	expires = issued.Add(tokenLife)
	content := claims{ID: machineID, Expires: jwt.NewNumericDate(expires), IssuedAt: jwt.NewNumericDate(issued)}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, &content).SignedString(t.secret)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing a token: %w", err)
	}
	return token, expires, nil
}

// Verify returns the machine that token was issued for, Unauthorized unless it is good now.
func (t *Tokens) Verify(token string) (machineID string, err error) {
	content, err := t.parse(token)
	if err != nil {
		return "", err
	}
	if !t.now().Before(content.Expires.Time) {
		return "", fault.Errorf(fault.Unauthorized, "Token is expired")
	}
	return content.ID, nil
}

// VerifyForRefresh is Verify for a token that may have expired, but is no older than an hour.
func (t *Tokens) VerifyForRefresh(token string) (machineID string, err error) {
	content, err := t.parse(token)
	if err != nil {
		return "", err
	}
	if t.now().Sub(content.IssuedAt.Time) > tokenLife {
		return "", fault.Errorf(fault.Unauthorized, "token is expired")
	}
	return content.ID, nil
}

// parse checks everything but the time. The messages are published.
func (t *Tokens) parse(token string) (claims, error) {
	if token == "" {
		return claims{}, fault.Errorf(fault.Unauthorized, "cookie token is empty")
	}
	var content claims
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}))
	_, err := parser.ParseWithClaims(token, &content, func(*jwt.Token) (any, error) { return t.secret, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return claims{}, fault.Errorf(fault.Unauthorized, "token contains an invalid number of segments")
	case err != nil:
		return claims{}, fault.Errorf(fault.Unauthorized, "signature is invalid")
	case content.ID == "" || content.Expires == nil || content.IssuedAt == nil:
		return claims{}, fault.Errorf(fault.Unauthorized, "token lacks a claim")
	}
	return content, nil
}

// GetExpirationTime implements jwt.Claims.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.Expires, nil }

// GetIssuedAt implements jwt.Claims.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.IssuedAt, nil }

// GetNotBefore implements jwt.Claims.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer implements jwt.Claims.
func (c *claims) GetIssuer() (string, error) { return "", nil }

// GetSubject implements jwt.Claims.
func (c *claims) GetSubject() (string, error) { return "", nil }

// GetAudience implements jwt.Claims.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return nil, nil }
