package pki

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
)

func newRevoke(runner *session.Runner, place *place) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME|SERIAL",
		Short: "Revoke all certificates of a name, or the one with a serial number",
		Long: "Put all certificates of a name, or the one with a serial number, on the list of revoked ones (crl.pem). A Local API\n" +
			"whose crl_path or pki.dir leads there refuses them seconds later; on other machines, copy the list.",
		Example:           "cscli pki revoke agent-1",
		Args:              session.Args(cobra.ExactArgs(1)),
		ValidArgsFunction: runner.Complete(func(_ context.Context, s *session.Session) ([]string, error) { return place.names(s) }),
		RunE: runner.RunAnywhere(func(ctx context.Context, s *session.Session, args []string) error {
			authority, err := place.open(s)
			if err != nil {
				return err
			}
			revoked, err := authority.Revoke(args[0])
			if err != nil {
				return err
			}
			for _, c := range revoked {
				s.Info(ctx, "certificate %s of %s '%s' revoked", c.Serial, c.Kind, c.Name)
			}
			s.Info(ctx, "list of revoked certificates written to %s", filepath.Join(authority.Dir(), pki.CRLFile))
			return nil
		}),
	}
}
