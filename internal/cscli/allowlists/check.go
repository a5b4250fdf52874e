package allowlists

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

func newCheck(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "check [value...]",
		Short:   "Check if a value is in an allowlist",
		Long:    "Say whether addresses or ranges are on an allowlist. The first that is not ends the command.",
		Example: "cscli allowlists check 1.2.3.4",
		Args:    session.Args(cobra.MinimumNArgs(1)),
		RunE:    runner.Run(check),
	}
}

func check(ctx context.Context, s *session.Session, values []string) error {
	client, err := s.ConfiguredClient()
	if err != nil {
		return err
	}
	for _, value := range values {
		result, err := client.CheckAllowlists(ctx, value)
		if err != nil {
			return fmt.Errorf("unable to check if %s is allowlisted: %w", value, err)
		}
		if !result.Allowlisted {
			return s.Printf("%s is not allowlisted\n", value)
		}
		if err := s.Printf("%s is allowlisted by item %s\n", value, result.Reason); err != nil {
			return err
		}
	}
	return nil
}
