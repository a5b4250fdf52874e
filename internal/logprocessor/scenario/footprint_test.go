package scenario_test

import (
	"testing"

	"shieldwall/internal/logprocessor/event"
)

// TestBucketsKeepWhatRulesAskFor: however a rule gets at an event that is gone, what it names is there, and
// what no rule names is not kept.
func TestBucketsKeepWhatRulesAskFor(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"overflow_filter":             with(leaky, "overflow_filter: queue.Queue[0].Parsed.a == 'x' && queue.Queue[1].Enriched.b == 'y'"),
		"overflow_filter, everything": with(leaky, "overflow_filter: all(queue.Queue, ToJsonString(#) contains 'raw')"),
		"any key":                     with(leaky, "overflow_filter: all(queue.Queue, .Parsed[.Meta.key] == 'x')"),
		"of the bucket":               with(leaky, "overflow_filter: all(leaky.Queue.GetQueue(), .Line.Raw == 'raw' && .Line.Labels.type == 'test' && .Stage == 's')"),
		"condition":                   with(conditional, "condition: len(queue.Queue) == 2 && queue.Queue[0].Parsed.a == 'x'"),
		"bayesian": with(bayesian, "bayesian_threshold: 0.8", "bayesian_conditions: [{condition: 'len(queue.Queue) == 2 && queue.Queue[0].Unmarshaled.j.n == 7', prob_given_evil: 0.9,"+
			" prob_given_benign: 0.1}]"),
		"times":  with(conditional, "condition: len(map(queue.Queue, {#.Time.Unix()})) == 2 && queue.Queue[0].Time == evt.Time && queue.Queue[0].StrTime == 'then'"),
		"scope":  with(leaky, "scope: {type: user, expression: evt.Parsed.a + evt.Enriched.b}", "overflow_filter: \"'xy' in signal.GetSources()\""),
		"source": with(leaky, "overflow_filter: signal.Alert.Source.Cn == 'DE' && signal.Alert.Source.AsName == 'a net'"),
	} {
		b := newBench()
		b.use(t, text)
		evt := live("key=a")
		evt.Parsed, evt.Enriched = map[string]string{"a": "x"}, map[string]string{"b": "y", "IsoCode": "DE", "ASNOrg": "a net"}
		evt.Line.Raw, evt.Line.Labels, evt.Stage, evt.StrTime = "raw", map[string]string{"type": "test"}, "s", "then"
		evt.Unmarshaled["j"] = map[string]any{"n": 7}
		first := b.pour(evt)
		evt.Parsed = map[string]string{"a": "x"}
		if got := b.pour(evt); len(first) != 0 || len(got) != 1 {
			t.Errorf("%s: %d and %d overflows\n%s", name, len(first), len(got), b.log.String())
		}
	}
}

// TestBucketsKeepLittle of what no rule asks for.
func TestBucketsKeepLittle(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, leaky, with(conditional, "condition: len(queue.Queue) > 5 && queue.Queue[0].Parsed.a == 'x'"))
	evt := live("user=root")
	evt.Parsed = map[string]string{"a": "x", "b": "y"}
	evt.Line.Raw, evt.StrTime = "raw", "then"
	pours := b.set.NewMatcher().Append(nil, evt, today)
	if len(pours) != 2 || pours[0].Input.Kept != pours[1].Input.Kept {
		t.Fatalf("%+v", pours)
	}
	got := pours[0].Input.Kept.Unpack()
	if got.Line.Raw != "" || got.StrTime != "" || len(got.Parsed) != 1 || got.Parsed["a"] != "x" || got.Meta["user"] != "root" || got.Time != evt.Time {
		t.Errorf("got %+v", got)
	}
	var overflow event.Event
	overflow.Type, overflow.Overflow.Mapkey, overflow.Line.Raw = event.Overflow, "m", "raw"
	if got := b.set.NewMatcher().Append(nil, &overflow, today)[0].Input.Kept.Unpack(); got.Overflow.Mapkey != "m" || got.Line.Raw != "raw" {
		t.Errorf("of an overflow: %+v", got)
	}
}
