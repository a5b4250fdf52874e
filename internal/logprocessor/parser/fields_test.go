package parser_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/parser"
)

func TestFieldsAreWhatAParserMayFillIn(t *testing.T) {
	t.Parallel()
	set := newBench(embedded(t)).mustLoad(t, `-- s01/a.yaml --
name: test/a
nodes:
  - grok: {pattern: '%{IP:source_ip} %{WORD:verb}', apply_on: Line.Raw, statics: [{meta: verb, value: x}]}
  - nodes:
      - grok: {pattern: '%{WORD:deep}', apply_on: Line.Raw}
statics:
  - {parsed: program, value: x}
  - {enriched: extra, method: '', meta: '', value: x, target: evt.ignored}
  - {target: evt.StrTime, value: x}
  - {target: Meta.who, value: x}
-- s02/b.yaml --
name: test/b
statics:
  - {method: GeoIpASN, value: x}
  - {method: nobody_knows, value: x}
---
name: test/b
statics: [{meta: second, value: x}]
`)
	want := map[string][]string{
		"test/a": {
			"evt.Enriched.extra", "evt.Meta.verb", "evt.Meta.who", "evt.Parsed.deep", "evt.Parsed.program", "evt.Parsed.source_ip",
			"evt.Parsed.verb", "evt.StrTime",
		},
		"test/b": {"evt.Enriched.ASNNumber", "evt.Enriched.ASNOrg", "evt.Enriched.ASNumber", "evt.Meta.second"},
	}
	if got := set.Fields(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestFillsIsAllUnlessAnExpressionDecides(t *testing.T) {
	t.Parallel()
	const static = "statics: [{meta: a, value: b}]\n"
	for text, want := range map[string]bool{
		static: true,
		static + "nodes: [{statics: [{target: evt.Meta.c, value: d}]}]":                                                                                           true,
		static + "nodes: [{statics: [{target: evt.Meta.c, expression: 'string(evt.SetParsed(\"x\", \"y\"))'}]}]":                                                  false,
		static + "filter: evt.SetMeta('x', 'y')":                                                                                                                  false,
		static + "whitelist: {reason: r, expression: ['evt.SetMeta(\"x\", \"y\")']}":                                                                              false,
		static + "nodes: [{stash: [{name: s, key: 'string(evt.SetMeta(\"x\", \"y\"))', value: evt.Line.Raw, ttl: 1m, size: 1}], statics: [{meta: a, value: b}]}]": false,
	} {
		fields, all := newBench(embedded(t)).mustLoad(t, text).Fills()
		if all != want || !slices.Contains(fields, "evt.Meta.a") {
			t.Errorf("%s\ngot %v, %v", text, fields, all)
		}
	}
}

func TestPatternsOfTheAdministratorComeOverTheEmbedded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"mine": "WORD only_this\nMINE %{WORD:w}\n", "notes.txt": "BROKEN (\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	patterns, err := parser.Patterns(dir)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := patterns.Compile("%{MINE}")
	if err != nil || !mine.Match("only_this", make([]string, 1)) || mine.Match("other", make([]string, 1)) {
		t.Errorf("compiled %v, %v", mine, err)
	}
	if _, err := parser.Patterns(filepath.Join(dir, "missing")); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "more"), []byte("BROKEN (\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Patterns(dir); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), filepath.Join(dir, "more")) {
		t.Errorf("got %v", err)
	}
}
