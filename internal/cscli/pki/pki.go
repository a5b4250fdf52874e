// Package pki holds the commands on an authority of one's own: they work on its folder, which is on the machine of the
// Local API or anywhere else. What an authority is and does is in internal/pki.
package pki

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
)

const defaultDir = "/etc/crowdsec/pki" // where there is no configuration

// New returns the group "pki".
func New(runner *session.Runner) *cobra.Command {
	var place place
	group := session.Group(
		&cobra.Command{
			Use:   "pki [action]",
			Short: "Manage certificates of your own authority",
			Long: "Make an authority, issue, renew and revoke certificates for Local APIs, log processors and bouncers,\n" +
				"and make tokens with which a new machine fetches its own (cscli lapi join).",
			Example: "cscli pki init\ncscli pki issue server lapi --host 10.0.0.1 --host lapi.example.com\ncscli pki token --kind agent",
		},
		newInit(runner, &place), newIssue(runner, &place), newRenew(runner, &place), newRevoke(runner, &place),
		newList(runner, &place), newToken(runner, &place),
	)
	group.PersistentFlags().StringVar(&place.dir, "dir", "", "folder of the authority (default: pki in the folder of the configuration)")
	return group
}

// place says where the authority is.
type place struct{ dir string }

func (p *place) folder(s *session.Session) string {
	switch {
	case p.dir != "":
		return p.dir
	case s.Config.Paths.ConfigDir != "":
		return filepath.Join(s.Config.Paths.ConfigDir, "pki")
	}
	return defaultDir
}

func (p *place) open(s *session.Session) (*pki.Authority, error) {
	return pki.Open(p.folder(s), optionsOf(s))
}

func optionsOf(s *session.Session) pki.Options { return pki.Options{Now: s.Now, Random: s.Random} }

// names completes the names of certificates.
func (p *place) names(s *session.Session) ([]string, error) {
	authority, err := p.open(s)
	if err != nil {
		return nil, err
	}
	all, err := authority.Certificates()
	var names []string
	for _, c := range all {
		if len(names) == 0 || names[len(names)-1] != c.Name {
			names = append(names, c.Name)
		}
	}
	return names, err
}
