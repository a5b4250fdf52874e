package machines

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/cscli/usage"
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
)

func newInspect(runner *session.Runner) *cobra.Command {
	var hub bool
	cmd := &cobra.Command{
		Use:               "inspect <name>",
		Short:             "inspect a machine by name",
		Example:           "cscli machines inspect \"machine1\"",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.CompleteOnStore(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *session.Store, args []string) error {
			m, err := find(ctx, s, db, args[0])
			if err != nil {
				return err
			}
			if hub {
				return inspectHub(s, hubState(m))
			}
			return inspect(ctx, s, db, m)
		}),
	}
	cmd.Flags().BoolVarP(&hub, "hub", "H", false, "show the hub items that are installed there")
	return cmd
}

func find(ctx context.Context, s *session.Session, db *session.Store, name string) (domain.Machine, error) {
	m, err := db.Machine(ctx, name)
	if fault.Is(err, fault.NotFound) {
		s.Warn(ctx, "QueryMachineByID : ent: machine not found") // the text that scripts know
		return m, fmt.Errorf("unable to read machine data '%s': user '%s': user doesn't exist", name, name)
	}
	if err != nil {
		return m, fmt.Errorf("unable to read machine data '%s': %w", name, err)
	}
	return m, nil
}

func inspect(ctx context.Context, s *session.Session, db *session.Store, m domain.Machine) error {
	if s.Output == session.Raw {
		return s.Unsupported()
	}
	reports, err := db.UsageReports(ctx, time.Time{})
	if err != nil {
		return err
	}
	done := usage.Machines(reports)[m.ID]
	if s.Output == session.JSON {
		return s.PrintJSONLine(struct {
			record
			Metrics usage.Work `json:"metrics"`
		}{recordOf(m), done})
	}
	return s.PrintTables(append([]*table.Table{inspectTable(m, s.Fancy)}, workTables(done, s.Fancy)...)...)
}

func inspectTable(m domain.Machine, fancy bool) *table.Table {
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
	var sources, collections []string
	counts := datasources(m)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		sources = append(sources, fmt.Sprintf("%s: %d", name, counts[name]))
	}
	for _, item := range hubState(m)["collections"] {
		collections = append(collections, item.Name)
	}
	t.Rows("Datasources", sources)
	t.Rows("Feature Flags", m.FeatureFlags)
	t.Rows("Collections", collections)
	return t
}
