package items

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/plan"
)

func (g group) newRemove() *cobra.Command {
	var work Work
	var o plan.Options
	cmd := &cobra.Command{
		Use:               "remove <item>...",
		Aliases:           []string{"delete"},
		Short:             "Remove given " + g.kind.Singular() + "(s)",
		Long:              "Disable items; with a collection goes what nothing else needs. Files of your own are never deleted.",
		Example:           g.examples("remove ITEM OTHER", "remove ITEM --purge", "remove --all"),
		ValidArgsFunction: g.complete((*hub.Holdings).Installed),
		RunE: g.run(func(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string) error {
			o.Force = work.Force
			found, err := g.chosen(holdings, args, o.All, "remove")
			if err != nil {
				return err
			}
			p, err := plan.Remove(holdings, found, o)
			if err != nil {
				return err
			}
			return work.Do(ctx, s, holdings, p)
		}),
	}
	set := cmd.Flags()
	set.BoolVarP(&work.Interactive, "interactive", "i", false, "ask for confirmation before proceeding")
	set.BoolVar(&work.DryRun, "dry-run", false, "don't install or remove anything; print the execution plan")
	set.BoolVar(&o.Purge, "purge", false, "delete source file too")
	set.BoolVar(&work.Force, "force", false, "force remove: remove tainted and outdated files")
	set.BoolVar(&o.All, "all", false, "remove all the "+string(g.kind))
	cmd.MarkFlagsMutuallyExclusive("interactive", "dry-run")
	return cmd
}

func (g group) newUpgrade() *cobra.Command {
	var work Work
	var o plan.Options
	cmd := &cobra.Command{
		Use:               "upgrade <item>...",
		Short:             "Upgrade given " + g.kind.Singular() + "(s)",
		Long:              "Bring installed items and their data files up to date. What was changed by hand is left alone unless that is forced.",
		Example:           g.examples("upgrade ITEM OTHER", "upgrade --all --dry-run", "upgrade ITEM --force"),
		ValidArgsFunction: g.complete((*hub.Holdings).Installed),
		RunE: g.run(func(ctx context.Context, s *session.Session, holdings *hub.Holdings, args []string) error {
			o.Force = work.Force
			found, err := g.chosen(holdings, args, o.All, "upgrade")
			if err != nil {
				return err
			}
			return work.Do(ctx, s, holdings, plan.Upgrade(holdings, found, o))
		}),
	}
	set := cmd.Flags()
	set.BoolVarP(&work.Interactive, "interactive", "i", false, "ask for confirmation before proceeding")
	set.BoolVar(&work.DryRun, "dry-run", false, "don't install or remove anything; print the execution plan")
	set.BoolVarP(&o.All, "all", "a", false, "upgrade all the "+string(g.kind))
	set.BoolVar(&work.Force, "force", false, "force upgrade: overwrite tainted and outdated files")
	cmd.MarkFlagsMutuallyExclusive("interactive", "dry-run")
	return cmd
}
