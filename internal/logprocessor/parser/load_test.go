package parser_test

import (
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/logprocessor/parser"
)

// valid is the least that makes a node.
const valid = "statics: [{meta: a, value: b}]\n"

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		name, body, want string
	}{
		{"key of scenarios: labels", valid + "labels: {a: b}", "labels"},
		{"key of scenarios: version", valid + "version: 1", "version"},
		{"unknown key: optional", valid + "optional: true", "optional"},
		{"unknown key: tags", valid + "tags: [a]", "tags"},
		{"unknown key in grok", "grok: {pattern: '%{WORD:a}', apply_on: Line.Raw, nope: 1}", "nope"},
		{"unknown key in a static", "statics: [{meta: a, value: b, nope: 1}]", "nope"},
		{"unknown key in a stash", valid + "stash: [{name: a, nope: 1}]", "nope"},
		{"unknown key in a whitelist", "whitelist: {ip: [192.0.2.1], nope: 1}", "nope"},
		{"unknown key in a data entry", valid + "data: [{nope: 1}]", "nope"},
		{"unknown key in a child", "nodes: [{statics: [{meta: a, value: b}], nope: 1}]", "nope"},
		{"repeated key", valid + valid, "statics"},
		{"repeated key in a static", "statics: [{meta: a, value: b, value: c}]", "value"},
		{"not YAML", "statics: [", "yaml"},
		{"not a mapping", valid + "---\n- a\n", "line"},

		{"empty", "filter: 'true'", "empty"},
		{"empty child", "nodes: [{filter: 'true'}]", "empty"},
		{"whitelist with nothing but a reason", "whitelist: {reason: why}", "empty"},
		{"onsuccess", valid + "onsuccess: stop", "onsuccess"},
		{"onsuccess of a child", "nodes: [{onsuccess: stop, statics: [{meta: a, value: b}]}]", "onsuccess"},

		{"filter: unknown field", valid + "filter: evt.Nope == 'x'", "filter: type event.Event has no field Nope (1:5)"},
		{"filter: unknown field of the line", valid + "filter: 'true && evt.Line.Nope'", "Nope (1:18)"},
		{"filter: number", valid + "filter: 1 + 1", "filter"},
		{"filter: text", valid + "filter: evt.Line.Raw", "filter"},
		{"filter: half", valid + "filter: evt.Line.Raw ==", "filter"},
		{"filter of a child", "nodes: [{filter: evt.Nope, statics: [{meta: a, value: b}]}]", "Nope (1:5)"},

		{"static without a value", "statics: [{meta: a}]", "statics"},
		{"static without a destination", "statics: [{value: a}]", "statics"},
		{"static with enriched only", "statics: [{enriched: a, value: b}]", "statics"},
		{"method without a value", "statics: [{method: ParseDate}]", "statics"},
		{"static: unknown field", "statics: [{meta: a, expression: evt.Nope}]", "Nope (1:5)"},
		{"static of grok: unknown field", "grok: {pattern: '%{WORD:a}', apply_on: Line.Raw, statics: [{meta: a, expression: evt.Nope}]}", "Nope"},

		{"grok without a subject", "grok: {pattern: '%{WORD:a}'}", "grok"},
		{"grok without a pattern", "grok: {apply_on: Line.Raw}", "grok"},
		{"grok: unknown name", "grok: {name: NO_SUCH, apply_on: Line.Raw}", "NO_SUCH"},
		{"grok: unknown reference", "grok: {pattern: '%{NO_SUCH:a}', apply_on: Line.Raw}", "NO_SUCH"},
		{"grok: not a regular expression", "grok: {pattern: '(%{WORD:a}', apply_on: Line.Raw}", "grok"},
		{"grok: expression", "grok: {pattern: '%{WORD:a}', expression: evt.Nope}", "Nope"},

		{"pattern_syntax: list", valid + "pattern_syntax: [A]", "pattern_syntax"},
		{"pattern_syntax: mapping as a pattern", valid + "pattern_syntax: {OWN: {a: b}}", "OWN"},
		{"pattern_syntax: number as a pattern", valid + "pattern_syntax: {OWN: 12}", "OWN"},
		{"pattern_syntax: forward reference", valid + "pattern_syntax: {OWN: '%{LATER}', LATER: 'x'}", "LATER"},

		{"stash without a name", valid + "stash: [{key: '\"k\"', value: '\"v\"', ttl: 1s, size: 1}]", "stash"},
		{"stash without a key", valid + "stash: [{name: s, value: '\"v\"', ttl: 1s, size: 1}]", "stash"},
		{"stash without a value", valid + "stash: [{name: s, key: '\"k\"', ttl: 1s, size: 1}]", "stash"},
		{"stash without a lifetime", valid + "stash: [{name: s, key: '\"k\"', value: '\"v\"', size: 1}]", "ttl"},
		{"stash: no duration", valid + "stash: [{name: s, key: '\"k\"', value: '\"v\"', ttl: soon, size: 1}]", "ttl"},
		{"stash: negative size", valid + "stash: [{name: s, key: '\"k\"', value: '\"v\"', ttl: 1s, size: -1}]", "size"},
		{"stash: key", valid + "stash: [{name: s, key: evt.Nope, value: '\"v\"', ttl: 1s, size: 1}]", "Nope"},

		{"whitelist: ip", "whitelist: {ip: [192.0.2.256]}", "192.0.2.256"},
		{"whitelist: range as ip", "whitelist: {ip: [192.0.2.0/24]}", "192.0.2.0/24"},
		{"whitelist: cidr", "whitelist: {cidr: [192.0.2.0/33]}", "192.0.2.0/33"},
		{"whitelist: expression", "whitelist: {expression: [evt.Nope]}", "Nope"},
		{"whitelist: expression gives text", "whitelist: {expression: [evt.Line.Raw]}", "whitelist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := newBench(patterns).load(test.body)
			if err == nil {
				t.Fatal("loaded")
			}
			if !strings.Contains(err.Error(), "s01/test.yaml") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q names not both s01/test.yaml and %q", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

func TestLoadAccepts(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	for _, test := range []struct {
		name, files string
		want        []string // stages
		log         string
	}{
		{"everything informational", "description: d\nauthor: a\nreferences: [r]\ndebug: true\nprofiling: true\nformat: 2.0\n" + valid, []string{"s01"}, ""},
		{"the directory is the stage", "stage: s99\n" + valid, []string{"s01"}, ""},
		{"several documents", valid + "---\nname: two\n" + valid, []string{"s01"}, ""},
		{"description instead of a name", "-- s01/a.yml --\ndescription: d\n" + valid, []string{"s01"}, ""},
		{"author instead of a name", "-- s01/a.yml --\nauthor: d\n" + valid, []string{"s01"}, ""},
		{"anonymous document", "-- s01/a.yaml --\n" + valid, nil, "level=INFO"},
		{"anonymous document that is wrong", "-- s01/a.yaml --\nfilter: evt.Nope\n" + valid, nil, ""},
		{"only the anonymous document is left out", "-- s01/a.yaml --\n" + valid + "---\nname: a\n" + valid, []string{"s01"}, ""},
		{"empty file", "-- s01/a.yaml --\n# nothing\n", nil, ""},
		{"empty document", "-- s01/a.yaml --\n---\n---\nname: a\n" + valid, []string{"s01"}, ""},
		{"other extension", "-- s01/a.txt --\nno parser: [\n", nil, "level=WARN"},
		{
			"stages by name", "-- s02/a.yaml --\nname: a\n" + valid + "-- s00/a.yaml --\nname: a\n" + valid + "-- extra/a.yaml --\nname: a\n" + valid,
			[]string{"extra", "s00", "s02"},
			"",
		},
		{"method that is not known", "statics: [{method: NoSuch, value: a}]", []string{"s01"}, "level=WARN"},
		{"data that is not there", valid + "data: [{dest_file: missing.txt, type: string}]", []string{"s01"}, "level=ERROR"},
		{"stash without a size", valid + "stash: [{name: s, key: '\"k\"', value: '\"v\"', ttl: 1s}]", []string{"s01"}, ""},
		{"stash with an unknown strategy", valid + "stash: [{name: s, key: '\"k\"', value: '\"v\"', ttl: 1s, size: 1, strategy: X}]", []string{"s01"}, ""},
		{"pattern by alias", "-- s01/a.yaml --\nname: a\npattern_syntax: {ONE: &p 'x', TWO: *p}\ngrok: {pattern: '%{TWO:t}', apply_on: Line.Raw}", []string{"s01"}, ""},
		{"statics of grok are not checked", "grok: {pattern: '%{WORD:a}', apply_on: Line.Raw, statics: [{meta: a}, {value: b}, {}]}", []string{"s01"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(patterns)
			set, err := b.load(test.files)
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Stages(); !slices.Equal(got, test.want) {
				t.Errorf("stages %q, want %q", got, test.want)
			}
			if !strings.Contains(b.log.String(), test.log) {
				t.Errorf("no %s in:\n%s", test.log, b.log.String())
			}
		})
	}
}

func TestFormatVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"": true, "1": true, "1.0": true, "1.5": true, "1.10": true, "2": true, "2.0": true, "2.9.1": true, "3": true, "3.0": true, "3.0.0": true,
		"0": false, "0.9": false, "3.0.1": false, "3.1": false, "4": false, "10.0": false, "-1.0": false, "one": false, "1.x": false,
	} {
		if got := parser.SupportedFormat(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

func TestUnsupportedFormatIsSkipped(t *testing.T) {
	t.Parallel()
	b := newBench(embedded(t))
	set := b.mustLoad(t, "format: 4.0\nfilter: evt.Nope\n"+valid)
	if len(set.Stages()) != 0 || !strings.Contains(b.log.String(), "level=ERROR") {
		t.Errorf("stages %q, log %s", set.Stages(), b.log.String())
	}
}

func FuzzLoad(f *testing.F) {
	for _, body := range []string{
		valid, "", "a: [", "filter: evt.Line.Raw == 'a'\n" + valid, "onsuccess: next_stage\n" + valid,
		"grok: {pattern: '%{WORD:a}', apply_on: Line.Raw, statics: [{meta: a, expression: evt.Parsed.a}]}\n",
		"whitelist: {reason: r, ip: [192.0.2.1], cidr: [192.0.2.0/24], expression: ['evt.Meta.a == \"b\"']}\n",
		"pattern_syntax: {OWN: '%{WORD:w}'}\ngrok: {name: OWN, expression: evt.Line.Raw}\n",
		"statics: [{target: evt.Line.Labels.type, value: v}, {method: UnmarshalJSON, value: v}]\n",
		"stash: [{name: s, key: evt.Line.Raw, value: evt.Line.Raw, ttl: 1s, size: 2, strategy: ARC}]\n" + valid,
		"nodes: [{nodes: [{nodes: [{statics: [{target: evt.Stage, value: s}]}]}]}]\n",
		"a: &a {b: *a}\n", "<<: {name: x}\n" + valid,
	} {
		f.Add([]byte("name: test\n" + body))
	}
	patterns := embedded(f)
	f.Fuzz(func(_ *testing.T, text []byte) {
		set, err := newBench(patterns).loadItems([]parser.Item{{Path: "s01/fuzz.yaml", Stage: "s01", Text: text}})
		if err == nil {
			set.Parse(line(`Jan  1 00:00:00 host sshd[1]: {"a": 1}`))
		}
	})
}
