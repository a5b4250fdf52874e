package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"log/slog"
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
)

// tokenPrefix makes a token recognisable, also for programs that look for secrets in places where none belong.
const tokenPrefix = "swjoin_"

const (
	secretSize = 32 // bytes
	sumSize    = crc32.Size
	tokenSize  = 1 + sha256.Size + secretSize + sumSize // of one without a name
)

// The first byte of a token says what may join with it.
const (
	byteAgent   = 1
	byteBouncer = 2
)

// Token lets one machine join: it says which authority to trust, and proves once that the machine is expected.
type Token struct {
	Kind        Kind              // Agent or Bouncer
	Name        string            // that the certificate will have; "": the machine says it
	Fingerprint [sha256.Size]byte // SHA-256 of the root's certificate
	secret      [secretSize]byte
}

// ParseToken reads what Text returns; Invalid when a part is missing or garbled. Space around it is ignored.
func ParseToken(text string) (Token, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), tokenPrefix)
	if !ok {
		return Token{}, fault.Errorf(fault.Invalid, "that is no join token: it would begin with %s", tokenPrefix)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(raw) < tokenSize || len(raw) > tokenSize+maxName || strings.ContainsAny(rest, "\r\n") {
		return Token{}, fault.Errorf(fault.Invalid, "the join token is not complete: copy it again")
	}
	content, sum := raw[:len(raw)-sumSize], raw[len(raw)-sumSize:]
	if !bytes.Equal(sum, checksum(content)) {
		return Token{}, fault.Errorf(fault.Invalid, "the join token is garbled: copy it again")
	}
	var token Token
	switch content[0] {
	case byteAgent:
		token.Kind = Agent
	case byteBouncer:
		token.Kind = Bouncer
	default:
		return Token{}, fault.Errorf(fault.Invalid, "the join token is for something that this version does not know")
	}
	copy(token.Fingerprint[:], content[1:])
	copy(token.secret[:], content[1+sha256.Size:])
	token.Name = string(content[1+sha256.Size+secretSize:])
	if token.Name == "" {
		return token, nil
	}
	if err := CheckName(token.Name); err != nil {
		return Token{}, err
	}
	return token, nil
}

// Text returns the token as it is handed to the machine: URL-safe, and a secret.
func (t Token) Text() string {
	kind := byte(byteAgent)
	if t.Kind == Bouncer {
		kind = byteBouncer
	}
	content := slices.Concat([]byte{kind}, t.Fingerprint[:], t.secret[:], []byte(t.Name))
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(content, checksum(content)...))
}

// Secret returns what proves that the machine is expected.
func (t Token) Secret() string { return base64.RawURLEncoding.EncodeToString(t.secret[:]) }

// String says which authority the token is for, and not its secret.
func (t Token) String() string {
	return fmt.Sprintf("join token of the authority %s…", hex.EncodeToString(t.Fingerprint[:4]))
}

// LogValue implements slog.LogValuer: a secret is not logged.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// checksum finds typing mistakes; it protects from nothing else.
func checksum(content []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(content))
}

// hashSecret returns how the secret of a token is kept. It has 256 random bits: nobody can try all of them.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
