package domain_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

func TestNormalizeScope(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]domain.Scope{
		"Ip": "Ip", "ip": "Ip", "IP": "Ip", "iP": "Ip",
		"range": "Range", "RANGE": "Range",
		"country": "Country", "as": "AS", "As": "AS",
		"username": "username", "UserName": "UserName", "": "", " ip": " ip", "ips": "ips",
	} {
		if got := domain.NormalizeScope(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestNormalizingTwiceChangesNothing, nor does the case of ASCII letters in a well-known scope matter.
func TestNormalizingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(?i)ip|range|country|as`)).Draw(t, "scope")
		scope := domain.NormalizeScope(text)
		if again := domain.NormalizeScope(string(scope)); again != scope {
			t.Errorf("%q became %q, then %q", text, scope, again)
		}
		if !strings.EqualFold(text, string(scope)) {
			t.Errorf("%q became %q", text, scope)
		}
	})
}

func TestScopesOfAddresses(t *testing.T) {
	t.Parallel()
	for scope, want := range map[domain.Scope]bool{
		domain.ScopeIP: true, domain.ScopeRange: true, domain.ScopeCountry: false, domain.ScopeAS: false, "username": false, "ip": false, "": false,
	} {
		if got := scope.IsAddress(); got != want {
			t.Errorf("%q: %v", scope, got)
		}
	}
}
