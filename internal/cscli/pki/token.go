package pki

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/duration"
)

type tokenOptions struct {
	kind string
	ttl  string
	name string
}

func newToken(runner *session.Runner, place *place) *cobra.Command {
	var options tokenOptions
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make a token with which a machine fetches its own certificate, once",
		Long: "Make a token with which a machine fetches its own certificate, once: cscli lapi join URL TOKEN. It says which authority\n" +
			"to trust, so that the machine tells nobody else. Only a hash is kept here: the token is shown this one time.",
		Example: "cscli pki token --kind agent\ncscli pki token --kind bouncer --name bouncer-web-1 --ttl 10m",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunAnywhere(func(_ context.Context, s *session.Session, _ []string) error {
			authority, err := place.open(s)
			if err != nil {
				return err
			}
			return invite(s, authority, options)
		}),
	}
	set := cmd.Flags()
	set.StringVar(&options.kind, "kind", "", "what joins: agent or bouncer")
	set.StringVar(&options.ttl, "ttl", "1h", "how long the token may be used")
	set.StringVar(&options.name, "name", "", "name of the certificate (default: the machine says it)")
	_ = cmd.MarkFlagRequired("kind") // fails only for a flag that does not exist
	return cmd
}

func invite(s *session.Session, authority *pki.Authority, options tokenOptions) error {
	kind, err := pki.ParseKind(options.kind)
	if err != nil {
		return err
	}
	ttl, err := duration.Parse(options.ttl)
	if err != nil {
		return err
	}
	token, expires, err := authority.Invite(pki.Invitation{Kind: kind, Name: options.name, TTL: ttl})
	if err != nil {
		return err
	}
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(struct {
			Token   string    `json:"token"`
			Kind    pki.Kind  `json:"kind"`
			Name    string    `json:"name,omitempty"`
			Expires time.Time `json:"expires"`
		}{token.Text(), kind, options.name, expires})
	case session.Raw:
		return s.Print(token.Text() + "\n")
	case session.Human:
	}
	return s.Printf("Join token, good once until %s:\n%s\n\nOn the new machine:\n  cscli lapi join https://<this Local API>:8080 %s\n",
		expires.Format(time.RFC3339), token.Text(), token.Text())
}
