package event_test

import (
	"slices"
	"testing"

	"shieldwall/internal/logprocessor/event"
)

func TestMatchedRules(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rules event.MatchedRules
		name  string
		ids   []int
	}{
		"none":        {nil, "", []int{}},
		"two":         {event.MatchedRules{{"name": "a", "id": 1}, {"name": "b", "id": 2}}, "a", []int{1, 2}},
		"other types": {event.MatchedRules{{"name": 7, "id": "x"}, {"id": 3}}, "", []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			appsec := event.Appsec{MatchedRules: test.rules}
			if got := appsec.GetName(); got != test.name {
				t.Errorf("GetName is %q, want %q", got, test.name)
			}
			if got := appsec.GetRuleIDs(); !slices.Equal(got, test.ids) {
				t.Errorf("GetRuleIDs is %v, want %v", got, test.ids)
			}
		})
	}
}
