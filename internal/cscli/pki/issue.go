package pki

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/duration"
)

type issueOptions struct {
	hosts    []string
	out      string
	lifetime string
}

func newIssue(runner *session.Runner, place *place) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "issue [kind]",
			Short: "Issue a certificate, with a key that is made here",
			Long: "Issue a certificate, with a key that is made here. It is written to NAME.pem, with the intermediate behind it, and its\n" +
				"key to NAME-key.pem. A machine that can reach the Local API better makes its key itself: see 'cscli pki token'.",
		},
		newIssueKind(runner, place, pki.Server, "Issue a certificate for a Local API"),
		newIssueKind(runner, place, pki.Agent, "Issue a certificate for a log processor"),
		newIssueKind(runner, place, pki.Bouncer, "Issue a certificate for a bouncer"),
	)
}

func newIssueKind(runner *session.Runner, place *place, kind pki.Kind, short string) *cobra.Command {
	var options issueOptions
	cmd := &cobra.Command{
		Use:     string(kind) + " NAME",
		Short:   short,
		Example: fmt.Sprintf("cscli pki issue %s %s-1", kind, kind),
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.RunAnywhere(func(_ context.Context, s *session.Session, args []string) error {
			authority, err := place.open(s)
			if err != nil {
				return err
			}
			return issue(s, authority, kind, args[0], options)
		}),
	}
	set := cmd.Flags()
	set.StringVar(&options.out, "out", "", "folder for certificate and key (default: issued in the folder of the authority)")
	set.StringVar(&options.lifetime, "lifetime", "", "how long it is valid (default: that of the authority)")
	if kind == pki.Server {
		set.StringSliceVar(&options.hosts, "host", nil, "name or address under which clients reach it; may be given more than once")
		cmd.Example = "cscli pki issue server lapi --host lapi.example.com --host 10.0.0.1 --host 127.0.0.1"
	}
	return cmd
}

func issue(s *session.Session, authority *pki.Authority, kind pki.Kind, name string, options issueOptions) error {
	order := pki.Order{Kind: kind, Name: name, Hosts: options.hosts, Out: options.out}
	if options.lifetime != "" {
		var err error
		if order.Lifetime, err = duration.Parse(options.lifetime); err != nil {
			return err
		}
		if order.Lifetime <= 0 {
			return fmt.Errorf("--lifetime %s is not positive", options.lifetime)
		}
	}
	issued, err := authority.Issue(order)
	if err != nil {
		return err
	}
	return printIssued(s, authority.Dir(), issued)
}

// files is an issued certificate as JSON and CSV.
type files struct {
	Name        string    `json:"name"`
	Kind        pki.Kind  `json:"kind"`
	Serial      string    `json:"serial"`
	NotAfter    time.Time `json:"not_after"`
	Certificate string    `json:"certificate"`
	Key         string    `json:"key"`
	Bundle      string    `json:"bundle"`
}

func printIssued(s *session.Session, dir string, issued pki.Issued) error {
	f := files{
		Name: issued.Name, Kind: issued.Kind, Serial: issued.Serial, NotAfter: issued.NotAfter,
		Certificate: issued.File, Key: issued.KeyFile, Bundle: filepath.Join(dir, pki.BundleFile),
	}
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(f)
	case session.Raw:
		return s.PrintCSV([]string{"name", "kind", "serial", "not_after", "certificate", "key", "bundle"},
			[][]string{{f.Name, string(f.Kind), f.Serial, f.NotAfter.Format(time.RFC3339), f.Certificate, f.Key, f.Bundle}})
	case session.Human:
	}
	return s.Printf("%s certificate %s, valid until %s:\n%s", f.Kind, f.Name, f.NotAfter.Format(time.RFC3339), f.lines(dir))
}

// lines are what the configuration of its owner needs.
func (f files) lines(dir string) string {
	switch f.Kind {
	case pki.Server:
		return fmt.Sprintf(`in config.yaml:
api:
  server:
    pki: {dir: %[4]s}
    tls:
      cert_file: %[1]s
      key_file: %[2]s
      ca_cert_path: %[3]s
      crl_path: %[4]s/%[5]s
      agents_allowed_ou: [%[6]s]
      bouncers_allowed_ou: [%[7]s]
`, f.Certificate, f.Key, f.Bundle, dir, pki.CRLFile, pki.UnitAgent, pki.UnitBouncer)
	case pki.Agent:
		return fmt.Sprintf(`in local_api_credentials.yaml, beside the url, in place of login and password:
ca_cert_path: %[3]s
cert_path: %[1]s
key_path: %[2]s
`, f.Certificate, f.Key, f.Bundle)
	case pki.Bouncer:
	}
	return fmt.Sprintf(`in the file of the bouncer, beside api_url, in place of api_key:
ca_cert_path: %[3]s
cert_path: %[1]s
key_path: %[2]s
`, f.Certificate, f.Key, f.Bundle)
}
