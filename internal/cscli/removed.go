package cscli

import (
	"errors"

	"github.com/spf13/cobra"
)

// newDashboard returns a command that scripts may still call, to be told that it is gone.
func newDashboard() *cobra.Command {
	return &cobra.Command{
		Use:                "dashboard",
		Short:              "Removed",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("command 'dashboard' has been removed, please read https://docs.crowdsec.net/blog/cscli_dashboard_deprecation/")
		},
	}
}
