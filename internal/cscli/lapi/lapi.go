// Package lapi holds the commands with which a machine joins its Local API, tries the connection, and sees which Local APIs
// there are, and those on what its log processor sends along with alerts.
package lapi

import (
	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "lapi".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "lapi [action]",
			Short: "Manage interaction with Local API (LAPI)",
		},
		newRegister(runner), newJoin(runner), newStatus(runner), newNodes(runner), newContext(runner),
	)
}
