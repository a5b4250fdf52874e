package hubtest

import (
	"regexp"
	"slices"

	"shieldwall/internal/hub"
)

// Coverage says which tests assert something of an item of the index.
type Coverage struct {
	Name  string
	Tests []string // sorted
}

// ParserCoverage returns the coverage of every parser of the index, by name.
func (h *Hub) ParserCoverage(cases []*Case) ([]Coverage, error) {
	return h.coverage(hub.Parsers, cases, (*Case).ParserAsserts, regexp.MustCompile(`results\["[^"]*"\]\["([^"]+)"\]`))
}

// ScenarioCoverage returns the coverage of every scenario of the index, by name.
func (h *Hub) ScenarioCoverage(cases []*Case) ([]Coverage, error) {
	return h.coverage(hub.Scenarios, cases, (*Case).ScenarioAsserts, regexp.MustCompile(`GetScenario\(\) *== *"([^"]+)"`))
}

// coverage looks for names in assert files: pattern captures one.
func (h *Hub) coverage(kind hub.Kind, cases []*Case, file func(*Case) string, pattern *regexp.Regexp) ([]Coverage, error) {
	tests := map[string][]string{}
	for _, c := range cases {
		asserts, err := ReadAsserts(file(c))
		if err != nil {
			return nil, err
		}
		for _, name := range namesIn(asserts, pattern) {
			tests[name] = append(tests[name], c.Name)
		}
	}
	items := make([]Coverage, 0, len(h.Catalog.Names(kind)))
	for _, name := range h.Catalog.Names(kind) {
		items = append(items, Coverage{Name: name, Tests: tests[name]})
	}
	return items, nil
}

// namesIn returns what pattern captures, each name once.
func namesIn(asserts []Assert, pattern *regexp.Regexp) []string {
	var names []string
	for _, assert := range asserts {
		for _, match := range pattern.FindAllStringSubmatch(assert.Text, -1) {
			names = append(names, match[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Percent returns how many of the items have a test, in percent rounded down, 0 without items.
func Percent(items []Coverage) int {
	covered := 0
	for _, item := range items {
		if len(item.Tests) > 0 {
			covered++
		}
	}
	if covered == 0 {
		return 0
	}
	return 100 * covered / len(items)
}
