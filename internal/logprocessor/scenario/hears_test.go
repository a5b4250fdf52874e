package scenario_test

import "testing"

func TestWhoHearsOverflows(t *testing.T) {
	t.Parallel()
	const ofLines = "filter: evt.Meta.log_type == 'a' && evt.Parsed.verb in ['b', 'c']"
	for _, test := range []struct {
		name   string
		texts  []string
		filled []string
		want   bool
	}{
		{"nobody is there", nil, nil, false},
		{"who wants lines of a type", []string{with(leaky, ofLines)}, nil, false},
		{"the same, and postoverflows fill in something else", []string{with(leaky, ofLines)}, []string{"evt.Meta.log", "evt.Enriched.log_type"}, false},
		{"the same, and they fill in one of its fields", []string{with(leaky, ofLines)}, []string{"evt.Meta.log_type"}, false},
		{"the same, and they fill in both", []string{with(leaky, ofLines)}, []string{"evt.Parsed.verb", "evt.Meta.log_type"}, true},
		{"a field below another", []string{with(leaky, "filter: evt.Meta.a == 'b'")}, []string{"evt.Meta.a.b"}, true},
		{"who wants a label", []string{with(trigger, "filter: evt.Line.Labels.type == 'a'")}, nil, false},
		{"who asks for overflows", []string{with(leaky, ofLines), with(trigger, "filter: evt.GetType() == 'overflow'")}, nil, true},
		{"who asks for all", []string{leaky}, nil, true},
		{"who looks into overflows", []string{with(trigger, "filter: evt.Overflow.Alert.Scenario == 'x'")}, nil, true},
		{"who wants that there is no text", []string{with(trigger, "filter: evt.Meta.log_type != 'a'")}, nil, true},
		{"who wants what overflows have themselves", []string{with(trigger, "filter: evt.MarshaledTime startsWith '2026'")}, nil, true},
	} {
		b := newBench()
		b.use(t, test.texts...)
		if got := b.set.Hears(test.filled); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}
