package hubtest

import (
	"cmp"
	"slices"
	"strings"

	"shieldwall/internal/logprocessor/event"
)

// Sort puts overflows into the order in which assertions count them: by scenario and sources, descending.
// Those that are equal in both stay as they are among twelve or less. Among more they do not: published assertions count
// them as the sort of Go's library leaves them.
func Sort(overflows []event.Event) {
	slices.SortFunc(overflows, func(a, b event.Event) int { return cmp.Compare(rank(b), rank(a)) })
}

func rank(overflow event.Event) string {
	sources := overflow.Overflow.GetSources()
	slices.Sort(sources)
	scenario := ""
	if alert := overflow.Overflow.Alert; alert != nil {
		scenario = alert.Scenario
	}
	return scenario + strings.Join(sources, "@")
}
