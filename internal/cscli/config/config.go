// Package config holds the commands that show the configuration: as it is in force, as it is written, and which
// experimental features are on.
package config

import (
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "config".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "config [command]",
			Short: "Allows to view current config",
			Long:  "Show the configuration: as it is in force, as it is written, or one value of it.",
		},
		newShow(runner), newShowYAML(runner), newFeatureFlags(runner), newRemoved(runner, "backup"), newRemoved(runner, "restore"),
	)
}

// newRemoved returns a command that says what to do instead, as published.
func newRemoved(runner *session.Runner, name string) *cobra.Command {
	return &cobra.Command{
		Use:                name,
		Short:              "Removed: copy the configuration folder instead",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := runner.ConfigDir()
			return fmt.Errorf("'cscli config %s' has been removed, you can manually backup/restore %s instead", name, dir)
		},
	}
}
