package stream

import (
	"slices"
	"strings"

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

// selectsKind reports whether nothing that a decision has in common with others speaks against it.
func (f *Filter) selectsKind(k kind) bool {
	return f.selectsPartition(partition{scope: k.scope, origin: k.origin}) &&
		(f.IncludeSimulated || !k.simulated) &&
		(f.Type == "" || f.Type == k.remediation) &&
		(!f.Range.IsValid() || k.scope.IsAddress()) &&
		f.matchesScenario(k.scenario)
}

// matchesValue reports whether what the decision is about does not speak against it.
func (f *Filter) matchesValue(r *Record) bool {
	return (f.Value == "" || f.Value == r.value()) && f.matchesRange(r)
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

func (f *Filter) matchesRange(r *Record) bool {
	if !f.Range.IsValid() {
		return true
	}
	covered := r.covers()
	if !covered.IsValid() {
		return false
	}
	if f.Inside {
		return f.Range.Contains(covered)
	}
	return covered.Contains(f.Range)
}
