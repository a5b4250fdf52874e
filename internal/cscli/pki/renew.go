package pki

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/pki"
	"shieldwall/internal/platform/duration"
)

type renewOptions struct {
	all    bool
	within string
}

func newRenew(runner *session.Runner, place *place) *cobra.Command {
	var options renewOptions
	cmd := &cobra.Command{
		Use:   "renew NAME|--all",
		Short: "Renew a certificate that was issued to files of this machine, or all that are due",
		Long: "Renew the certificate of a name, or with --all each of which two thirds of the lifetime are over. The key stays the same,\n" +
			"and the file of the certificate is replaced at once: programs that use it need no restart. Certificates whose key was\n" +
			"made on another machine (cscli lapi join) are renewed by that machine.",
		Example:           "cscli pki renew agent-1\ncscli pki renew --all --within 720h",
		Args:              session.Args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: runner.Complete(func(_ context.Context, s *session.Session) ([]string, error) { return place.names(s) }),
		RunE: runner.RunAnywhere(func(ctx context.Context, s *session.Session, args []string) error {
			authority, err := place.open(s)
			if err != nil {
				return err
			}
			names, err := toRenew(authority, args, options)
			if err != nil {
				return err
			}
			return renew(ctx, s, authority, names)
		}),
	}
	set := cmd.Flags()
	set.BoolVar(&options.all, "all", false, "renew all that are due")
	set.StringVar(&options.within, "within", "", "with --all: those too that end within this time (720h)")
	return cmd
}

func toRenew(authority *pki.Authority, args []string, options renewOptions) ([]string, error) {
	switch {
	case options.all == (len(args) > 0):
		return nil, errors.New("either the name of a certificate is needed, or --all")
	case !options.all && options.within != "":
		return nil, errors.New("--within goes with --all")
	case !options.all:
		return args, nil
	}
	var within time.Duration
	if options.within != "" {
		var err error
		if within, err = duration.Parse(options.within); err != nil {
			return nil, err
		}
	}
	return authority.Due(within)
}

// renew goes on after one that cannot be renewed: the others are not to blame.
func renew(ctx context.Context, s *session.Session, authority *pki.Authority, names []string) error {
	var failures []error
	for _, name := range names {
		renewed, err := authority.RenewNamed(name)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		s.Info(ctx, "%s certificate '%s' renewed until %s: %s", renewed.Kind, name, renewed.NotAfter.Format(time.RFC3339), renewed.File)
	}
	if len(names) == 0 {
		s.Info(ctx, "no certificate is due")
	}
	if len(failures) > 0 {
		return fmt.Errorf("%d of %d not renewed: %w", len(failures), len(names), errors.Join(failures...))
	}
	return nil
}
