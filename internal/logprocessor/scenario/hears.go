package scenario

import (
	"slices"
	"strings"
)

// Hears reports whether an overflow that is fed back may concern one of the scenarios. Nothing is filled in of such an
// event but what postoverflows have: fields like evt.Meta.user.
func (s *Set) Hears(filled []string) bool {
	return slices.ContainsFunc(s.scenarios, func(one *Scenario) bool {
		return !one.filter.IsFalseWithout(func(member string) bool { return isEmpty(member, filled) })
	})
}

// isEmpty reports whether a member of an overflow has no text unless a postoverflow gives it one.
func isEmpty(member string, filled []string) bool {
	ofLine := func(family string) bool { return strings.HasPrefix(member, family) }
	if !slices.ContainsFunc([]string{"evt.Meta.", "evt.Parsed.", "evt.Enriched.", "evt.Line.Labels."}, ofLine) {
		return false
	}
	return !slices.ContainsFunc(filled, func(field string) bool { return strings.HasPrefix(field+".", member+".") })
}
