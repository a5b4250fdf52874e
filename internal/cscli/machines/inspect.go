package machines

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store/sql"
)

func newInspect(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "inspect <name>",
		Short:             "inspect a machine by name",
		Example:           "cscli machines inspect \"machine1\"",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *sql.Store, args []string) error {
			return inspect(ctx, s, db, args[0])
		}),
	}
}

func inspect(ctx context.Context, s *session.Session, db keeper, name string) error {
	m, err := db.Machine(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("unable to read machine data '%s': user '%s': user doesn't exist", name, name)
	}
	if err != nil {
		return fmt.Errorf("unable to read machine data '%s': %w", name, err)
	}
	switch s.Output {
	case session.JSON:
		return inspectJSON(s, m)
	case session.Raw:
		return s.Unsupported()
	case session.Human:
	}
	return s.Print(inspectTable(m, s.Fancy) + "\n")
}

func inspectTable(m domain.Machine, fancy bool) string {
	heartbeat := "-"
	if !m.LastHeartbeat.IsZero() {
		heartbeat = m.LastHeartbeat.String()
	}
	t := table.Full(fancy)
	t.Title("Machine: " + m.ID)
	t.Row("IP Address", m.IPAddress)
	t.Row("Created At", m.CreatedAt.String())
	t.Row("Last Update", m.UpdatedAt.String())
	t.Row("Last Heartbeat", heartbeat)
	t.Row("Validated?", strconv.FormatBool(m.Validated))
	t.Row("CrowdSec version", m.Version)
	t.Row("OS", osText(m))
	t.Row("Auth type", authType(m))
	return t.String()
}

func inspectJSON(s *session.Session, m domain.Machine) error {
	// Metrics are what the machine reported about its work; nothing is kept of it yet.
	return s.PrintJSONLine(struct {
		record
		Metrics struct{} `json:"metrics"`
	}{record: recordOf(m)})
}
