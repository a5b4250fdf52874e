package machines

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store/sql"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list all machines in the database",
		Example: "cscli machines list",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *sql.Store, _ []string) error {
			return list(ctx, s, db)
		}),
	}
}

func list(ctx context.Context, s *session.Session, db keeper) error {
	all, err := db.Machines(ctx)
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
	return s.Print(listTable(all, s.Now(), s.Fancy) + "\n")
}

func listTable(all []domain.Machine, now time.Time, fancy bool) string {
	t := table.Light(fancy)
	t.Header("Name", "IP Address", "Last Update", "Status", "Version", "OS", "Auth Type", "Last Heartbeat")
	for _, m := range all {
		t.Row(m.ID, m.IPAddress, m.UpdatedAt.Format(time.RFC3339), status(m), m.Version, osText(m), authType(m), lastHeartbeat(m, now))
	}
	return t.String()
}

func listJSON(s *session.Session, all []domain.Machine) error {
	records := make([]record, len(all))
	for i, m := range all {
		records[i] = recordOf(m)
	}
	return s.PrintJSONLine(records)
}

func listRaw(s *session.Session, all []domain.Machine) error {
	rows := make([][]string, len(all))
	for i, m := range all {
		heartbeat := "-"
		if !m.LastHeartbeat.IsZero() {
			heartbeat = m.LastHeartbeat.Format(time.RFC3339)
		}
		rows[i] = []string{
			m.ID, m.IPAddress, m.UpdatedAt.Format(time.RFC3339), strconv.FormatBool(m.Validated), m.Version,
			authType(m), heartbeat, m.OSName + "/" + m.OSVersion,
		}
	}
	return s.PrintCSV([]string{
		"machine_id", "ip_address", "updated_at", "validated", "version", "auth_type", "last_heartbeat", "os",
	}, rows)
}
