package cscli

import (
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

func newVersion(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Display version",
		Args:  session.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), runner.Env.Build.Text(components()))
			return err
		},
	}
}

// components lists the optional parts that this binary contains.
func components() []string { return []string{"db_sqlite"} }
