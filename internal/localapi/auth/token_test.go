package auth_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/auth"
)

var secret = bytes.Repeat([]byte("s"), 64)

func at(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }

func newTokens(t *testing.T, secret []byte, now *time.Time) *auth.Tokens {
	t.Helper()
	tokens, err := auth.NewTokens(secret, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestTokenHasThePublishedForm(t *testing.T) {
	t.Parallel()
	now := at(0)
	token, expires, err := newTokens(t, secret, &now).Issue("m1")
	if err != nil || !expires.Equal(at(3600)) {
		t.Fatalf("expires %v, %v", expires, err)
	}
	content := jwt.MapClaims{}
	parsed, _, err := jwt.NewParser().ParseUnverified(token, content)
	if err != nil {
		t.Fatal(err)
	}
	if parsed.Header["alg"] != "HS256" || len(content) != 3 || content["id"] != "m1" ||
		content["exp"] != float64(1_800_003_600) || content["orig_iat"] != float64(1_800_000_000) {
		t.Errorf("header %v, claims %v", parsed.Header, content)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	now := at(0)
	tokens := newTokens(t, secret, &now)
	good, _, err := tokens.Issue("m1")
	if err != nil {
		t.Fatal(err)
	}
	foreign, _, err := newTokens(t, bytes.Repeat([]byte("x"), 64), &now).Issue("m1")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	full := jwt.MapClaims{"id": "m1", "exp": 1_800_003_600, "orig_iat": 1_800_000_000}
	for _, test := range []struct {
		name, token string
		now         int
		verify      string
		refresh     string
	}{
		{"good", good, 0, "", ""},
		{"last second", good, 3599, "", ""},
		{"expired", good, 3600, "Token is expired", ""},
		{"too old", good, 3601, "Token is expired", "token is expired"},
		{"none", "", 0, "cookie token is empty", "cookie token is empty"},
		{"garbled", "a.b", 0, "token contains an invalid number of segments", "token contains an invalid number of segments"},
		{"other secret", foreign, 0, "signature is invalid", "signature is invalid"},
		{"not signed", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, full), 0, "invalid signing algorithm", "invalid signing algorithm"},
		{"other algorithm", sign(jwt.SigningMethodHS512, secret, full), 0, "invalid signing algorithm", "invalid signing algorithm"},
		{"no base64", "!.e30.x", 0, "illegal base64 data at input byte 0", "illegal base64 data at input byte 0"},
		{"no base64 in the signature", good[:len(good)-43] + "!" + good[len(good)-42:], 0, "illegal base64 data at input byte 0", "illegal base64 data at input byte 0"},
		{"no JSON", "bm8.e30.x", 0, "token is garbled", "token is garbled"},
		{"unknown algorithm", "eyJhbGciOiJmb28ifQ.e30.x", 0, "invalid signing algorithm", "invalid signing algorithm"},
		{"no id", sign(jwt.SigningMethodHS256, secret, jwt.MapClaims{"exp": 1_800_003_600, "orig_iat": 1}), 0, "token lacks a claim", "token lacks a claim"},
		{"no expiry", sign(jwt.SigningMethodHS256, secret, jwt.MapClaims{"id": "m1", "orig_iat": 1}), 0, "token lacks a claim", "token lacks a claim"},
		{"no birth", sign(jwt.SigningMethodHS256, secret, jwt.MapClaims{"id": "m1", "exp": 1_800_003_600}), 0, "token lacks a claim", "token lacks a claim"},
	} {
		now = at(test.now)
		for name, check := range map[string]struct {
			call func(string) (string, error)
			want string
		}{"verify": {tokens.Verify, test.verify}, "refresh": {tokens.VerifyForRefresh, test.refresh}} {
			id, err := check.call(test.token)
			if check.want == "" {
				if err != nil || id != "m1" {
					t.Errorf("%s, %s: %q, %v", test.name, name, id, err)
				}
				continue
			}
			if !fault.Is(err, fault.Unauthorized) || err.Error() != check.want || id != "" {
				t.Errorf("%s, %s: %q, %v, want %q", test.name, name, id, err, check.want)
			}
		}
	}
}

func TestShortSecretsAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := auth.NewTokens([]byte(strings.Repeat("s", 63)), time.Now); err == nil || strings.Contains(err.Error(), "sss") {
		t.Errorf("got %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	now := at(0)
	tokens, err := auth.NewTokens(secret, func() time.Time { return now })
	if err != nil {
		f.Fatal(err)
	}
	good, _, err := tokens.Issue("m1")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		id, err := tokens.Verify(token)
		if err == nil && token != good {
			t.Errorf("a forged token of %q was believed", id)
		}
		if err != nil && !fault.Is(err, fault.Unauthorized) {
			t.Error(err)
		}
	})
}
