package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
	MachineID string           `json:"id"`
	Made      *jwt.NumericDate `json:"orig_iat"`
	jwt.RegisteredClaims
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
	content := claims{MachineID: machineID, Made: jwt.NewNumericDate(issued)}
	content.ExpiresAt = jwt.NewNumericDate(expires)
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, content).SignedString(t.secret)
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
	if !t.now().Before(content.ExpiresAt.Time) {
		return "", badToken("Token is expired")
	}
	return content.MachineID, nil
}

// VerifyForRefresh is Verify for a token that may have expired, but is no older than an hour.
func (t *Tokens) VerifyForRefresh(token string) (machineID string, err error) {
	content, err := t.parse(token)
	if err != nil {
		return "", err
	}
	if t.now().Sub(content.Made.Time) > tokenLife {
		return "", badToken("token is expired")
	}
	return content.MachineID, nil
}

// parse checks everything but the time. The messages are published.
func (t *Tokens) parse(token string) (claims, error) {
	if token == "" {
		return claims{}, badToken("cookie token is empty")
	}
	if strings.Count(token, ".") != 2 {
		return claims{}, badToken("token contains an invalid number of segments")
	}
	var content claims
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(token, &content, func(parsed *jwt.Token) (any, error) {
		if parsed.Method != jwt.SigningMethodHS256 {
			return nil, errAlgorithm
		}
		return t.secret, nil
	})
	var garbled base64.CorruptInputError
	switch {
	case errors.As(err, &garbled):
		return claims{}, badToken(garbled.Error())
	case errors.Is(err, jwt.ErrTokenMalformed):
		return claims{}, badToken("token is garbled")
	case errors.Is(err, jwt.ErrTokenUnverifiable):
		return claims{}, badToken(errAlgorithm.Error())
	case err != nil:
		return claims{}, badToken("signature is invalid")
	case content.MachineID == "" || content.ExpiresAt == nil || content.Made == nil:
		return claims{}, badToken("token lacks a claim")
	}
	return content, nil
}

var errAlgorithm = errors.New("invalid signing algorithm")

func badToken(message string) *RefusalError { return agentRefusal(ReasonToken, "%s", message) }
