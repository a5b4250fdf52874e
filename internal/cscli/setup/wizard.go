package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/setup/detection"
)

// manner is how a whole setup is done.
type manner uint8

const (
	asking     manner = iota // each step is asked for
	unattended               // nobody is there to be asked
)

const unattendedVariable = "CROWDSEC_SETUP_UNATTENDED_DISABLE"

func newWizard(runner *session.Runner, main Main, how manner) *cobra.Command {
	w := wizard{main: main, how: how}
	cmd := &cobra.Command{
		Use:     "interactive",
		Short:   "Interactive setup",
		Long:    "Find services, ask for which of them to install what reads their logs, and configure it.",
		Example: "cscli setup interactive",
		Args:    session.Args(cobra.NoArgs),
	}
	if how == unattended {
		cmd.Use, cmd.Short, cmd.Example = "unattended", "Unattended setup", "cscli setup unattended --dry-run"
		cmd.Long = "Find services, install what reads their logs, and configure it, without questions. Where acquisition was configured\n" +
			"by hand, nothing is done."
	}
	w.detect.bind(cmd.Flags())
	w.acquisition.bind(cmd)
	cmd.RunE = run(runner, func(ctx context.Context, s *session.Session, _ []string) error { return w.run(ctx, s) })
	return cmd
}

// wizard does a whole setup.
type wizard struct {
	main        Main
	how         manner
	detect      detectOptions
	acquisition acquisitionOptions
}

func (w *wizard) run(ctx context.Context, s *session.Session) error {
	if disabled, _ := s.LookupEnv(unattendedVariable); disabled != "" && w.how == unattended {
		return s.Printf("Unattended setup is disabled (%s is set).\n", unattendedVariable)
	}
	if manual, err := w.manual(s); err != nil || len(manual) > 0 && w.how == unattended {
		return errors.Join(err, refuse(s, manual))
	}
	rules, err := w.detect.read(s)
	if err != nil {
		return err
	}
	var ask systemctl
	if !w.detect.skipSystemd {
		ask = whereThereIsOne(s)
	}
	found, err := w.detect.detect(ctx, rules, ask)
	if err != nil {
		return err
	}
	if w.how == asking {
		if found, err = choose(s, found); err != nil {
			return err
		}
	}
	if len(found.Services) == 0 {
		return s.Print("No services detected.\n")
	}
	if err := s.Print("The following services will be configured:\n- " + strings.Join(found.Names(), "\n- ") + "\n"); err != nil {
		return err
	}
	return w.install(ctx, s, found)
}

func (w *wizard) install(ctx context.Context, s *session.Session, found detection.Setup) error {
	if err := installItems(ctx, s, w.main, found, hubOptions{dryRun: w.acquisition.dryRun}); err != nil {
		return err
	}
	o := w.acquisition
	o.ask = w.how == asking
	if err := installAcquisition(ctx, s, found, o); err != nil {
		return err
	}
	if o.dryRun {
		return s.Print("Dry run, no action taken.\n")
	}
	return s.Print("\nDecisions are enforced by remediation components: for a firewall that is crowdsec-firewall-bouncer,\n" +
		"which gets its key with 'cscli bouncers add firewall'.\n\n" + session.ReloadHint + "\n")
}

// manual returns the files of acquisition that somebody has written or changed.
func (w *wizard) manual(s *session.Session) (paths []string, err error) {
	candidates := []string{s.Config.LogProcessor.AcquisitionPath}
	if dir, err := w.acquisition.folder(s); err == nil { // without one there is nothing in it
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			matches, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return nil, fmt.Errorf("listing %s: %w", dir, err)
			}
			candidates = append(candidates, matches...)
		}
	}
	for _, path := range slices.Compact(candidates) {
		text, err := os.ReadFile(path) //nolint:gosec // the configured files
		if err != nil {
			continue // what cannot be read is not in force either
		}
		if !detection.IsEmpty(text) && detection.OriginOf(text) != detection.Generated {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

func refuse(s *session.Session, manual []string) error {
	if len(manual) == 0 {
		return nil
	}
	return s.Print("Acquisition is configured already, and nothing is changed:\n- " + strings.Join(manual, "\n- ") +
		"\nRun 'cscli setup interactive' to add services nevertheless.\n")
}

// choose asks for each service.
func choose(s *session.Session, found detection.Setup) (detection.Setup, error) {
	chosen := detection.Setup{}
	for _, service := range found.Services {
		yes, err := s.Confirm("Configure " + service.Name + "?")
		if err != nil {
			return detection.Setup{}, err
		}
		if yes {
			chosen.Services = append(chosen.Services, service)
		}
	}
	return chosen, nil
}
