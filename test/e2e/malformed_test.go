package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// What every item of its kind has. The tests count its lines.
const (
	aParser   = "name: me/x\ndescription: d\nfilter: evt.Parsed.program == 'x'\n"               // 3 lines
	aScenario = "name: me/x\ndescription: d\nfilter: evt.Meta.log_type == 'x'\ntype: trigger\n" // 4 lines
	aLeaky    = "name: me/x\ndescription: d\nfilter: evt.Meta.log_type == 'x'\ntype: leaky\n"   // 4 lines
	aStatic   = "statics: [{meta: service, value: x}]\n"
)

// TestMalformedItems spoils one item at a time, each in its own way: `crowdsec -t` ends with exit code 1 and one line
// that names the file, the line in it and the key.
func TestMalformedItems(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, path, text string
		line             int
		key              string // the way to it, where there is one
	}{
		{"not YAML: bracket", parserPath, aParser + "statics: [{meta: a, value: b}\nonsuccess: next_stage\n", 4, "statics: "},
		{"not YAML: quote", parserPath, aParser + aStatic + "description: 'it isn't\n", 5, "description: "},
		{"not YAML: text behind a text", parserPath, aParser + "grok:\n  pattern: 'a' 'b'\n  apply_on: message\n", 5, "pattern: "},
		{"not YAML: indentation", scenarioPath, aScenario + "  groupby: evt.Meta.a\n", 5, "groupby: "},
		{"not YAML: tab", parserPath, aParser + "statics:\n\t- meta: a\n", 5, "meta: "},
		{"not YAML: second document", scenarioPath, aScenario + "---\n" + aScenario + "labels: {service: @x}\n", 10, "labels: "},
		{"no mapping", scenarioPath, "just a text\n", 1, ""},
		{"unknown key", parserPath, aParser + "filtre: a\n" + aStatic, 4, "filtre"},
		{"unknown key of a static", parserPath, aParser + "nodes:\n  - statics:\n      - meta: a\n        valeu: b\n", 7, "valeu"},
		{"repeated key", scenarioPath, aScenario + "filter: 'true'\n", 5, "filter"},
		{"wrong type: number", scenarioPath, aLeaky + "leakspeed: 1s\ncapacity: many\n", 6, "capacity: "},
		{"wrong type: list", parserPath, aParser + "whitelist:\n  reason: r\n  ip: 192.0.2.1\n", 6, "whitelist.ip: "},
		{"wrong type: mapping", scenarioPath, aScenario + "labels: [remediation]\n", 5, "labels: "},
		{"wrong type: in a child", parserPath, aParser + "nodes:\n  - stash:\n      - name: s\n        size: big\n", 7, "nodes[0].stash[0].size: "},
		{"filter that is no expression", parserPath, "name: me/x\nfilter: evt.Parsed.program == 'x' &&\n" + aStatic, 2, "filter: "},
		{"filter of several lines", scenarioPath, "type: trigger\nname: me/x\ndescription: d\nfilter: |\n  evt.Meta.a == 'b' and\n  evt.Nope == 'c'\n", 4, "filter: "},
		{"filter that yields a number", scenarioPath, "type: trigger\nname: me/x\ndescription: d\nfilter: 1 + 1\n", 4, "filter: "},
		{"unknown helper", parserPath, aParser + "statics:\n  - meta: a\n    expression: Downcase(evt.Parsed.a)\n", 6, "statics[0].expression: "},
		{"helper with the wrong arguments", scenarioPath, aScenario + "groupby: JsonExtract(evt.Line.Raw)\n", 5, "groupby: "},
		{"grok: no such name", parserPath, aParser + "grok:\n  name: NO_SUCH_NAME\n  apply_on: message\n", 5, "grok.name: "},
		{"grok: no such name in a pattern", parserPath, aParser + "grok:\n  apply_on: message\n  pattern: '%{NO_SUCH_NAME:a}'\n", 6, "grok.pattern: "},
		{"grok: broken expression", parserPath, aParser + "grok:\n  pattern: '%{WORD:a} (b'\n  apply_on: message\n", 5, "grok.pattern: "},
		{"grok: nothing to apply it on", parserPath, aParser + "grok:\n  pattern: '%{WORD:a}'\n", 4, "grok: apply_on or expression"},
		{"grok: no pattern", parserPath, aParser + "grok:\n  apply_on: message\n", 4, "grok: pattern or name"},
		{"pattern_syntax", parserPath, aParser + aStatic + "pattern_syntax:\n  A: a\n  B: 'b)'\n", 7, "pattern_syntax.B: "},
		{
			"child of a child", parserPath,
			aParser + "nodes:\n  - " + aStatic + "  - nodes:\n      - grok:\n          pattern: '%{NO_SUCH_NAME:a}'\n          apply_on: message\n",
			8, "nodes[1].nodes[0].grok.pattern: ",
		},
		{
			"static of a grok", parserPath,
			aParser + "grok:\n  pattern: '%{WORD:a}'\n  apply_on: message\n  statics:\n    - meta: a\n      expression: evt.Nope\n",
			9, "grok.statics[0].expression: ",
		},
		{
			"static of a child", parserPath,
			aParser + "nodes:\n  - statics:\n      - {meta: a, value: b}\n  - statics:\n      - {meta: a, value: b}\n      - meta: a\n        expression: evt.Nope\n",
			10, "nodes[1].statics[1].expression: ",
		},
		{"static without a value", parserPath, aParser + "statics:\n  - {meta: a, value: b}\n  - meta: c\n", 6, "statics[1]: value or expression"},
		{"static without a destination", parserPath, aParser + "statics:\n  - value: b\n", 5, "statics[0]: one of method, parsed, meta, target"},
		{"onsuccess", parserPath, aParser + "onsuccess: stop\n" + aStatic, 4, "onsuccess: "},
		{"stash without a key", parserPath, aParser + aStatic + "stash:\n  - name: s\n    value: evt.Parsed.a\n    ttl: 1h\n", 6, "stash[0].key: "},
		{"stash: no duration", parserPath, aParser + aStatic + "stash:\n  - name: s\n    key: evt.Parsed.k\n    value: evt.Parsed.v\n    ttl: soon\n", 9, "stash[0].ttl: "},
		{"stash: size", parserPath, aParser + aStatic + "stash:\n  - {name: s, key: evt.Parsed.k, value: evt.Parsed.v, ttl: 1h, size: -1}\n", 6, "stash[0].size: "},
		{"whitelist: address", parserPath, aParser + "whitelist:\n  reason: r\n  ip:\n    - 192.0.2.1\n    - 192.0.2.256\n", 8, "whitelist.ip[1]: "},
		{"whitelist: range", parserPath, aParser + "whitelist:\n  reason: r\n  cidr:\n    - 192.0.2.0/33\n", 7, "whitelist.cidr[0]: "},
		{"whitelist: expression", parserPath, aParser + "whitelist:\n  reason: r\n  expression:\n    - evt.Parsed.a\n", 7, "whitelist.expression[0]: "},
		{"empty node", parserPath, "# nothing\n" + aParser, 2, "grok, nodes, statics or a whitelist"},
		{"postoverflow", "postoverflows/s01-whitelist/x.yaml", aParser + "whitelist:\n  reason: r\n  expression:\n    - evt.Overflow.Alrt != nil\n", 7, "whitelist.expression[0]: "},
		{"second document", parserPath, aParser + aStatic + "---\n# another\n" + aParser + "grok:\n  pattern: '%{NO_SUCH_NAME:a}'\n  apply_on: message\n", 11, "grok.pattern: "},
		{"second document of scenarios", scenarioPath, aScenario + "---\n" + aScenario + "blackhole: 5 minutes\n", 10, "blackhole: "},
		{"unknown type", scenarioPath, "name: me/x\ndescription: d\nfilter: 'true'\ntype: leeky\n", 4, "type: "},
		{"no filter", scenarioPath, "# a comment\nname: me/x\ndescription: d\ntype: trigger\n", 2, "filter: "},
		{"no name", scenarioPath, "description: d\ntype: trigger\nfilter: 'true'\n", 1, "name: "},
		{"leaky: no room", scenarioPath, aLeaky + "capacity: 0\nleakspeed: 1s\n", 5, "capacity: "},
		{"leaky: no duration", scenarioPath, aLeaky + "capacity: 5\nleakspeed: fast\n", 6, "leakspeed: "},
		{"leaky: does not leak", scenarioPath, aLeaky + "capacity: 5\nleakspeed: 0s\n", 6, "leakspeed: "},
		{"groupby that yields a mapping", scenarioPath, aLeaky + "capacity: 5\nleakspeed: 1s\ngroupby: evt.Meta\n", 7, "groupby: "},
		{"distinct", scenarioPath, aLeaky + "capacity: 5\nleakspeed: 1s\ndistinct: evt.Meta.\n", 7, "distinct: "},
		{"cancel_on knows no queue", scenarioPath, aLeaky + "capacity: 5\nleakspeed: 1s\ncancel_on: queue.L > 1\n", 7, "cancel_on: "},
		{"overflow_filter", scenarioPath, aLeaky + "capacity: 5\nleakspeed: 1s\noverflow_filter: any(queue.Queue, {.Nope == ''})\n", 7, "overflow_filter: "},
		{"scope without a value", scenarioPath, aScenario + "scope:\n  type: username\n", 5, "scope.expression: "},
		{"scope with too much of a value", scenarioPath, aScenario + "scope:\n  type: Ip\n  expression: evt.Meta.a\n", 7, "scope.expression: "},
		{"trigger with room", scenarioPath, aScenario + "capacity: 3\n", 5, "capacity: "},
		{"counter", scenarioPath, "type: counter\ncapacity: -1\n" + strings.ReplaceAll(aScenario, "type: trigger\n", "duration: -1s\n"), 6, "duration: "},
		{"conditional", scenarioPath, "type: conditional\nleakspeed: 1s\ncondition: len(queue.Que) > 1\n" + strings.ReplaceAll(aScenario, "type: trigger\n", ""), 3, "condition: "},
		{"bayesian: threshold", scenarioPath, bayesian("1.5", "evt.Meta.a == 'b'"), 7, "bayesian_threshold: "},
		{"bayesian: condition", scenarioPath, bayesian("0.5", "evt.Nope == 'b'"), 9, "bayesian_conditions[0].condition: "},
		{"context", "contexts/x.yaml", "context:\n  user:\n    - evt.Meta.user\n    - evt.Nope\n", 4, "context user: "},
		{"context: no list", "contexts/x.yaml", "context:\n  user: evt.Meta.user\n", 2, "context.user: "},
		{"context of the administrator", "console/context.yaml", "user:\n  - evt.Meta.user\nagent:\n  - Nope()\n", 4, "context agent: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t, "")
			in.write(test.path, test.text)
			fatal := in.refuses(testOnly...)
			for _, want := range []string{fmt.Sprintf("%s: line %d: ", in.path(test.path), test.line), test.key} {
				if !strings.Contains(fatal, want) {
					t.Errorf("%q is not in: %s", want, fatal)
				}
			}
		})
	}
}

