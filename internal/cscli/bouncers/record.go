package bouncers

import (
	"cmp"
	"time"

	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
)

// record is a bouncer as JSON. Scripts read it line by line: one key a line, the name not last.
type record struct {
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	Name         string     `json:"name"`
	Revoked      bool       `json:"revoked"`
	IPAddress    string     `json:"ip_address"`
	Type         string     `json:"type"`
	Version      string     `json:"version"`
	LastPull     *time.Time `json:"last_pull"`
	AuthType     string     `json:"auth_type"`
	OS           string     `json:"os"`
	FeatureFlags []string   `json:"featureflags,omitempty"`
	AutoCreated  bool       `json:"auto_created"`
}

// osText names the operating system that a bouncer has reported.
func osText(b domain.Bouncer) string {
	if b.OSName == "" {
		return "?"
	}
	return b.OSName + "/" + b.OSVersion
}

func recordOf(b domain.Bouncer) record {
	r := record{
		CreatedAt:    b.CreatedAt,
		UpdatedAt:    b.UpdatedAt,
		Name:         b.Name,
		Revoked:      b.Revoked,
		IPAddress:    b.IPAddress,
		Type:         b.Type,
		Version:      b.Version,
		AuthType:     authType(b),
		OS:           osText(b),
		FeatureFlags: b.FeatureFlags,
		AutoCreated:  b.AutoCreated,
	}
	if !b.LastPull.IsZero() {
		r.LastPull = &b.LastPull
	}
	return r
}

func authType(b domain.Bouncer) string { return string(cmp.Or(b.AuthType, domain.AuthAPIKey)) }

func valid(b domain.Bouncer) string {
	if b.Revoked {
		return table.Prohibited
	}
	return table.Check
}

func lastPull(b domain.Bouncer) string {
	if b.LastPull.IsZero() {
		return ""
	}
	return b.LastPull.Format(time.RFC3339)
}
