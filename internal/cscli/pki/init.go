package pki

import (
	"context"
	"encoding/hex"
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/duration"
)

type initOptions struct {
	organization string
	lifetime     string
	caLifetime   string
	force        bool
}

func newInit(runner *session.Runner, place *place) *cobra.Command {
	var options initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make an authority: root, intermediate, bundle, and an empty list of revoked certificates",
		Long: "Make an authority: a root and an intermediate that signs, the bundle of both that ca_cert_path takes, and an\n" +
			"empty list of revoked certificates. The key of the root (ca-key.pem) is not needed afterwards: take it to a safe place.",
		Example: "cscli pki init\ncscli pki init --organization 'Example Ltd' --lifetime 2160h",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.RunAnywhere(func(ctx context.Context, s *session.Session, _ []string) error {
			return initialize(ctx, s, place.folder(s), options)
		}),
	}
	set := cmd.Flags()
	set.StringVar(&options.organization, "organization", "Shieldwall", "organization in the names of all certificates")
	set.StringVar(&options.lifetime, "lifetime", "8760h", "how long certificates are valid when nothing else is asked for")
	set.StringVar(&options.caLifetime, "ca-lifetime", "87600h", "how long the authority is valid")
	set.BoolVar(&options.force, "force", false, "replace an authority that is there: all its certificates become worthless")
	return cmd
}

// authority is a new one as JSON and CSV.
type authority struct {
	Dir         string `json:"dir"`
	Bundle      string `json:"bundle"`
	CRL         string `json:"crl"`
	Fingerprint string `json:"fingerprint"` // SHA-256 of the root
}

func initialize(ctx context.Context, s *session.Session, dir string, options initOptions) error {
	settings := pki.Settings{Organization: options.organization, Force: options.force}
	var err error
	if settings.Lifetime, err = duration.Parse(options.lifetime); err != nil {
		return err
	}
	if settings.CALifetime, err = duration.Parse(options.caLifetime); err != nil {
		return err
	}
	made, err := pki.Init(dir, settings, optionsOf(s))
	if err != nil {
		return err
	}
	fingerprint, err := made.Fingerprint()
	if err != nil {
		return err
	}
	return printAuthority(ctx, s, authority{
		Dir: made.Dir(), Bundle: filepath.Join(made.Dir(), pki.BundleFile), CRL: filepath.Join(made.Dir(), pki.CRLFile),
		Fingerprint: hex.EncodeToString(fingerprint[:]),
	})
}

func printAuthority(ctx context.Context, s *session.Session, a authority) error {
	switch s.Output {
	case session.JSON:
		return s.PrintJSONLine(a)
	case session.Raw:
		return s.PrintCSV([]string{"dir", "bundle", "crl", "fingerprint"}, [][]string{{a.Dir, a.Bundle, a.CRL, a.Fingerprint}})
	case session.Human:
	}
	s.Info(ctx, "authority made in %s, SHA-256 of its root: %s", a.Dir, a.Fingerprint)
	return s.Printf("Issue a certificate for the Local API:\n"+
		"  cscli pki issue server lapi --host <name or address> --dir %[1]s\n"+
		"and, for log processors and bouncers to fetch their own, add to config.yaml:\n"+
		"  api:\n    server:\n      pki: {dir: %[1]s}\n", a.Dir)
}
