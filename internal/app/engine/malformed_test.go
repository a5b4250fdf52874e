package engine_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMalformedItems checks what `crowdsec -t` says about items that are wrong, each in its own way: one line
// that names the file, the line and the key.
func TestMalformedItems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path, text string
		want       string // after the path
	}{
		"parser: unknown key": {
			"parsers/s01-parse/a.yaml",
			"name: me/a\ndescription: d\nfiltre: 'true'\nstatics: [{meta: a, value: b}]\n",
			"line 3: field filtre not found",
		},
		"parser: filter that cannot be compiled": {
			"parsers/s01-parse/a.yaml",
			"# two documents\nstatics: []\n---\nname: me/b\nfilter: |\n  evt.Parsed.program == 'a' &&\n  evt.Nope == 'b'\nstatics: [{meta: a, value: b}]\n",
			"line 5: me/b: filter: ",
		},
		"parser: pattern that does not exist, in a child": {
			"parsers/s01-parse/a.yaml",
			"name: me/a\nnodes:\n  - grok:\n      pattern: '%{WORD:a}'\n      apply_on: message\n  - grok:\n      apply_on: message\n      pattern: '%{NO_SUCH:a}'\n",
			"line 8: me/a: nodes[1].grok.pattern: ",
		},
		"parser: whitelist with a wrong range": {
			"parsers/s02-enrich/a.yaml",
			"name: me/a\nwhitelist:\n  reason: r\n  cidr:\n    - 192.0.2.0/24\n    - 192.0.2.0/33\n",
			"line 6: me/a: whitelist.cidr[1]: ",
		},
		"parser: stash without a lifetime": {
			"parsers/s01-parse/a.yaml",
			"name: me/a\nstatics: [{meta: a, value: b}]\nstash:\n  - name: s\n    key: evt.Parsed.k\n    value: evt.Parsed.v\n    ttl: soon\n    size: 1\n",
			"line 7: me/a: stash[0].ttl: ",
		},
		"parser: static with neither value nor expression": {
			"parsers/s01-parse/a.yaml",
			"name: me/a\nstatics:\n  - {meta: a, value: b}\n  - meta: c\n",
			"line 4: me/a: statics[1]: value or expression is required",
		},
		"postoverflow: no such onsuccess": {
			"postoverflows/s00-enrich/a.yaml",
			"name: me/a\nonsuccess: stop\nstatics: [{meta: a, value: b}]\n",
			"line 2: me/a: onsuccess: ",
		},
		"scenario: value of the wrong type": {
			"scenarios/a.yaml",
			"type: leaky\nname: me/a\ndescription: d\nfilter: 'true'\nleakspeed: 1s\ncapacity: many\n",
			"line 6: capacity: cannot unmarshal",
		},
		"scenario: unknown type": {
			"scenarios/a.yaml",
			"name: me/a\ndescription: d\nfilter: 'true'\ntype: leeky\n",
			"line 4: me/a: type: 'leeky' is not one of",
		},
		"scenario: required key that is missing": {
			"scenarios/a.yaml",
			"# a comment\ntype: trigger\nname: me/a\ndescription: d\n",
			"line 2: me/a: filter: is required",
		},
		"scenario: no duration": {
			"scenarios/a.yaml",
			"type: leaky\nname: me/a\ndescription: d\nfilter: 'true'\ncapacity: 1\nleakspeed: fast\n",
			"line 6: me/a: leakspeed: ",
		},
		"scenario: repeated key": {
			"scenarios/a.yaml",
			"type: trigger\nname: me/a\ndescription: d\nfilter: 'true'\nfilter: 'false'\n",
			`line 5: mapping key "filter" already defined at line 4`,
		},
		"scenario: bayesian condition": {
			"scenarios/a.yaml",
			"type: bayesian\nname: me/a\ndescription: d\nfilter: 'true'\ncapacity: -1\nbayesian_prior: 0.5\nbayesian_threshold: 0.9\nbayesian_conditions:\n" +
				"  - condition: evt.Nope\n    prob_given_evil: 0.9\n    prob_given_benign: 0.1\n",
			"line 9: me/a: bayesian_conditions[0].condition: ",
		},
		"context: field that does not exist": {
			"contexts/a.yaml",
			"context:\n  user:\n    - evt.Meta.user\n    - evt.Nope\n",
			"line 4: context user: ",
		},
		"not YAML": {
			"scenarios/a.yaml",
			"type: leaky\nname: [me/a\ndescription: d\n",
			"line ", // there are no keys
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{test.path: test.text})
			_, err := check(t, dir, filepath.Join(dir, "hub"), "")
			if err == nil {
				t.Fatal("loaded")
			}
			want := filepath.Join(dir, test.path) + ": " + test.want
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !regexp.MustCompile(`line \d`).MatchString(err.Error()) {
				t.Errorf("error %q, want one line with %q", err, want)
			}
		})
	}
}
