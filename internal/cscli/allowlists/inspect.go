package allowlists

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

const never = "never"

func newInspect(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "inspect [allowlist_name]",
		Short:             "Inspect an allowlist",
		Example:           "cscli allowlists inspect my_allowlist",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(allNames),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return inspect(ctx, s, args[0])
		}),
	}
}

// allNames lists all allowlists, for completion.
func allNames(ctx context.Context, s *session.Session) ([]string, error) {
	client, err := s.ConfiguredClient()
	if err != nil {
		return nil, err
	}
	lists, err := client.Allowlists(ctx)
	names := make([]string, len(lists))
	for i := range lists {
		names[i] = lists[i].Name
	}
	return names, err
}

func inspect(ctx context.Context, s *session.Session, name string) error {
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	list, err := client.Allowlist(ctx, name)
	if err != nil {
		return fmt.Errorf("unable to get allowlist: %w", err)
	}
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(list)
	case session.Raw:
		return inspectRaw(s, list)
	case session.Human:
	}
	if err := s.PrintTables(aboutTable(list, s.Fancy)); err != nil {
		return err
	}
	if err := s.Print("\n"); err != nil {
		return err
	}
	return s.PrintTables(itemTable(list, s.Fancy))
}

func inspectRaw(s *session.Session, list wire.Allowlist) error {
	rows := make([][]string, len(list.Items))
	for i, item := range list.Items {
		rows[i] = []string{
			list.Name, list.Description, item.Value, item.Description, expiration(item), instant(item.CreatedAt),
			strconv.FormatBool(list.ConsoleManaged),
		}
	}
	return s.PrintCSV([]string{"name", "description", "value", "comment", "expiration", "created_at", "console_managed"}, rows)
}

func aboutTable(list wire.Allowlist, fancy bool) *table.Table {
	t := table.Light(fancy)
	t.Title("Allowlist: " + list.Name)
	t.Row("Name", list.Name)
	t.Row("Description", list.Description)
	t.Row("Created at", instant(list.CreatedAt))
	t.Row("Updated at", instant(list.UpdatedAt))
	t.Row("Managed by Console", yesNo(list.ConsoleManaged))
	return t
}

func itemTable(list wire.Allowlist, fancy bool) *table.Table {
	t := table.Light(fancy)
	t.Header("Value", "Comment", "Expiration", "Created at")
	for _, item := range list.Items {
		t.Row(item.Value, item.Description, expiration(item), instant(item.CreatedAt))
	}
	return t
}

func expiration(item wire.AllowlistItem) string {
	if item.Expiration.IsZero() {
		return never
	}
	return instant(item.Expiration)
}
