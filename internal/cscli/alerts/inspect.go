package alerts

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

func newInspect(runner *session.Runner) *cobra.Command {
	var details bool
	cmd := &cobra.Command{
		Use:     "inspect <alert_id>...",
		Short:   "Show info about an alert",
		Example: "cscli alerts inspect 123",
		Args:    session.Args(cobra.MinimumNArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return inspectAll(ctx, s, args, details)
		}),
	}
	cmd.Flags().BoolVarP(&details, "details", "d", false, "show the events of the alert")
	return cmd
}

func inspectAll(ctx context.Context, s *session.Session, args []string, details bool) error {
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	for _, arg := range args {
		id, err := parseID(arg)
		if err != nil {
			return err
		}
		alert, err := client.Alert(ctx, id)
		if err != nil {
			return fmt.Errorf("can't find alert with id %s: %w", arg, err)
		}
		if err := printAlert(s, alert, details); err != nil {
			return err
		}
	}
	return nil
}

func printAlert(s *session.Session, alert wire.Alert, details bool) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(alert)
	case session.Raw:
		text, err := yaml.Marshal(alert)
		if err != nil {
			return fmt.Errorf("encoding alert: %w", err)
		}
		return s.Print(string(text))
	case session.Human:
	}
	page := page{fancy: s.Fancy, columns: s.Columns}
	text := page.summary(alert) + page.decisions(alert) + page.context(alert.Meta)
	if details {
		text += page.events(alert.Events)
	}
	return s.Print(text)
}

// page is how an alert is shown.
type page struct {
	fancy   bool
	columns int // of the terminal, 0 for no limit
}

const rulerWidth = 96

// ruler begins an alert. It is as wide as published where there is room.
func (p page) ruler() string {
	if p.columns > 0 {
		return strings.Repeat("#", min(p.columns, rulerWidth))
	}
	return strings.Repeat("#", rulerWidth)
}

func (p page) summary(a wire.Alert) string {
	var text strings.Builder
	text.WriteString("\n" + p.ruler() + "\n\n")
	for _, line := range [][2]string{
		{"ID", strconv.FormatInt(a.ID, 10)},
		{"Date", a.CreatedAt},
		{"Machine", a.MachineID},
		{"Simulation", strconv.FormatBool(a.Simulated)},
		{"Remediation", strconv.FormatBool(a.Remediation)},
		{"Kind", a.Kind},
		{"Reason", a.Scenario},
		{"Events Count", strconv.Itoa(int(a.EventsCount))},
		{"Scope:Value", whole(a)},
		{"Country", cmp.Or(a.Source, &wire.Source{}).Cn},
		{"AS", a.Source.GetAsNumberName()},
		{"Begin", a.StartAt},
		{"End", a.StopAt},
		{"UUID", a.UUID},
	} {
		fmt.Fprintf(&text, " - %-12s : %s\n", line[0], line[1])
	}
	text.WriteString("\n")
	return text.String()
}

// whole says who the alert is about, however many decisions it has.
func whole(a wire.Alert) string {
	if a.GetValue() == "" {
		return a.GetScope()
	}
	return a.GetScope() + ":" + a.GetValue()
}

func (p page) decisions(a wire.Alert) string {
	t := table.Full(p.fancy)
	t.Title("Active Decisions")
	t.Header("ID", "scope:value", "action", "expiration", "created_at")
	active := 0
	for _, d := range a.Decisions {
		if expired(d) {
			continue
		}
		active++
		t.Row(strconv.FormatInt(d.ID, 10), d.Scope+":"+d.Value, d.Type, d.Duration, a.CreatedAt)
	}
	if active == 0 {
		return ""
	}
	return t.Fit(p.columns) + "\n"
}

// expired goes by the sign of the remaining time.
func expired(d wire.Decision) bool { return strings.HasPrefix(d.Duration, "-") }

func (p page) context(meta []wire.MetaItem) string {
	if len(meta) == 0 {
		return ""
	}
	return "\n - Context  :\n" + p.table(meta, values) + "\n"
}

func (p page) events(events []wire.Event) string {
	var text strings.Builder
	text.WriteString("\n - Events  :\n")
	for _, event := range events {
		text.WriteString("\n- Date: " + event.Timestamp + "\n")
		text.WriteString(p.table(event.Meta, func(text string) []string { return []string{text} }) + "\n")
	}
	return text.String()
}

// table shows the items by key, with a row for each text that split makes of a value.
func (p page) table(meta []wire.MetaItem, split func(string) []string) string {
	sorted := slices.SortedStableFunc(slices.Values(meta), func(a, b wire.MetaItem) int { return cmp.Compare(a.Key, b.Key) })
	t := table.Full(p.fancy)
	t.Header("Key", "Value")
	for _, item := range sorted {
		for _, value := range split(item.Value) {
			t.Row(item.Key, value)
		}
	}
	return t.Fit(p.columns)
}

// values returns the elements of a context value, which is a JSON list; any other text is one element.
func values(text string) []string {
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return []string{text}
	}
	return list
}
