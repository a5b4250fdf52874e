package machines

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/domain"
)

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list all machines in the database",
		Example: "cscli machines list",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, _ []string) error {
			all, err := db.Machines(ctx)
			if err != nil {
				return err
			}
			return listAt(s.Now()).Print(s, all)
		}),
	}
}

// listAt is the list of machines as it looks now.
func listAt(now time.Time) listing.List[domain.Machine] {
	return listing.List[domain.Machine]{
		Record: func(m domain.Machine) any { return recordOf(m) },
		Header: []string{"Name", "IP Address", "Last Update", "Status", "Version", "OS", "Auth Type", "Last Heartbeat"},
		Row: func(m domain.Machine) []string {
			return []string{
				m.ID, m.IPAddress, m.UpdatedAt.Format(time.RFC3339), status(m), m.Version, osText(m), authType(m), lastHeartbeat(m, now),
			}
		},
		RawHeader: []string{"machine_id", "ip_address", "updated_at", "validated", "version", "auth_type", "last_heartbeat", "os"},
		RawRow:    rawRow,
	}
}

func rawRow(m domain.Machine) []string {
	heartbeat := "-"
	if !m.LastHeartbeat.IsZero() {
		heartbeat = m.LastHeartbeat.Format(time.RFC3339)
	}
	return []string{
		m.ID, m.IPAddress, m.UpdatedAt.Format(time.RFC3339), strconv.FormatBool(m.Validated), m.Version,
		authType(m), heartbeat, m.OSName + "/" + m.OSVersion,
	}
}
