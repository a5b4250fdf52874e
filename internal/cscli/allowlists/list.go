package allowlists

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/wire"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all allowlists",
		Example: "cscli allowlists list",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return list(ctx, s) }),
	}
}

func list(ctx context.Context, s *session.Session) error {
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	lists, err := client.Allowlists(ctx)
	if err != nil {
		return fmt.Errorf("unable to list allowlists: %w", err)
	}
	return shown().Print(s, lists)
}

func shown() listing.List[wire.Allowlist] {
	return listing.List[wire.Allowlist]{
		Record:    func(l wire.Allowlist) any { return l },
		Header:    []string{"Name", "Description", "Created at", "Updated at", "Managed by Console", "Size"},
		Row:       func(l wire.Allowlist) []string { return cells(l, yesNo) },
		RawHeader: []string{"name", "description", "created_at", "updated_at", "console_managed", "size"},
		RawRow:    func(l wire.Allowlist) []string { return cells(l, strconv.FormatBool) },
	}
}

func cells(l wire.Allowlist, truth func(bool) string) []string {
	return []string{
		l.Name, l.Description, instant(l.CreatedAt), instant(l.UpdatedAt), truth(l.ConsoleManaged), strconv.Itoa(len(l.Items)),
	}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// instant is a time as the Local API writes it.
func instant(t wire.Milliseconds) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