const (
	parserPath   = "parsers/s01-parse/x.yaml"
	scenarioPath = "scenarios/x.yaml"
)

func bayesian(threshold, condition string) string {
	return "name: me/x\ndescription: d\nfilter: 'true'\ntype: bayesian\ncapacity: -1\nbayesian_prior: 0.5\nbayesian_threshold: " + threshold +
		"\nbayesian_conditions:\n  - condition: " + condition + "\n    prob_given_evil: 0.9\n    prob_given_benign: 0.1\n"
}

// TestDataFilesThatCannotBeUsed: an item works on without one, and it is said where the file is asked for.
func TestDataFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path, text, data string
		line             int
		key              string
	}{
		"no name":       {parserPath, aParser + aStatic + "data:\n  - {source_url: 'https://example.com/a', type: string}\n", "", 6, "data[0]: "},
		"not there":     {scenarioPath, aScenario + "data:\n  - {dest_file: data.txt, type: string}\n  - {dest_file: none.txt, type: string}\n", "a\n", 7, "data[1]: "},
		"outside":       {scenarioPath, aScenario + "data:\n  - dest_file: ../../etc/passwd\n    type: string\n", "", 6, "data[0]: "},
		"unknown type":  {parserPath, aParser + "nodes:\n  - " + aStatic + "    data:\n      - dest_file: data.txt\n        type: strings\n", "a\n", 7, "nodes[0].data[0]: "},
		"no expression": {scenarioPath, aScenario + "data:\n  - dest_file: data.txt\n    type: regexp\n", "a\n(b\n", 6, "data[0]: "},
		"no JSON":       {scenarioPath, aScenario + "data:\n  - dest_file: data.txt\n    type: map\n", "a\n", 6, "data[0]: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t, "")
			in.write("local_api_credentials.yaml", "url: http://"+in.address+"\nlogin: a\npassword: b\n")
			in.write(test.path, test.text)
			in.write("data/data.txt", test.data)
			out, err := in.command("crowdsec", "-c", in.path("config.yaml"), "-t").CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			problems := linesWith(string(out), "level=error")
			if len(problems) != 1 {
				t.Fatalf("%d errors:\n%s", len(problems), out)
			}
			for _, want := range []string{"file=" + in.path(test.path), fmt.Sprintf("line=%d ", test.line), test.key} {
				if !strings.Contains(problems[0], want) {
					t.Errorf("%q is not in: %s", want, problems[0])
				}
			}
		})
	}
}
