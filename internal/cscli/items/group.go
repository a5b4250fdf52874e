package items

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
)

// New returns a group for each type of items.
func New(runner *session.Runner) []*cobra.Command {
	groups := make([]*cobra.Command, 0, len(hub.Kinds()))
	for _, kind := range hub.Kinds() {
		groups = append(groups, group{runner, kind}.command())
	}
	return groups
}

// group is the commands for one type of items.
type group struct {
	runner *session.Runner
	kind   hub.Kind
}

func (g group) command() *cobra.Command {
	aliases := []string{g.kind.Singular()}
	if strings.HasPrefix(string(g.kind), "appsec-") {
		aliases = append(aliases, "waf-"+strings.TrimPrefix(string(g.kind), "appsec-"))
	}
	return session.Group(
		&cobra.Command{
			Use:     string(g.kind) + " <action> [item]...",
			Aliases: aliases,
			Short:   "Manage hub " + string(g.kind),
			Long:    "Install, look at, upgrade and remove " + string(g.kind) + " of the hub, and list those of your own.",
			Example: g.examples("list -a", "install ITEM", "inspect ITEM", "upgrade --all", "remove ITEM"),
		},
		g.newInstall(), g.newRemove(), g.newUpgrade(), g.newInspect(), g.newList(),
	)
}

// examples returns command lines of the group; ITEM in them becomes an item, OTHER another one.
func (g group) examples(lines ...string) string {
	names := map[hub.Kind][2]string{
		hub.Parsers: {"shieldwall/sshd-logs", "shieldwall/nginx-logs"}, hub.Scenarios: {"shieldwall/ssh-bf", "shieldwall/http-probing"},
		hub.Collections: {"shieldwall/linux", "shieldwall/nginx"}, hub.Postoverflows: {"crowdsecurity/rdns", "crowdsecurity/cdn-whitelist"},
		hub.Contexts: {"crowdsecurity/http_base", "crowdsecurity/bf_base"},
	}[g.kind]
	if names[0] == "" {
		names = [2]string{"crowdsecurity/appsec-default", "crowdsecurity/crs"}
	}
	for i, line := range lines {
		lines[i] = "cscli " + string(g.kind) + " " + strings.NewReplacer("ITEM", names[0], "OTHER", names[1]).Replace(line)
	}
	return strings.Join(lines, "\n")
}

// body is what a command does with what is there.
type body func(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string) error

func (g group) run(do body) func(*cobra.Command, []string) error {
	return g.runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
		holdings, err := Survey(s)
		if err != nil {
			return err
		}
		return do(ctx, s, holdings, args)
	})
}

// complete completes the names that list returns. As published, what matches is told on standard error, too.
func (g group) complete(list func(*hub.Holdings, hub.Kind) []*hub.Holding) cobra.CompletionFunc {
	matching := g.runner.Complete(func(_ context.Context, s *session.Session) ([]string, error) {
		holdings, err := Survey(s)
		if err != nil {
			return nil, err
		}
		return names(list(holdings, g.kind)), nil
	})
	return func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		found, directive := matching(cmd, given, typed)
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "[Debug] %s: %v\n", g.kind, found)
		return found, directive
	}
}

func names(list []*hub.Holding) []string {
	all := make([]string, len(list))
	for i, item := range list {
		all[i] = item.Name
	}
	return all
}

// find returns the named items, each once.
func (g group) find(holdings *hub.Holdings, wanted []string) ([]*hub.Holding, error) {
	var found []*hub.Holding
	for _, name := range wanted {
		item := holdings.Find(hub.Ref{Kind: g.kind, Name: name})
		if item == nil {
			return nil, fmt.Errorf("can't find '%s' in %s", name, g.kind)
		}
		if !slices.Contains(found, item) {
			found = append(found, item)
		}
	}
	return found, nil
}

// chosen returns the named items, or with all those that are installed.
func (g group) chosen(holdings *hub.Holdings, args []string, all bool, verb string) ([]*hub.Holding, error) {
	switch {
	case all && len(args) > 0:
		return nil, errors.New("can't specify items and '--all' at the same time")
	case all:
		return holdings.Installed(g.kind), nil
	case len(args) == 0:
		return nil, fmt.Errorf("specify at least one %s to %s or '--all'", g.kind.Singular(), verb)
	}
	return g.find(holdings, args)
}
