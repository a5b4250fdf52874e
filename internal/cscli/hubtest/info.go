package hubtest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub/hubtest"
)

// description is a test as JSON.
type description struct {
	Name            string `json:"name"`
	Path            string `json:"path"`
	LogFile         string `json:"log_file"`
	ParserAsserts   string `json:"parser_assert"`
	ScenarioAsserts string `json:"scenario_assert"`
	Config          string `json:"config"`
}

func describe(c *hubtest.Case) description {
	return description{
		Name: c.Name, Path: c.Dir, LogFile: c.Log(), ParserAsserts: c.ParserAsserts(), ScenarioAsserts: c.ScenarioAsserts(),
		Config: filepath.Join(c.Dir, "config.yaml"),
	}
}

// information is a test as text.
func information(c *hubtest.Case) string {
	d := describe(c)
	var text strings.Builder
	for _, row := range [][2]string{
		{"Test name", d.Name},
		{"Test path", d.Path},
		{"Log file", d.LogFile},
		{"Parser assertion file", d.ParserAsserts},
		{"Scenario assertion file", d.ScenarioAsserts},
		{"Configuration file", d.Config},
	} {
		fmt.Fprintf(&text, "  %-24s: %s\n", row[0], row[1])
	}
	return text.String()
}

func newInfo(runner *session.Runner, p *place) *cobra.Command {
	return &cobra.Command{
		Use:               "info <test_name>...",
		Short:             "Show where the parts of a test are",
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: p.complete(runner),
		RunE: p.on(runner, func(_ context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			return info(s, h, args)
		}),
	}
}

func info(s *session.Session, h *hubtest.Hub, names []string) error {
	found, err := cases(h, names, false)
	if err != nil {
		return err
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(describeAll(found))
	}
	for _, c := range found {
		if err := s.Print("\n" + information(c)); err != nil {
			return err
		}
	}
	return s.Print("\n")
}

func describeAll(found []*hubtest.Case) []description {
	descriptions := make([]description, 0, len(found))
	for _, c := range found {
		descriptions = append(descriptions, describe(c))
	}
	return descriptions
}

func newList(runner *session.Runner, p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tests",
		Args:  session.Args(cobra.NoArgs),
		RunE: p.on(runner, func(_ context.Context, s *session.Session, h *hubtest.Hub, _ []string) error {
			return list(s, h)
		}),
	}
}

func list(s *session.Session, h *hubtest.Hub) error {
	found, err := cases(h, nil, true)
	if err != nil {
		return err
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(describeAll(found))
	}
	t := table.Light(s.Fancy)
	t.Header("Name", "Path")
	for _, c := range found {
		t.Row(c.Name, c.Dir)
	}
	return s.Print(t.String() + "\n")
}
