// Package simulation holds the commands that choose which scenarios only pretend: their alerts are marked, and
// nobody enforces their decisions.
//
// It owns what enabling and disabling mean for simulation.yaml, and refuses names of scenarios that nobody knows. The
// log processor reads the file when it is reloaded.
package simulation

import (
	"context"

	"github.com/spf13/cobra"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
)

// New returns the group "simulation".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "simulation [command]",
			Short:   "Manage simulation status of scenarios",
			Long:    "Let scenarios raise alerts whose decisions nobody enforces: some of them, or all but some.",
			Example: "cscli simulation status\ncscli simulation enable shieldwall/ssh-bf\ncscli simulation disable shieldwall/ssh-bf",
		},
		newSwitch(runner, on), newSwitch(runner, off), newStatus(runner),
	)
}

func newSwitch(runner *session.Runner, to mode) *cobra.Command {
	var global bool
	name := to.String()[:len(to.String())-1] // "enable" of "enabled"
	cmd := &cobra.Command{
		Use:     name + " [scenario] [-global]",
		Short:   map[mode]string{on: "Let scenarios pretend", off: "Take scenarios seriously"}[to],
		Example: "cscli simulation " + name + " shieldwall/ssh-bf\ncscli simulation " + name + " --global",
	}
	cmd.ValidArgsFunction = runner.Complete(func(_ context.Context, s *session.Session) ([]string, error) {
		inventory, err := scan(s)
		if err != nil {
			return nil, err
		}
		return inventory.Names(hub.Scenarios), nil
	})
	cmd.RunE = runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
		if len(args) == 0 && !global {
			return cmd.Usage()
		}
		return change(ctx, s, request{to: to, global: global, scenarios: args})
	})
	cmd.Flags().BoolVarP(&global, "global", "g", false, name+" simulation for every scenario")
	return cmd
}

func newStatus(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show simulation mode status",
		Args:  session.Args(cobra.NoArgs),
		RunE: runner.Run(func(_ context.Context, s *session.Session, _ []string) error {
			settings, err := config.LoadSimulation(s.Config.Paths.SimulationPath)
			if err != nil {
				return err
			}
			if s.Output == session.JSON {
				return s.PrintJSONLine(recordOf(settings))
			}
			return s.Print(statusText(settings))
		}),
	}
}

func statusText(settings config.Simulation) string {
	if !settings.All && len(settings.Exclusions) == 0 {
		return "global simulation: disabled\n"
	}
	text := "global simulation: " + modeOf(settings.All).String() + "\n"
	if len(settings.Exclusions) == 0 {
		return text
	}
	if settings.All {
		text += "Scenarios not in simulation mode:\n"
	} else {
		text += "Scenarios in simulation mode:\n"
	}
	for _, name := range settings.Exclusions {
		text += "  - " + name + "\n"
	}
	return text
}

// scan knows what is installed.
func scan(s *session.Session) (*hub.Inventory, error) {
	paths := s.Config.Paths
	return hub.Scan(hub.Paths{HubDir: paths.HubDir, IndexPath: paths.IndexPath, ConfigDir: paths.ConfigDir}, s.Log)
}
