package bouncers

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
	"shieldwall/internal/localapi/store/sql"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list all bouncers within the database",
		Example: "cscli bouncers list",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *sql.Store, _ []string) error {
			return list(ctx, s, db)
		}),
	}
}

func list(ctx context.Context, s *session.Session, db keeper) error {
	all, err := db.Bouncers(ctx, store.BouncerFilter{})
	if err != nil {
		return err
	}
	switch s.Output {
	case session.JSON:
		return listJSON(s, all)
	case session.Raw:
		return listRaw(s, all)
	case session.Human:
	}
	return s.Print(listTable(all, s.Fancy) + "\n")
}

func listTable(all []domain.Bouncer, fancy bool) string {
	t := table.Light(fancy)
	t.Header("Name", "IP Address", "Valid", "Last API pull", "Type", "Version", "Auth Type")
	for _, b := range all {
		t.Row(b.Name, b.IPAddress, valid(b), lastPull(b), b.Type, b.Version, authType(b))
	}
	return t.String()
}

func listJSON(s *session.Session, all []domain.Bouncer) error {
	records := make([]record, len(all))
	for i, b := range all {
		records[i] = recordOf(b)
	}
	return s.PrintJSONLine(records)
}

func listRaw(s *session.Session, all []domain.Bouncer) error {
	rows := make([][]string, len(all))
	for i, b := range all {
		state := "validated"
		if b.Revoked {
			state = "pending"
		}
		rows[i] = []string{b.Name, b.IPAddress, state, lastPull(b), b.Type, b.Version, authType(b)}
	}
	return s.PrintCSV([]string{"name", "ip", "revoked", "last_pull", "type", "version", "auth_type"}, rows)
}
