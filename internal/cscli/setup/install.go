package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/setup/detection"
	"shieldwall/internal/hub"
	"shieldwall/internal/logprocessor/acquisition/all"
	"shieldwall/internal/platform/atomicfile"
)

func newValidate(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "validate [setup_file]",
		Short:   "Validate a setup file",
		Example: "cscli setup validate setup.yaml",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: runner.Run(func(_ context.Context, s *session.Session, args []string) error {
			setup, err := readSetup(s, args[0])
			if err != nil {
				return err
			}
			return setup.Validate(all.Registry())
		}),
	}
}

func readSetup(s *session.Session, path string) (detection.Setup, error) {
	if path == fromStdin {
		text, err := io.ReadAll(s.Stdin)
		if err != nil {
			return detection.Setup{}, fmt.Errorf("reading the setup: %w", err)
		}
		return detection.Parse("standard input", text)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the administrator names the file
	if err != nil {
		return detection.Setup{}, fmt.Errorf("reading the setup: %w", err)
	}
	return detection.Parse(path, text)
}

func newInstallHub(runner *session.Runner, main Main) *cobra.Command {
	var o hubOptions
	cmd := &cobra.Command{
		Use:     "install-hub [setup_file]",
		Short:   "Install items from a setup file",
		Example: "cscli setup install-hub setup.yaml --dry-run",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: run(runner, func(ctx context.Context, s *session.Session, args []string) error {
			setup, err := readSetup(s, args[0])
			if err != nil {
				return err
			}
			return installItems(ctx, s, main, setup, o)
		}),
	}
	cmd.Flags().BoolVarP(&o.interactive, "interactive", "i", false, "ask before anything is installed")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what would be installed")
	cmd.MarkFlagsMutuallyExclusive("interactive", "dry-run")
	return cmd
}

type hubOptions struct{ interactive, dryRun bool }

// installItems installs what the services need, one type of items after the other.
func installItems(ctx context.Context, s *session.Session, main Main, setup detection.Setup, o hubOptions) error {
	wanted, err := offered(ctx, s, setup)
	if err != nil {
		return err
	}
	for _, kind := range hub.Kinds() {
		if len(wanted[kind]) == 0 {
			continue
		}
		args := append([]string{"-c", s.Config.FilePath, "-o", string(s.Output), string(kind), "install"}, wanted[kind]...)
		if o.interactive {
			args = append(args, "--interactive")
		}
		if o.dryRun {
			args = append(args, "--dry-run")
		}
		if main(ctx, s.Env, args) != 0 {
			return fmt.Errorf("could not install %s", kind)
		}
	}
	return nil
}

// offered returns what the hub has of the items that services need, each once, and names what it has not.
func offered(ctx context.Context, s *session.Session, setup detection.Setup) (map[hub.Kind][]string, error) {
	catalog, err := hub.ReadCatalog(s.Config.Paths.IndexPath)
	if err != nil {
		return nil, err
	}
	ours, err := hub.BuiltIn()
	if err != nil {
		return nil, err
	}
	catalog = catalog.Join(ours)
	wanted := map[hub.Kind][]string{}
	for _, service := range setup.Services {
		for kind, names := range service.Hub {
			for _, name := range names {
				kind := hub.Kind(kind)
				if catalog.Offer(kind, name) == nil {
					s.Warn(ctx, "Could not find %q in hub index, skipping install", string(kind)+":"+name)
				} else if !slices.Contains(wanted[kind], name) {
					wanted[kind] = append(wanted[kind], name)
				}
			}
		}
	}
	return wanted, nil
}

func newInstallAcquisition(runner *session.Runner) *cobra.Command {
	var o acquisitionOptions
	cmd := &cobra.Command{
		Use:     "install-acquisition [setup_file]",
		Short:   "Generate acquisition configuration from a setup file",
		Long:    "Write a file for each service into the folder of acquisition. One that was changed by hand is left alone.",
		Example: "cscli setup install-acquisition setup.yaml --acquis-dir /etc/crowdsec/acquis.d",
		Args:    session.Args(cobra.ExactArgs(1)),
		RunE: run(runner, func(ctx context.Context, s *session.Session, args []string) error {
			setup, err := readSetup(s, args[0])
			if err != nil {
				return err
			}
			return installAcquisition(ctx, s, setup, o)
		}),
	}
	o.bind(cmd)
	return cmd
}

type acquisitionOptions struct {
	dir    string
	dryRun bool
	ask    bool // before a file that was changed by hand is overwritten
}

func (o *acquisitionOptions) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.dir, "acquis-dir", "", "folder of acquisition (default: crowdsec_service.acquisition_dir)")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only show what would be done")
}

// folder returns where acquisition files go.
func (o *acquisitionOptions) folder(s *session.Session) (string, error) {
	if o.dir != "" {
		return o.dir, nil
	}
	if dir := s.Config.LogProcessor.AcquisitionDir; dir != "" {
		return dir, nil
	}
	return "", errors.New("no folder for acquisition files: set crowdsec_service.acquisition_dir, or give --acquis-dir")
}

func installAcquisition(ctx context.Context, s *session.Session, setup detection.Setup, o acquisitionOptions) error {
	if err := setup.Validate(all.Registry()); err != nil {
		return err
	}
	dir, err := o.folder(s)
	if err != nil {
		return err
	}
	files, err := setup.Files()
	if err != nil {
		return err
	}
	if !o.dryRun {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the folder for acquisition: %w", err)
		}
	}
	for _, file := range files {
		path := filepath.Join(dir, file.Name)
		allowed, err := mayWrite(ctx, s, path, o.ask)
		if err != nil {
			return err
		}
		if !allowed {
			continue
		}
		if err := writeAcquisition(s, path, file.Text, o.dryRun); err != nil {
			return err
		}
	}
	return nil
}

func writeAcquisition(s *session.Session, path string, text []byte, dryRun bool) error {
	if err := s.Printf("creating %s\n", path); err != nil {
		return err
	}
	if dryRun {
		return s.Print(string(text) + "\n")
	}
	return atomicfile.Write(path, text, 0o600)
}

// mayWrite reports whether a file may be written: there is none, or nobody has changed it, or the user agrees.
func mayWrite(ctx context.Context, s *session.Session, path string, ask bool) (bool, error) {
	text, err := os.ReadFile(path) //nolint:gosec // in the folder of acquisition
	if errors.Is(err, fs.ErrNotExist) || err == nil && (detection.IsEmpty(text) || detection.OriginOf(text) == detection.Generated) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading what is there: %w", err)
	}
	if ask {
		return s.Confirm(path + " was changed by hand. Overwrite it?")
	}
	s.Warn(ctx, "%s was changed by hand and is left alone: remove it to have it written again", path)
	return false, nil
}
