package scenario_test

import (
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/scenario"
)

func item(text string) scenario.Item {
	return scenario.Item{Path: "scenarios/test.yaml", Text: []byte(text)}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	conditions := func(text string) string { return with(bayesian, "bayesian_conditions: "+text) }
	for _, test := range []struct {
		name, text, want string
	}{
		{"unknown key", with(leaky, "nope: 1"), "nope"},
		{"unknown key in scope", with(leaky, "scope: {nope: 1}"), "nope"},
		{"unknown key in a data entry", with(leaky, "data: [{nope: 1}]"), "nope"},
		{"unknown key in a bayesian condition", conditions("[{nope: 1}]"), "nope"},
		{"repeated key", leaky + "capacity: 2", "capacity"},
		{"not YAML", "name: [", "yaml"},
		{"second document", leaky + "---\n" + with(leaky, "name:"), "name"},

		{"without type", with(leaky, "type:"), "type"},
		{"unknown type", with(leaky, "type: bucket"), "bucket"},
		{"type in capitals", with(leaky, "type: Leaky"), "Leaky"},
		{"without name", with(leaky, "name:"), "name"},
		{"without description", with(leaky, "description:"), "description"},
		{"without filter", with(leaky, "filter:"), "filter"},

		{"leaky without capacity", with(leaky, "capacity:"), "capacity"},
		{"leaky: no limit", with(leaky, "capacity: -1"), "capacity"},
		{"leaky without leakspeed", with(leaky, "leakspeed:"), "leakspeed"},
		{"leaky: leakspeed of nothing", with(leaky, "leakspeed: 0s"), "leakspeed"},
		{"leaky: negative leakspeed", with(leaky, "leakspeed: -1s"), "leakspeed"},
		{"leaky: leakspeed without unit", with(leaky, "leakspeed: 10"), "leakspeed"},
		{"trigger with capacity", with(trigger, "capacity: 1"), "capacity"},
		{"trigger: no limit", with(trigger, "capacity: -1"), "capacity"},
		{"counter with capacity", with(counter, "capacity: 1"), "capacity"},
		{"counter without capacity", with(counter, "capacity:"), "capacity"},
		{"counter without duration", with(counter, "duration:"), "duration"},
		{"counter: duration of nothing", with(counter, "duration: 0s"), "duration"},
		{"duration without unit", with(leaky, "duration: 10"), "duration"},
		{"blackhole without unit", with(leaky, "blackhole: 10"), "blackhole"},
		{"conditional without condition", with(conditional, "condition:"), "condition"},
		{"conditional without leakspeed", with(conditional, "leakspeed:"), "leakspeed"},
		{"bayesian with capacity", with(bayesian, "capacity: 1"), "capacity"},
		{"bayesian without prior", with(bayesian, "bayesian_prior:"), "bayesian_prior"},
		{"bayesian: prior below 0", with(bayesian, "bayesian_prior: -0.1"), "bayesian_prior"},
		{"bayesian: prior above 1", with(bayesian, "bayesian_prior: 1.1"), "bayesian_prior"},
		{"bayesian: prior that is no number", with(bayesian, "bayesian_prior: .nan"), "bayesian_prior"},
		{"bayesian without threshold", with(bayesian, "bayesian_threshold:"), "bayesian_threshold"},
		{"bayesian: threshold above 1", with(bayesian, "bayesian_threshold: 1.1"), "bayesian_threshold"},
		{"bayesian: threshold that is no number", with(bayesian, "bayesian_threshold: .nan"), "bayesian_threshold"},
		{"bayesian without conditions", with(bayesian, "bayesian_conditions:"), "bayesian_conditions"},
		{"bayesian: no condition", conditions("[]"), "bayesian_conditions"},

		{"filter: unknown field", with(leaky, "filter: evt.Nope == 1"), "Nope (1:5)"},
		{"filter: text", with(leaky, "filter: evt.Line.Raw"), "filter"},
		{"filter: unknown function", with(leaky, "filter: Nope()"), "Nope (1:1)"},
		{"groupby: unknown field", with(leaky, "groupby: evt.Nope"), "groupby"},
		{"groupby: number", with(leaky, "groupby: 1 + 1"), "groupby"},
		{"distinct: unknown field", with(leaky, "distinct: evt.Nope"), "distinct"},
		{"cancel_on: unknown field", with(leaky, "cancel_on: evt.Nope"), "cancel_on"},
		{"cancel_on: number", with(leaky, "cancel_on: 1"), "cancel_on"},
		{"cancel_on knows no queue", with(leaky, "cancel_on: queue.L == 1"), "queue"},
		{"overflow_filter: unknown field", with(leaky, "overflow_filter: signal.Nope"), "overflow_filter"},
		{"overflow_filter: number", with(leaky, "overflow_filter: queue.L"), "overflow_filter"},
		{"condition: unknown field", with(leaky, "condition: queue.Nope"), "condition"},
		{"condition knows no signal", with(leaky, "condition: signal.Whitelisted"), "signal"},
		{"condition of bayesian", conditions("[{condition: evt.Nope, prob_given_evil: 0.9, prob_given_benign: 0.1}]"), "Nope"},

		{"scope Ip with expression", with(leaky, "scope: {type: Ip, expression: evt.Meta.source_ip}"), "scope"},
		{"no scope with expression", with(leaky, "scope: {expression: evt.Meta.source_ip}"), "scope"},
		{"other scope without expression", with(leaky, "scope: {type: username}"), "username"},
		{"the case of scopes counts", with(leaky, "scope: {type: ip}"), "scope"},
		{"scope: unknown field", with(leaky, "scope: {type: username, expression: evt.Nope}"), "Nope"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newBench().load(item(test.text))
			if err == nil {
				t.Fatal("loaded")
			}
			if !strings.Contains(err.Error(), "scenarios/test.yaml") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q names not both scenarios/test.yaml and %q", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

func TestLoadAccepts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       []string // names
		log        string
	}{
		{"leaky", leaky, []string{"test"}, ""},
		{"trigger", trigger, []string{"test"}, ""},
		{"counter", counter, []string{"test"}, ""},
		{"conditional", conditional, []string{"test"}, ""},
		{"conditional with capacity", with(conditional, "capacity: 3"), []string{"test"}, ""},
		{"bayesian", bayesian, []string{"test"}, ""},
		{"bayesian without leakspeed", with(bayesian, "leakspeed:"), []string{"test"}, ""},
		{"bayesian: certain", with(bayesian, "bayesian_prior: 1", "bayesian_threshold: 1"), []string{"test"}, ""},
		{"everything informational", leaky + "version: 1.2\nauthor: a\nreferences: [r]\ndebug: true\nformat: 3.0\nlabels: {service: ssh, confidence: 3, list: [a]}", []string{"test"}, ""},
		{"every expression", leaky + "groupby: evt.Meta.a\ndistinct: evt.Meta.b\ncancel_on: evt.Meta.c == ''\noverflow_filter: queue.L > 0 && signal.Mapkey != '' && leaky.Total_count > 0 && evt != nil\n" +
			"condition: len(queue.GetQueue()) > 0 && queue.Queue[-1].Meta.a == '' && leaky.Duration > duration('1s')", []string{"test"}, ""},
		{"condition on any type", with(trigger, "condition: leaky.Total_count > 1"), []string{"test"}, ""},
		{"duration on any type", with(leaky, "duration: 1m"), []string{"test"}, ""},
		{"several documents", leaky + "---\n" + with(trigger, "name: other"), []string{"test", "other"}, ""},
		{"empty documents", "---\n---\n" + leaky + "---\n# nothing\n", []string{"test"}, ""},
		{"unsupported format", with(leaky, "format: 3.1", "type: new", "filter: evt.New"), nil, "level=ERROR"},
		{"Range without expression", with(leaky, "scope: {type: Range}"), []string{"test"}, ""},
		{"data that is not there", with(leaky, "data: [{dest_file: missing.txt, type: string}]"), []string{"test"}, "level=ERROR"},
		{"data without a file", with(leaky, "data: [{source_url: 'https://example.org', type: string}]"), []string{"test"}, "level=ERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			set, err := b.load(item(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Names(); !slices.Equal(got, test.want) {
				t.Errorf("names %q, want %q", got, test.want)
			}
			if !strings.Contains(b.log.String(), test.log) {
				t.Errorf("no %s in:\n%s", test.log, b.log.String())
			}
		})
	}
}

func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		leaky, trigger, counter, conditional, bayesian, leaky + "---\n" + trigger, "", "- a", "name: [",
		with(leaky, "groupby: evt.Meta.source_ip", "distinct: evt.Meta.user", "blackhole: 1m", "cancel_on: evt.Meta.user == 'x'"),
		with(leaky, "scope: {type: username, expression: evt.Meta.user}", "overflow_filter: queue.L > 0"),
		with(leaky, "scope: {type: Range}", "cache_size: 1", "reprocess: true", "labels: {remediation: true}"),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBench()
		if _, err := b.load(scenario.Item{Path: "fuzz.yaml", Text: text}); err != nil {
			return
		}
		b.use(t, string(text))
		for _, evt := range eachReplayed([]string{"0s user=root", "1s user=root path=etc", "1h user=a", "-1h"}) {
			b.pour(b.pour(evt)...)
		}
		b.pour(live("user=root"))
		b.wait(30e9)
	})
}
