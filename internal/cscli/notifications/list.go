package notifications

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
)

const defaultTimeout = 5 * time.Second

// record is a notification in JSON.
type record struct {
	PluginConfig map[string]any `json:"plugin_config"`
	Profiles     []string       `json:"associated_profiles"`
}

func recordOf(n notification) record {
	return record{PluginConfig: n.Document, Profiles: append([]string{}, n.Profiles...)}
}

func newList(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list notifications plugins",
		Example: "cscli notifications list",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(_ context.Context, s *session.Session, _ []string) error { return list(s) }),
	}
}

func list(s *session.Session) error {
	all, err := load(s)
	if err != nil {
		return err
	}
	// Those that most profiles use come first.
	slices.SortStableFunc(all, func(a, b notification) int { return cmp.Compare(len(b.Profiles), len(a.Profiles)) })
	if s.Output == session.JSON {
		records := map[string]record{}
		for _, n := range all {
			records[n.Name] = recordOf(n)
		}
		return s.PrintJSONLine(records)
	}
	return listing.List[notification]{
		Header: []string{"Active", "Name", "Type", "Profile name"},
		Row: func(n notification) []string {
			return []string{mark(len(n.Profiles) > 0), n.Name, n.Type, strings.Join(n.Profiles, ", ")}
		},
		RawHeader: []string{"Name", "Type", "Profile name"},
		RawRow:    func(n notification) []string { return []string{n.Name, n.Type, strings.Join(n.Profiles, ", ")} },
	}.Print(s, all)
}

func mark(active bool) string {
	if active {
		return table.Check
	}
	return table.Prohibited
}

func newInspect(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:               "inspect",
		Short:             "Inspect notifications plugin",
		Example:           "cscli notifications inspect <plugin_name>",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(names),
		RunE: runner.Run(func(_ context.Context, s *session.Session, args []string) error {
			all, err := load(s)
			if err != nil {
				return err
			}
			n, ok := find(all, args[0])
			if !ok {
				return fmt.Errorf("plugin '%s' does not exist or is not active", args[0])
			}
			if s.Output != session.Human {
				return s.PrintJSONLine(recordOf(n))
			}
			return s.Print(details(n))
		}),
	}
}

// details lists what is known of every notification first, and then what is special to its type.
func details(n notification) string {
	rest := maps.Clone(n.Document)
	var text strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&text, " - %15s: %15s\n", name, fmt.Sprint(value)) }
	line("Type", n.Type)
	line("Name", n.Name)
	line("Timeout", cmp.Or(word(rest["timeout"]), defaultTimeout.String()))
	line("Format", word(rest["format"]))
	for _, known := range []string{"type", "name", "timeout", "format"} {
		delete(rest, known)
	}
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		line(key, rest[key])
	}
	return text.String()
}
