package cscli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/logprocessor/acquisition/all"
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

// components lists the optional parts that this binary contains, by name.
func components() []string {
	parts := []string{"cscli_setup", "db_mysql", "db_postgres", "db_sqlite"}
	for kind := range all.Registry() {
		parts = append(parts, "datasource_"+kind)
	}
	slices.Sort(parts)
	return parts
}
