package scenario

import (
	"reflect"

	"shieldwall/internal/logprocessor/event"
)

// keep hands the pours of one event a copy of what their buckets may be asked about it.
func (m *Matcher) keep(pours []Pour, evt *event.Event) {
	if len(pours) == 0 {
		return
	}
	kept := m.packer.Pack(evt)
	for i := range pours {
		pours[i].Input.Kept = kept
	}
}

// footprint returns what the rules that look into a bucket can ask of its events. One for all scenarios lets
// their buckets share what they keep.
func (s *Set) footprint(deps Deps) event.Footprint {
	if deps.Expressions.IsPlain() {
		return event.Everything()
	}
	var all event.Footprint
	for _, field := range addressFields()[atASNumber:] {
		all = all.With("Enriched", field.Name())
	}
	if deps.Context != nil {
		all = all.Union(deps.Context.Footprint())
	}
	for _, scenario := range s.scenarios {
		all = all.Union(scenario.footprint())
	}
	return all
}

func (s *Scenario) footprint() event.Footprint {
	var all event.Footprint
	if s.overflow != nil {
		all = all.Union(footprintOf(s.overflow))
	}
	if s.scopeExpr != nil {
		all = all.Union(footprintOf(s.scopeExpr))
	}
	for _, condition := range s.conditions {
		all = all.Union(footprintOf(condition))
	}
	return all
}

func footprintOf(expr interface {
	Members(item reflect.Type) (paths [][]string, known bool)
},
) event.Footprint {
	return event.FootprintOf(expr.Members(reflect.TypeFor[event.Event]()))
}
