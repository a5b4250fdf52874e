package pki

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/listing"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/pki"
)

func newList(runner *session.Runner, place *place) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the certificates that were issued",
		Long: "List the certificates that were issued, but for those that have expired a month ago. 'expiring' means that two thirds\n" +
			"of the lifetime are over: programs that can renew their certificate have tried to.",
		Example: "cscli pki list\ncscli pki list -o json",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunAnywhere(func(_ context.Context, s *session.Session, _ []string) error {
			authority, err := place.open(s)
			if err != nil {
				return err
			}
			all, err := authority.Certificates()
			if err != nil {
				return err
			}
			return listAt(s.Now()).Print(s, all)
		}),
	}
}

// record is a certificate as JSON.
type record struct {
	Name      string    `json:"name"`
	Kind      pki.Kind  `json:"kind"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	State     pki.State `json:"state"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	File      string    `json:"file,omitempty"`
}

// listAt is the list of certificates as it looks now.
func listAt(now time.Time) listing.List[pki.Certificate] {
	text := func(t time.Time) string { return t.Format(time.RFC3339) }
	return listing.List[pki.Certificate]{
		Record: func(c pki.Certificate) any {
			return record{
				Name: c.Name, Kind: c.Kind, Serial: c.Serial, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
				State: c.State(now), RevokedAt: c.RevokedAt, File: c.File,
			}
		},
		Header: []string{"Name", "Kind", "Serial", "Not Before", "Not After", "State"},
		Row: func(c pki.Certificate) []string {
			return []string{c.Name, string(c.Kind), c.Serial, text(c.NotBefore), text(c.NotAfter), marked(c.State(now))}
		},
		RawHeader: []string{"name", "kind", "serial", "not_before", "not_after", "state"},
		RawRow: func(c pki.Certificate) []string {
			return []string{c.Name, string(c.Kind), c.Serial, text(c.NotBefore), text(c.NotAfter), string(c.State(now))}
		},
	}
}

// marked says at a glance what is good, and what needs somebody to look after it.
func marked(state pki.State) string {
	switch state {
	case pki.Valid:
		return table.Check + " " + string(state)
	case pki.Expiring:
		return table.Warning + " " + string(state)
	case pki.Expired, pki.Revoked:
	}
	return table.Prohibited + " " + string(state)
}
