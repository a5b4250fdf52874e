package sql

import (
	"encoding/json"
	"fmt"
	"time"

	"shieldwall/internal/domain"
)

// standing is what a bouncer says of its work, as the column keeps it.
type standing struct {
	Applied    int64         `json:"applied"`
	Verified   int64         `json:"verified"`
	VerifiedAt time.Time     `json:"verified_at,omitzero"`
	Wanted     int           `json:"wanted"`
	Missing    int           `json:"missing"`
	Stale      int           `json:"stale"`
	Foreign    int           `json:"foreign"`
	Selection  enforcedKinds `json:"selection"`
}

type enforcedKinds struct {
	Types                  []string       `json:"types"`
	IPv4                   bool           `json:"ipv4"`
	IPv6                   bool           `json:"ipv6"`
	Scopes                 []domain.Scope `json:"scopes,omitempty"`
	Origins                []string       `json:"origins,omitempty"`
	ScenariosContaining    []string       `json:"scenarios_containing,omitempty"`
	ScenariosNotContaining []string       `json:"scenarios_not_containing,omitempty"`
}

func encodeStanding(s domain.Standing) (string, error) {
	text, err := json.Marshal(standing{
		Applied: s.Applied, Verified: s.Verified, VerifiedAt: s.VerifiedAt,
		Wanted: s.Wanted, Missing: s.Missing, Stale: s.Stale, Foreign: s.Foreign, Selection: enforcedKinds(s.Selection),
	})
	if err != nil {
		return "", fmt.Errorf("encoding the standing of a bouncer: %w", err)
	}
	return string(text), nil
}

// decodeStanding reads what encodeStanding wrote; nothing is the zero Standing.
func decodeStanding(text string) (domain.Standing, error) {
	if text == "" {
		return domain.Standing{}, nil
	}
	var s standing
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return domain.Standing{}, fmt.Errorf("decoding the standing of a bouncer: %w", err)
	}
	return domain.Standing{
		Applied: s.Applied, Verified: s.Verified, VerifiedAt: s.VerifiedAt,
		Wanted: s.Wanted, Missing: s.Missing, Stale: s.Stale, Foreign: s.Foreign, Selection: domain.Selection(s.Selection),
	}, nil
}
