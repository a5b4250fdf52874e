package domain

import (
	"strings"
	"time"
)

// Decision is a remediation to apply to everything that Scope and Value cover, until Until.
type Decision struct {
	ID        int64 // assigned by the store, 0 before
	AlertID   int64
	UUID      string
	Origin    string // "crowdsec", "cscli", "cscli-import", "lists", "CAPI", …
	Type      string // "ban", "captcha", or any other word a remediation component knows
	Scenario  string
	Scope     Scope
	Value     string
	Simulated bool
	Until     time.Time
	CreatedAt time.Time
}

// Scope names the kind of thing a decision covers.
type Scope string

// The scopes with a meaning of their own. Any other text is a scope too, compared exactly.
const (
	ScopeIP      Scope = "Ip"
	ScopeRange   Scope = "Range"
	ScopeCountry Scope = "Country"
	ScopeAS      Scope = "AS"
)

// NormalizeScope gives the well-known scopes their canonical spelling, whatever the case of s; any other
// text is returned as it is.
func NormalizeScope(s string) Scope {
	for _, known := range []Scope{ScopeIP, ScopeRange, ScopeCountry, ScopeAS} {
		if strings.EqualFold(s, string(known)) {
			return known
		}
	}
	return Scope(s)
}

// IsAddress reports whether values of the scope are IP addresses or prefixes.
func (s Scope) IsAddress() bool { return s == ScopeIP || s == ScopeRange }
