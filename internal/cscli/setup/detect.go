package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"shieldwall/content"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/setup/detection"
)

const (
	rulesVariable = "CROWDSEC_SETUP_DETECT_CONFIG"
	defaultRules  = "/var/lib/crowdsec/data/detect.yaml"
	fromStdin     = "-"
)

// detectOptions are the flags of all commands that look for services.
type detectOptions struct {
	rules       string
	ignore      []string
	force       []string
	skipSystemd bool
}

func (o *detectOptions) bind(set *pflag.FlagSet) {
	set.StringVar(&o.rules, "detect-config", "", "file of rules, - for standard input (default: $"+rulesVariable+", "+defaultRules+", or the rules that come along)")
	set.StringSliceVar(&o.ignore, "ignore", nil, "services that are not found, whatever the rules say")
	set.StringSliceVar(&o.force, "force", nil, "services that are found, whatever the rules say")
	set.BoolVar(&o.skipSystemd, "skip-systemd", false, "do not ask systemd which services there are")
}

func newDetect(runner *session.Runner) *cobra.Command {
	var o detectOptions
	var asYAML, list bool
	cmd := &cobra.Command{
		Use:   "detect",
		Short: "Detect installed services and generate a setup file",
		Long: "Print the services that are found with what they need, for install-hub and install-acquisition. Rules are in\n" +
			"expressions on files, processes and systemd.",
		Example: "cscli setup detect\ncscli setup detect --yaml > setup.yaml\ncscli setup detect --force nginx --ignore sshd",
		Args:    session.Args(cobra.NoArgs),
		RunE: run(runner, func(ctx context.Context, s *session.Session, _ []string) error {
			rules, err := o.read(s)
			if err != nil {
				return err
			}
			if list {
				return s.Print(strings.Join(rules.Names(), "\n") + "\n")
			}
			ask := systemctl(runSystemctl)
			if o.skipSystemd {
				ask = nil
			}
			found, err := o.detect(ctx, rules, ask)
			if err != nil {
				return err
			}
			return printSetup(s, found, asYAML)
		}),
	}
	o.bind(cmd.Flags())
	cmd.Flags().BoolVar(&asYAML, "yaml", false, "print YAML, not JSON")
	cmd.Flags().BoolVar(&list, "list-supported-services", false, "only print which services the rules know")
	return cmd
}

func printSetup(s *session.Session, found detection.Setup, asYAML bool) error {
	text, err := found.JSON()
	if asYAML {
		text, err = found.YAML()
	}
	if err != nil {
		return err
	}
	return s.Print(string(text))
}

// read returns the rules that the flags, the environment or the host have, or else ours.
func (o *detectOptions) read(s *session.Session) (*detection.Rules, error) {
	path := o.rules
	if path == "" {
		path, _ = s.LookupEnv(rulesVariable)
	}
	switch path {
	case "":
		text, err := os.ReadFile(defaultRules)
		if errors.Is(err, fs.ErrNotExist) {
			return detection.ParseRules("detect.yaml", content.ServiceRules())
		}
		if err != nil {
			return nil, fmt.Errorf("reading the rules: %w", err)
		}
		return detection.ParseRules(defaultRules, text)
	case fromStdin:
		text, err := io.ReadAll(s.Stdin)
		if err != nil {
			return nil, fmt.Errorf("reading the rules: %w", err)
		}
		return detection.ParseRules("standard input", text)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("reading the rules: %w", err)
	}
	return detection.ParseRules(path, text)
}

func (o *detectOptions) detect(ctx context.Context, rules *detection.Rules, ask systemctl) (detection.Setup, error) {
	machine, err := takePicture(ctx, os.DirFS("/"), ask)
	if err != nil {
		return detection.Setup{}, fmt.Errorf("%w (--skip-systemd does without)", err)
	}
	return rules.Detect(machine, detection.Wishes{Ignore: o.ignore, Force: o.force})
}

// whereThereIsOne returns a systemctl that knows no services where there is none, or none that answers: a container has
// services as well.
func whereThereIsOne(s *session.Session) systemctl {
	return func(ctx context.Context, args ...string) ([]byte, error) {
		text, err := runSystemctl(ctx, args...)
		if err != nil {
			s.Warn(ctx, "services of systemd are left out: %s", err)
			return nil, nil
		}
		return text, nil
	}
}
