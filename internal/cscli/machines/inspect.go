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
	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/localapi/store/sql"
)

func newInspect(runner *session.Runner) *cobra.Command {
	var hub bool
	cmd := &cobra.Command{
		Use:               "inspect <name>",
		Short:             "inspect a machine by name",
		Example:           "cscli machines inspect \"machine1\"",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(names),
		RunE: runner.RunOnStore(func(ctx context.Context, s *session.Session, db *sql.Store, args []string) error {
			m, err := find(ctx, db, args[0])
			if err != nil {
				return err
			}
			if hub {
				return inspectHub(s, m)
			}
			return inspect(ctx, s, db, m)
		}),
	}
	cmd.Flags().BoolVarP(&hub, "hub", "H", false, "show the hub items that are installed there")
	return cmd
}

func find(ctx context.Context, db keeper, name string) (domain.Machine, error) {
	m, err := db.Machine(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return m, fmt.Errorf("unable to read machine data '%s': user '%s': user doesn't exist", name, name)
	}
	if err != nil {
		return m, fmt.Errorf("unable to read machine data '%s': %w", name, err)
	}
	return m, nil
}

// reports is where machines report what they do.
type reports interface {
	UsageReports(ctx context.Context, since time.Time) ([]domain.UsageReport, error)
}

func inspect(ctx context.Context, s *session.Session, db reports, m domain.Machine) error {
	if s.Output == session.Raw {
		return s.Unsupported()
	}
	all, err := db.UsageReports(ctx, time.Time{})
	if err != nil {
		return err
	}
	done := workOf(m.ID, all)
	if s.Output == session.JSON {
		return s.PrintJSONLine(struct {
			record
			Metrics work `json:"metrics"`
		}{recordOf(m), done})
	}
	text := inspectTable(m, s.Fancy) + "\n"
	for _, t := range done.tables(s.Fancy) {
		text += t.String() + "\n"
	}
	return s.Print(text)
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
	var sources, collections []string
	counts := datasources(m)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		sources = append(sources, fmt.Sprintf("%s: %d", name, counts[name]))
	}
	for _, item := range hubState(m)["collections"] {
		collections = append(collections, item.Name)
	}
	addRows(t, "Datasources", sources)
	addRows(t, "Feature Flags", m.FeatureFlags)
	addRows(t, "Collections", collections)
	return t.String()
}

// addRows adds a row for each value, the name only to the first.
func addRows(t *table.Table, name string, values []string) {
	for _, value := range values {
		t.Row(name, value)
		name = ""
	}
}

func inspectHub(s *session.Session, m domain.Machine) error {
	state := hubState(m)
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(state)
	case session.Raw:
		return inspectHubRaw(s, m)
	case session.Human:
	}
	text := ""
	for _, kind := range slices.Sorted(maps.Keys(state)) {
		if len(state[kind]) == 0 {
			continue
		}
		t := table.Full(s.Fancy)
		t.Title(kind)
		t.Header("Name", "Status", "Version")
		for _, item := range state[kind] {
			t.Row(item.Name, item.Status, item.Version)
		}
		text += t.String() + "\n"
	}
	if text == "" {
		text = "No hub items found for this machine\n"
	}
	return s.Print(text)
}

func inspectHubRaw(s *session.Session, m domain.Machine) error {
	var rows [][]string
	state := hubState(m)
	for _, kind := range slices.Sorted(maps.Keys(state)) {
		for _, item := range state[kind] {
			rows = append(rows, []string{kind, item.Name, item.Status, item.Version})
		}
	}
	return s.PrintCSV([]string{"type", "name", "status", "version"}, rows)
}
