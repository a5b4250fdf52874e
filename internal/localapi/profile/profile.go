package profile

import (
	"time"

	"github.com/expr-lang/expr/vm"

	"shieldwall/internal/wire"
)

// Profile is one compiled document of the profiles file. Make it with Load.
type Profile struct {
	Name string
	// Notifications are the names of the notification configurations to feed, for the caller to check.
	Notifications []string

	filters          []expression
	durationOverride *expression // nil: none
	templates        []template
	breakOnSuccess   bool
	onError          errorPolicy
	debug            bool
}

// template is a decision to be.
type template struct {
	kind     string // type of the decision
	duration string // Go duration that may begin with days
	scope    string // "": that of the source
	origin   string // "crowdsec" or "crowdsec/<origin of the file>"
}

// expression is compiled text.
type expression struct {
	text    string
	program *vm.Program
}

// environment is what expressions see.
type environment struct {
	Alert *wire.Alert
}

// errorPolicy says what happens when a filter cannot be evaluated.
type errorPolicy uint8

const (
	refuseAlert errorPolicy = iota // the alert is refused
	nextProfile                    // the profile counts as not matched
	applyAnyway                    // the profile counts as matched, without decisions
	breakIfHit                     // as nextProfile, but the last one when a filter before had matched
)

func policyOf(name string) errorPolicy {
	switch name {
	case "continue", "ignore":
		return nextProfile
	case "apply":
		return applyAnyway
	case "break":
		return breakIfHit
	}
	return refuseAlert
}

const (
	ownOrigin       = "crowdsec"
	defaultDuration = 4 * time.Hour
)
