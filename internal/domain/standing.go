package domain

import (
	"slices"
	"strings"
	"time"
)

// Standing is what a remediation component says of its own work: how much of what it was told is in force, and
// which decisions it means to enforce.
type Standing struct {
	Applied    int64     // change of the decision log up to which the kernel has acknowledged everything; 0: none
	Verified   int64     // change up to which everything was read back from the kernel as it has to be; 0: none
	VerifiedAt time.Time // when it was read back last, right or wrong; zero: never
	Wanted     int       // elements that had to be there then
	Missing    int       // of those, the ones that were absent
	Stale      int       // of those, the ones with another end
	Foreign    int       // elements that nobody wants
	Selection  Selection
}

// IsReported reports whether the component has said anything.
func (s Standing) IsReported() bool { return s.Selection.Types != nil }

// Coverage is the share of the wanted elements that were in force, in percent; 100 when nothing is wanted.
func (s Standing) Coverage() float64 {
	const percent = 100
	if s.Wanted == 0 {
		return percent
	}
	return percent * float64(s.Wanted-s.Missing) / float64(s.Wanted)
}

// Selection is which decisions a component enforces: those that every field lets through.
type Selection struct {
	Types                  []string // in lower case
	IPv4, IPv6             bool
	Scopes                 []Scope  // none: addresses and ranges
	Origins                []string // none: all
	ScenariosContaining    []string // in lower case; none: all
	ScenariosNotContaining []string // in lower case
}

// Includes reports whether a decision is to be enforced.
func (s Selection) Includes(d Decision) bool {
	covered, err := ParseIPRange(d.Value)
	if err != nil || !d.Scope.IsAddress() || d.Simulated {
		return false
	}
	family := covered.Is4() && s.IPv4 || !covered.Is4() && s.IPv6
	return family && slices.Contains(s.Types, strings.ToLower(d.Type)) &&
		(len(s.Scopes) == 0 || slices.Contains(s.Scopes, d.Scope)) &&
		(len(s.Origins) == 0 || slices.Contains(s.Origins, d.Origin)) &&
		s.includesScenario(strings.ToLower(d.Scenario))
}

func (s Selection) includesScenario(scenario string) bool {
	within := func(part string) bool { return strings.Contains(scenario, part) }
	return (len(s.ScenariosContaining) == 0 || slices.ContainsFunc(s.ScenariosContaining, within)) &&
		!slices.ContainsFunc(s.ScenariosNotContaining, within)
}
