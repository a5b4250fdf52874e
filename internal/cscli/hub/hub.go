// Package hub holds the commands for the hub as a whole: what it offers and what is installed, the index, upgrades, and
// mirrors for machines without internet.
//
// It owns the overview and the copies; single items are in internal/cscli/items.
package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/items"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/plan"
)

// New returns the group "hub".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "hub [action]",
			Short: "Manage hub index",
			Long: "See what the hub offers and what is installed, get the latest index, upgrade what is installed, and make mirrors.\n" +
				"What comes with this program is always offered, without any network.",
			Example: "cscli hub list\ncscli hub update\ncscli hub upgrade\ncscli hub mirror /srv/hub",
		},
		newList(runner), newSearch(runner), newTypes(runner), newBranch(runner), newUpdate(runner), newUpgrade(runner), newMirror(runner),
	)
}

func newTypes(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "types",
		Short: "List supported item types",
		Long:  "List the types of items, in the order in which they are loaded.",
		Args:  session.Args(cobra.NoArgs),
		RunE: runner.Run(func(_ context.Context, s *session.Session, _ []string) error {
			return printTypes(s)
		}),
	}
}

func printTypes(s *session.Session) error {
	kinds := hub.Kinds()
	switch s.Output {
	case session.JSON:
		text, err := json.Marshal(kinds)
		if err != nil {
			return fmt.Errorf("encoding output: %w", err)
		}
		return s.Print(string(text) + "\n")
	case session.Raw:
		for _, kind := range kinds {
			if err := s.Print(string(kind) + "\n"); err != nil {
				return err
			}
		}
		return nil
	case session.Human:
	}
	text, err := yaml.Marshal(kinds)
	if err != nil {
		return fmt.Errorf("encoding output: %w", err)
	}
	return s.Print(string(text))
}

func newBranch(runner *session.Runner) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "branch",
		Short: "Show selected hub branch",
		Long:  "Print the branch of the hub that is used: that of --branch, of cscli.hub_branch, or master.",
		Args:  session.Args(cobra.NoArgs),
		RunE: runner.Run(func(_ context.Context, s *session.Session, _ []string) error {
			return s.Print(items.Branch(s) + "\n")
		}),
	}
	cmd.Flags().BoolP("all", "a", false, "published flag without effect")
	return cmd
}

func newUpgrade(runner *session.Runner) *cobra.Command {
	var work items.Work
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Upgrade all configurations to their latest version",
		Long: "Bring all installed items and their data files up to date with the index: see 'cscli hub update'. What was changed by\n" +
			"hand is left alone unless that is forced. Nothing is printed on standard output when there is nothing to do with --error.",
		Example: "cscli hub upgrade\ncscli hub upgrade --dry-run\ncscli hub upgrade --force",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			holdings, err := items.Survey(s)
			if err != nil {
				return err
			}
			var installed []*hub.Holding
			for _, kind := range hub.Kinds() {
				installed = append(installed, holdings.Installed(kind)...)
			}
			return work.Do(ctx, s, holdings, plan.Upgrade(holdings, installed, plan.Options{Force: work.Force, All: true}))
		}),
	}
	set := cmd.Flags()
	set.BoolVarP(&work.Interactive, "interactive", "i", false, "ask for confirmation before proceeding")
	set.BoolVar(&work.DryRun, "dry-run", false, "don't install or remove anything; print the execution plan")
	set.BoolVar(&work.Force, "force", false, "force upgrade: overwrite tainted and outdated files, always update data files")
	cmd.MarkFlagsMutuallyExclusive("interactive", "dry-run")
	return cmd
}

// tell logs what there is, as published.
func tell(ctx context.Context, s *session.Session, holdings *hub.Holdings) {
	var loaded []string
	local, tainted := 0, 0
	for _, kind := range hub.Kinds() {
		if count := holdings.Count(kind); count > 0 {
			loaded = append(loaded, fmt.Sprintf("%d %s", count, kind))
		}
		for _, item := range holdings.Installed(kind) {
			if item.Local {
				local++
			}
			if item.Tainted {
				tainted++
			}
		}
	}
	s.Info(ctx, "Loaded: %s", strings.Join(loaded, ", "))
	if local+tainted > 0 {
		s.Info(ctx, "Unmanaged items: %d local, %d tainted", local, tainted)
	}
}
