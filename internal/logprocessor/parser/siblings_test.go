package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSiblingsChangeNothing checks that children whose patterns are searched together do what they do one after the
// other, also when one of them changes the text that the others look at, and count the same.
func TestSiblingsChangeNothing(t *testing.T) {
	t.Parallel()
	patterns := embedded(t)
	children := []string{
		"grok: {pattern: '^failed for %{WORD:user}', apply_on: message}",
		"grok: {pattern: 'from %{IP:source}', apply_on: message}",
		"grok: {pattern: 'failed %{GREEDYDATA:message}', apply_on: message}",
		"grok: {pattern: 'for %{GREEDYDATA:rest}', apply_on: message}",
		"grok: {pattern: 'for %{GREEDYDATA:message}', apply_on: Line.Raw}",
		"grok: {pattern: '%{NUMBER:port}', apply_on: rest}",
		"grok: {pattern: '(a|o)%{WORD:any}', apply_on: message}",
		"{filter: \"evt.Parsed.user != ''\", grok: {pattern: 'from', apply_on: message}}",
		"statics: [{parsed: message, value: 'failed again'}]",
		"{grok: {pattern: 'again', apply_on: message}, nodes: [{statics: [{parsed: deeper, value: x}]}]}",
		"{grok: {pattern: 'never', apply_on: message}, statics: [{meta: never, value: x}]}",
		"grok: {pattern: 'port', expression: evt.Line.Raw}",
		"{grok: {pattern: 'for %{GREEDYDATA:rest}', apply_on: message}, statics: [{parsed: message, value: 'failed from 192.0.2.2 again'}]}",
	}
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		file.WriteString("-- s00/a.yaml --\nname: first\n" + next + "\nstatics: [{parsed: message, expression: evt.Line.Raw}]\n-- s01/b.yaml --\nname: parent\n")
		if rapid.Bool().Draw(t, "next stage") {
			file.WriteString(next + "\n")
		}
		if rapid.Bool().Draw(t, "own pattern") {
			file.WriteString("grok: {pattern: 'failed', apply_on: message}\n")
		}
		file.WriteString("nodes:\n")
		for range rapid.IntRange(3, 9).Draw(t, "children") {
			child := rapid.SampledFrom(children).Draw(t, "child")
			if !strings.HasPrefix(child, "{") {
				child = "{" + child + "}"
			}
			fmt.Fprintf(&file, "  - %s\n", child)
		}
		compareWithPlain(t, patterns, file.String(),
			"failed for root from 192.0.2.1 port 22", "accepted for root from 192.0.2.1", "for 42", "failed", "nothing", "")
	})
}

// TestSiblingsSeeNewText is the rare case of the above: what could not match does after one of them has matched.
func TestSiblingsSeeNewText(t *testing.T) {
	t.Parallel()
	runRows(t, []row{{
		name: "a sibling writes what another needs", line: "for 42",
		files: "-- s00/a.yaml --\nname: first\n" + next + "\nstatics: [{parsed: message, expression: evt.Line.Raw}]\n-- s01/b.yaml --\n" + `name: parent
nodes:
  - {grok: {pattern: '^failed for %{WORD:user}', apply_on: message}}
  - {grok: {pattern: 'for %{GREEDYDATA:rest}', apply_on: message}, statics: [{parsed: message, value: from 192.0.2.2}]}
  - {grok: {pattern: 'from %{IP:source}', apply_on: message}}
`,
		want: []string{"parsed.message=from 192.0.2.2", "parsed.rest=42", "parsed.source=192.0.2.2"},
	}})
}
