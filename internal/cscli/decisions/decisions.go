// Package decisions holds the commands on decisions: they ask the Local API over HTTP, as the machine whose
// credentials are configured.
package decisions

import (
	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// New returns the group "decisions".
func New(runner *session.Runner) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:     "decisions [action]",
			Aliases: []string{"decision"},
			Short:   "Manage decisions",
			Long:    "List, add and delete the decisions that remediation components enforce.",
		},
		newList(runner), newAdd(runner), newDelete(runner), newImport(runner), newInspect(runner),
	)
}
