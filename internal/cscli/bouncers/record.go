package bouncers

import (
	"cmp"
	"math"
	"strconv"
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

	Enforcement *enforcement `json:"enforcement,omitempty"` // of those that report
}

// enforcement is what a bouncer says that it enforces. Revisions are changes of the decision log.
type enforcement struct {
	AppliedRevision  int64      `json:"applied_revision"`  // up to which its kernel has acknowledged everything
	VerifiedRevision int64      `json:"verified_revision"` // up to which everything was read back
	VerifiedAt       *time.Time `json:"verified_at"`
	CoveragePercent  float64    `json:"coverage_percent"`
	Desired          int        `json:"desired"`
	Missing          int        `json:"missing"`
	Stale            int        `json:"stale"`
	Foreign          int        `json:"foreign"`
}

func enforcementOf(s domain.Standing) *enforcement {
	if !s.IsReported() {
		return nil
	}
	e := &enforcement{
		AppliedRevision: s.Applied, VerifiedRevision: s.Verified, CoveragePercent: s.Coverage(),
		Desired: s.Wanted, Missing: s.Missing, Stale: s.Stale, Foreign: s.Foreign,
	}
	if !s.VerifiedAt.IsZero() {
		e.VerifiedAt = &s.VerifiedAt
	}
	return e
}

// coverage is written so that only a whole hundred looks like one.
func coverage(s domain.Standing) string {
	const tenths = 10
	return strconv.FormatFloat(math.Floor(s.Coverage()*tenths)/tenths, 'f', -1, 64) + "%"
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
		Enforcement:  enforcementOf(b.Standing),
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
