package stream

import (
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
)

// Filter selects decisions; the zero value selects all that are not simulated.
type Filter struct {
	Scopes                 []domain.Scope // nil: every scope; empty: none
	Origins                []string       // nil: every origin
	Value                  string         // "": every value
	Type                   string         // "": every type
	Range                  domain.IPRange // the decision covers it, or is inside it when Inside is set; invalid: any
	Inside                 bool
	ScenariosContaining    []string // lower case; one of them must be in the scenario; nil: no condition
	ScenariosNotContaining []string // lower case; none of them may be in the scenario
	IncludeSimulated       bool
	KeepDuplicates         bool // do not reduce decisions about the same thing to the longest; Query never does
}

func (f *Filter) selectsPartition(p partition) bool {
	return (f.Scopes == nil || slices.Contains(f.Scopes, p.scope)) &&
		(f.Origins == nil || slices.Contains(f.Origins, p.origin))
}

func (f *Filter) matches(d *domain.Decision) bool {
	return f.selectsPartition(partitionOf(d)) && f.matchesInPartition(d)
}

// matchesInPartition is matches for a decision whose scope and origin are known to be selected.
func (f *Filter) matchesInPartition(d *domain.Decision) bool {
	return (f.IncludeSimulated || !d.Simulated) &&
		(f.Value == "" || f.Value == d.Value) &&
		(f.Type == "" || f.Type == d.Type) &&
		f.matchesScenario(d.Scenario) &&
		f.matchesRange(d)
}

func (f *Filter) matchesScenario(scenario string) bool {
	if len(f.ScenariosContaining) == 0 && len(f.ScenariosNotContaining) == 0 {
		return true
	}
	scenario = strings.ToLower(scenario)
	within := func(part string) bool { return strings.Contains(scenario, part) }
	if len(f.ScenariosContaining) > 0 && !slices.ContainsFunc(f.ScenariosContaining, within) {
		return false
	}
	return !slices.ContainsFunc(f.ScenariosNotContaining, within)
}

func (f *Filter) matchesRange(d *domain.Decision) bool {
	if !f.Range.IsValid() {
		return true
	}
	if !d.Scope.IsAddress() {
		return false
	}
	covered, err := domain.ParseIPRange(d.Value)
	if err != nil {
		return false
	}
	if f.Inside {
		return f.Range.Contains(covered)
	}
	return covered.Contains(f.Range)
}

// subject is what a bouncer acts on: it deletes by it, and keeps one end for it.
type subject struct {
	value string
	kind  string // the type of the decision
	scope domain.Scope
}

func subjectOf(d *domain.Decision) subject {
	return subject{value: d.Value, kind: d.Type, scope: d.Scope}
}

// partition divides the active decisions by what filters select most.
type partition struct {
	scope  domain.Scope
	origin string
}

func partitionOf(d *domain.Decision) partition {
	return partition{scope: d.Scope, origin: d.Origin}
}

func isActive(d *domain.Decision, now time.Time) bool { return d.Until.After(now) }
