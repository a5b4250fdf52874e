package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"shieldwall/internal/domain/fault"
)

// StandingHeader is the header of a request for the decision stream in which a remediation component of ours says
// what became of what it was told: a Standing as JSON.
const StandingHeader = "X-Shieldwall-Standing"

// Standing is what a remediation component says of its own work. Revisions are changes of the decision log, 0 for
// none.
type Standing struct {
	Applied    int64     `json:"applied"`  // up to which the kernel has acknowledged everything
	Verified   int64     `json:"verified"` // up to which everything was read back as it has to be
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	Wanted     int       `json:"wanted"`  // elements that had to be there then
	Missing    int       `json:"missing"` // of those, the ones that were absent
	Stale      int       `json:"stale"`   // of those, the ones with another end
	Foreign    int       `json:"foreign"` // elements that nobody wants
	Types      []string  `json:"types"`   // of decisions that it enforces
	IPv4       bool      `json:"ipv4"`
	IPv6       bool      `json:"ipv6"`
}

const (
	maxStanding      = 4096 // bytes
	maxStandingTypes = 32
)

// DecodeStanding reads the value of a StandingHeader. Whatever is no Standing is Invalid.
func DecodeStanding(text string) (Standing, error) {
	if len(text) > maxStanding {
		return Standing{}, fault.Errorf(fault.Invalid, "header %s: more than %d bytes", StandingHeader, maxStanding)
	}
	var s Standing
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return Standing{}, fault.Errorf(fault.Invalid, "header %s: %w", StandingHeader, err)
	}
	if err := s.check(); err != nil {
		return Standing{}, fault.Errorf(fault.Invalid, "header %s: %w", StandingHeader, err)
	}
	return s, nil
}

func (s Standing) check() error {
	switch {
	case s.Applied < 0 || s.Verified < 0:
		return errors.New("a revision is negative")
	case min(s.Wanted, s.Missing, s.Stale, s.Foreign) < 0 || s.Missing > s.Wanted || s.Stale > s.Wanted:
		return errors.New("the counts make no sense")
	case len(s.Types) == 0 || len(s.Types) > maxStandingTypes || slices.Contains(s.Types, ""):
		return fmt.Errorf("%d types of decisions", len(s.Types))
	}
	return nil
}

// Enforcement is what became of a decision: the answer of GET /v1/decisions/{decision_id}/enforcement.
type Enforcement struct {
	DecisionID int64                  `json:"decision_id"`
	Revision   int64                  `json:"revision"` // change of the decision log that made it
	Enforced   int                    `json:"enforced"` // components of that state
	Applied    int                    `json:"applied"`
	Pulled     int                    `json:"pulled"`
	Components []ComponentEnforcement `json:"components"`
}

// ComponentEnforcement is what became of a decision on one component.
type ComponentEnforcement struct {
	Name       string           `json:"name"`
	Type       string           `json:"type"`
	State      EnforcementState `json:"state"`
	Reports    bool             `json:"reports"`              // the component says what it enforces; others are only told
	VerifiedAt time.Time        `json:"verified_at,omitzero"` // when the component last read back what is in force
	LastPull   time.Time        `json:"last_pull,omitzero"`
}

// EnforcementState is how far a decision got on a component.
type EnforcementState string

// The states, from the best to the worst.
const (
	// EnforcementVerified is in force: the component has read it back from its kernel since it was told.
	EnforcementVerified EnforcementState = "enforced"
	// EnforcementApplied is acknowledged by the kernel, and was not read back since.
	EnforcementApplied EnforcementState = "applied"
	// EnforcementPulled was told; more is not known, as of every component that does not report.
	EnforcementPulled EnforcementState = "pulled"
	// EnforcementPending was not told yet.
	EnforcementPending EnforcementState = "pending"
	// EnforcementSilent is a component that was not heard of lately: what it enforces is not known.
	EnforcementSilent EnforcementState = "silent"
	// EnforcementExcluded is not for the component: its filters leave it out.
	EnforcementExcluded EnforcementState = "excluded"
)
