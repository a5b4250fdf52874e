package hubtest

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub/hubtest"
)

type coverageOptions struct {
	percent, parsers, scenarios bool
}

// covered is the coverage of one kind of items.
type covered struct {
	kind  string // as "parsers"
	title string
	items []hubtest.Coverage
}

func newCoverage(runner *session.Runner, p *place) *cobra.Command {
	var o coverageOptions
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Show which items of the hub have tests",
		Args:  session.Args(cobra.NoArgs),
		RunE: p.on(runner, func(_ context.Context, s *session.Session, h *hubtest.Hub, _ []string) error {
			return coverage(s, h, o)
		}),
	}
	set := cmd.Flags()
	set.BoolVar(&o.percent, "percent", false, "only show the share of items with tests")
	set.BoolVar(&o.parsers, "parsers", false, "only parsers")
	set.BoolVar(&o.scenarios, "scenarios", false, "only scenarios")
	return cmd
}

func coverage(s *session.Session, h *hubtest.Hub, o coverageOptions) error {
	groups, err := measure(h, o)
	if err != nil {
		return err
	}
	switch {
	case s.Output == session.JSON:
		return printCoverageJSON(s, groups, o.percent)
	case o.percent:
		return s.Printf("%s=%d%%", groups[0].kind, hubtest.Percent(groups[0].items))
	}
	for _, group := range groups {
		if err := s.Print(coverageTable(group, s.Fancy) + "\n"); err != nil {
			return err
		}
	}
	for _, group := range groups {
		if err := s.Printf("%-10s: %d%% of coverage\n", group.title+"s", hubtest.Percent(group.items)); err != nil {
			return err
		}
	}
	return nil
}

// measure returns what was asked for, everything by default.
func measure(h *hubtest.Hub, o coverageOptions) ([]covered, error) {
	tests, err := cases(h, nil, true)
	if err != nil {
		return nil, err
	}
	all := !o.parsers && !o.scenarios
	var groups []covered
	if o.parsers || all {
		items, err := h.ParserCoverage(tests)
		if err != nil {
			return nil, err
		}
		groups = append(groups, covered{"parsers", "Parser", items})
	}
	if o.scenarios || all {
		items, err := h.ScenarioCoverage(tests)
		if err != nil {
			return nil, err
		}
		groups = append(groups, covered{"scenarios", "Scenario", items})
	}
	return groups, nil
}

func printCoverageJSON(s *session.Session, groups []covered, percent bool) error {
	type item struct {
		Name  string   `json:"name"`
		Tests []string `json:"tests"`
	}
	shown := map[string]any{}
	for _, group := range groups {
		items := make([]item, 0, len(group.items))
		for _, c := range group.items {
			items = append(items, item{c.Name, append([]string{}, c.Tests...)})
		}
		shown[group.kind+"_coverage"] = hubtest.Percent(group.items)
		if !percent {
			shown[group.kind] = items
		}
	}
	return s.PrintJSONLine(shown)
}

func coverageTable(group covered, fancy bool) string {
	t := table.Light(fancy)
	t.Header(group.title, "Status", "Number of tests")
	for _, item := range group.items {
		status := passed
		if len(item.Tests) == 0 {
			status = failed
		}
		t.Row(item.Name, status, strconv.Itoa(len(item.Tests)))
	}
	return t.String()
}
