package lapi

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub"
)

func newStatus(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Check authentication to Local API (LAPI)",
		Args:  session.Args(cobra.NoArgs),
		RunE:  runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return status(ctx, s) }),
	}
}

func status(ctx context.Context, s *session.Session) error {
	creds, err := s.Credentials()
	if err != nil {
		return err
	}
	if err := s.Printf("Loaded credentials from %s\nTrying to authenticate with %s on %s\n",
		s.CredentialsPath(), identity(creds), creds.URL); err != nil {
		return err
	}
	inventory, err := scanHub(s)
	if err != nil {
		return err
	}
	client, err := s.Client(creds, func() []string { return inventory.Names(hub.Scenarios) })
	if err != nil {
		return fmt.Errorf("failed to authenticate to Local API (LAPI): %w", err)
	}
	if _, err := client.Login(ctx); err != nil {
		return fmt.Errorf("failed to authenticate to Local API (LAPI): %w", err)
	}
	return s.Print("You can successfully interact with Local API (LAPI)\n")
}

func identity(creds config.Credentials) string {
	if creds.CertPath != "" {
		return fmt.Sprintf("certificate %q", creds.CertPath)
	}
	return fmt.Sprintf("username %q", creds.Login)
}
