package metrics

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List available types of metrics",
		Args:  session.Args(cobra.NoArgs),
		RunE:  runner.Run(func(_ context.Context, s *session.Session, _ []string) error { return list(s) }),
	}
}

type record struct {
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

func list(s *session.Session) error {
	var records []record
	t := table.Full(s.Fancy)
	t.LeftHeader("Type", "Title", "Description")
	t.Wrap(3)
	t.SeparateRows()
	for _, k := range kinds() {
		records = append(records, record{k.name, k.title, k.description})
		t.Row(k.name, k.title, k.description)
	}
	switch s.Output {
	case session.JSON:
		return s.PrintJSON(records, " ")
	case session.Raw:
		return s.Unsupported()
	case session.Human:
	}
	return s.PrintTables(t)
}
