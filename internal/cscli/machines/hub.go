package machines

import (
	"maps"
	"slices"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/wire"
)

// inspectHub shows the hub items of a machine, by kind.
func inspectHub(s *session.Session, items map[string][]wire.HubItemUsage) error {
	kinds := slices.Sorted(maps.Keys(items))
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(items)
	case session.Raw:
		return inspectHubRaw(s, kinds, items)
	case session.Human:
	}
	var tables []*table.Table
	for _, kind := range kinds {
		if len(items[kind]) > 0 {
			tables = append(tables, hubTable(kind, items[kind], s.Fancy))
		}
	}
	if len(tables) == 0 {
		return s.Print("No hub items found for this machine\n")
	}
	return s.PrintTables(tables...)
}

func hubTable(kind string, items []wire.HubItemUsage, fancy bool) *table.Table {
	t := table.Full(fancy)
	t.Title(kind)
	t.LeftHeader("Name", "Status", "Version")
	for _, item := range items {
		t.Row(item.Name, item.Status, item.Version)
	}
	return t
}

func inspectHubRaw(s *session.Session, kinds []string, items map[string][]wire.HubItemUsage) error {
	var rows [][]string
	for _, kind := range kinds {
		for _, item := range items[kind] {
			rows = append(rows, []string{kind, item.Name, item.Status, item.Version})
		}
	}
	return s.PrintCSV([]string{"type", "name", "status", "version"}, rows)
}
