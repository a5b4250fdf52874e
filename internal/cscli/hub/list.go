package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/items"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub"
)

type listOptions struct {
	all, full bool
	status    []string
}

func newList(runner *session.Runner) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:     "list [-a]",
		Short:   "List all installed configurations",
		Long:    "Show installed collections as a tree, and installed items that belong to none.",
		Example: "cscli hub list\ncscli hub list --full\ncscli hub list --status outdated,tainted\ncscli hub list -a -o raw",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			return list(ctx, s, o)
		}),
	}
	set := cmd.Flags()
	set.BoolVarP(&o.all, "all", "a", false, "List all available items, including those not installed")
	set.BoolVar(&o.full, "full", false, "show every item of each collection")
	set.StringSliceVar(&o.status, "status", nil, "only items with one of these states: "+strings.Join(states(), ", "))
	cmd.MarkFlagsMutuallyExclusive("all", "full")
	return cmd
}

func newSearch(runner *session.Runner) *cobra.Command {
	var status []string
	cmd := &cobra.Command{
		Use:     "search <term>...",
		Short:   "Search items by name and description",
		Long:    "List the items of the hub, installed or not, whose name or description has all the terms in it.",
		Example: "cscli hub search ssh\ncscli hub search wordpress bf --status not-installed",
		Args:    session.Args(cobra.MinimumNArgs(1)),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
			return search(ctx, s, args, status)
		}),
	}
	cmd.Flags().StringSliceVar(&status, "status", nil, "only items with one of these states: "+strings.Join(states(), ", "))
	return cmd
}

// states are the values of --status, in the order in which an error lists them.
func states() []string {
	return []string{"installed", "not-installed", "up-to-date", "outdated", "tainted", "local"}
}

// survey checks the states, too.
func survey(ctx context.Context, s *session.Session, status []string) (*hub.Holdings, error) {
	for _, one := range status {
		if !slices.Contains(states(), one) {
			return nil, fmt.Errorf("invalid status %q (valid values: %s)", one, strings.Join(states(), ", "))
		}
	}
	holdings, err := items.Survey(s)
	if err != nil {
		return nil, err
	}
	tell(ctx, s, holdings)
	return holdings, nil
}

func list(ctx context.Context, s *session.Session, o listOptions) error {
	holdings, err := survey(ctx, s, o.status)
	if err != nil {
		return err
	}
	all := o.all || slices.Contains(o.status, "not-installed")
	chosen := choose(holdings, func(item *hub.Holding) bool { return (all || item.Installed) && hasState(item, o.status) })
	if s.Output != session.Human {
		return printMachine(s, chosen)
	}
	if len(flat(chosen)) == 0 {
		return s.Print("No items to display\n")
	}
	t := table.Light(s.Fancy)
	t.Header("Type", "Name", items.StatusHeader, "Version", "Details")
	if all || len(o.status) > 0 {
		for _, item := range flat(chosen) {
			t.Row(string(item.Kind), item.Name, statusCell(item), versionCell(item), trouble(item))
		}
		return s.PrintTables(t)
	}
	tree{table: t, holdings: holdings, full: o.full, shown: map[*hub.Holding]bool{}}.draw()
	return s.PrintTables(t)
}

func search(ctx context.Context, s *session.Session, terms, status []string) error {
	holdings, err := survey(ctx, s, status)
	if err != nil {
		return err
	}
	chosen := choose(holdings, func(item *hub.Holding) bool { return matches(item, terms) && hasState(item, status) })
	if s.Output != session.Human {
		return printMachine(s, chosen)
	}
	if len(flat(chosen)) == 0 {
		return s.Print("No matching items\n")
	}
	t := table.Light(s.Fancy)
	t.Header("Type", "Name", items.StatusHeader, "Version", "Description")
	for _, item := range flat(chosen) {
		t.Row(string(item.Kind), item.Name, statusCell(item), versionCell(item), item.Description)
	}
	return s.PrintTables(t)
}

func matches(item *hub.Holding, terms []string) bool {
	text := strings.ToLower(item.Name + "\n" + item.Description)
	return !slices.ContainsFunc(terms, func(term string) bool { return !strings.Contains(text, strings.ToLower(term)) })
}

func hasState(item *hub.Holding, status []string) bool {
	return len(status) == 0 || slices.Contains(status, items.Word(item)) || item.Installed && slices.Contains(status, "installed")
}

func choose(holdings *hub.Holdings, wanted func(*hub.Holding) bool) map[hub.Kind][]*hub.Holding {
	chosen := map[hub.Kind][]*hub.Holding{}
	for _, kind := range hub.Kinds() {
		chosen[kind] = slices.DeleteFunc(holdings.All(kind), func(item *hub.Holding) bool { return !wanted(item) })
	}
	return chosen
}

func flat(chosen map[hub.Kind][]*hub.Holding) (all []*hub.Holding) {
	for _, kind := range hub.Kinds() {
		all = append(all, chosen[kind]...)
	}
	return all
}

// printMachine prints items for programs: JSON with all types, or CSV.
func printMachine(s *session.Session, chosen map[hub.Kind][]*hub.Holding) error {
	if s.Output == session.JSON {
		records := map[hub.Kind][]items.Record{}
		for _, kind := range hub.Kinds() {
			records[kind] = items.Records(chosen[kind])
		}
		return s.PrintJSON(records, " ")
	}
	var rows [][]string
	for _, item := range flat(chosen) {
		rows = append(rows, []string{item.Name, items.Compound(item), item.LocalVersion, item.Description, string(item.Kind)})
	}
	return s.PrintCSV([]string{"name", "status", "version", "description", "type"}, rows)
}

func statusCell(item *hub.Holding) string { return items.Mark(item) + "  " + items.Word(item) }

// versionCell is the version that lies here, or would be installed.
func versionCell(item *hub.Holding) string {
	if item.LocalVersion == "" && item.Offer != nil {
		return item.Offer.Version
	}
	return item.LocalVersion
}

// trouble is why an item is tainted or outdated.
func trouble(item *hub.Holding) string {
	switch {
	case item.Edited():
		return "edited locally"
	case item.Installed && item.Offer != nil && !item.Current():
		return item.LocalVersion + " → " + item.Offer.Version
	}
	return ""
}
