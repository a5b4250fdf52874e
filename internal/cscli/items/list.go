package items

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub"
)

func (g group) newList() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:               "list [item... | -a]",
		Short:             "List " + string(g.kind),
		Long:              "List installed " + string(g.kind) + ", the named ones, or all that the hub has.",
		Example:           g.examples("list", "list -a", "list ITEM OTHER", "list -o raw"),
		ValidArgsFunction: g.complete((*hub.Holdings).All),
		RunE: g.run(func(_ context.Context, s *session.Session, holdings *hub.Holdings, args []string) error {
			list, err := g.listed(holdings, args, all)
			if err != nil {
				return err
			}
			return g.print(s, list)
		}),
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list disabled items as well")
	return cmd
}

func (g group) listed(holdings *hub.Holdings, args []string, all bool) ([]*hub.Holding, error) {
	if len(args) == 0 {
		if all {
			return holdings.All(g.kind), nil
		}
		return holdings.Installed(g.kind), nil
	}
	var found []*hub.Holding
	var unknown []string
	for _, name := range args {
		if item := holdings.Find(hub.Ref{Kind: g.kind, Name: name}); item != nil {
			found = append(found, item)
		} else {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("item(s) '%s' not found in %s", strings.Join(unknown, ", "), g.kind)
	}
	return found, nil
}

func (g group) print(s *session.Session, list []*hub.Holding) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSON(map[hub.Kind][]Record{g.kind: Records(list)}, " ")
	case session.Raw:
		rows := make([][]string, len(list))
		for i, item := range list {
			rows[i] = []string{item.Name, Compound(item), item.LocalVersion, item.Description}
		}
		return s.PrintCSV([]string{"name", "status", "version", "description"}, rows)
	case session.Human:
	}
	t := table.Light(s.Fancy)
	t.Title(strings.ToUpper(string(g.kind)))
	t.Header("Name", StatusHeader, "Version", "Local Path")
	for _, item := range list {
		t.Row(item.Name, Mark(item)+"  "+Compound(item), item.LocalVersion, item.LocalPath)
	}
	return s.PrintTables(t)
}
