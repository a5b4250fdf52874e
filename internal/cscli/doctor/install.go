package doctor

import (
	"context"
	_ "embed" // what is installed is part of the program
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/atomicfile"
)

//go:embed items/parser.yaml
var parserText string

//go:embed items/scenario.yaml
var scenarioText string

const (
	publicMode = 0o644
	folderMode = 0o755
	fileName   = "shieldwall-doctor.yaml"
)

func newInstall(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:   "install",
		Short: "Put in place what the doctor needs",
		Long: "Write a parser, a scenario and a log source to the configuration of this machine, and an empty log to its data\n" +
			"folder. The scenario bans none but addresses that documentation uses. Afterwards crowdsec has to be reloaded.",
		Example: "cscli doctor install && systemctl reload crowdsec",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return install(ctx, s) }),
	}
}

func newRemove(runner *session.Runner) *cobra.Command {
	return &cobra.Command{
		Use:     "remove",
		Short:   "Remove what \"cscli doctor install\" has put in place",
		Example: "cscli doctor remove && systemctl reload crowdsec",
		Args:    session.Args(cobra.NoArgs),
		RunE:    runner.Run(func(ctx context.Context, s *session.Session, _ []string) error { return remove(ctx, s) }),
	}
}

// file is one that is installed.
type file struct {
	path, text string
}

func files(s *session.Session) ([]file, error) {
	processor := s.Config.LogProcessor
	source := fmt.Sprintf("# Put here by \"cscli doctor install\".\nfilenames: [%s]\nlabels: {type: %s}\n", logPath(s), logType)
	if processor == nil || processor.AcquisitionDir == "" {
		return nil, fmt.Errorf("crowdsec_service.acquisition_dir is not set: set it to a folder, such as %s, and run this again",
			filepath.Join(s.Config.Paths.ConfigDir, "acquis.d"))
	}
	return []file{
		{filepath.Join(s.Config.Paths.ConfigDir, "parsers", "s01-parse", fileName), parserText},
		{filepath.Join(s.Config.Paths.ConfigDir, "scenarios", fileName), scenarioText},
		{filepath.Join(processor.AcquisitionDir, fileName), source},
	}, nil
}

func install(ctx context.Context, s *session.Session) error {
	all, err := files(s)
	if err != nil {
		return err
	}
	if err := (site{log: logPath(s)}).append(""); err != nil {
		return fmt.Errorf("making the log of the doctor: %w", err)
	}
	for _, f := range all {
		if err := os.MkdirAll(filepath.Dir(f.path), folderMode); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		if err := atomicfile.Write(f.path, []byte(f.text), publicMode); err != nil {
			return err
		}
		s.Info(ctx, "wrote %s", f.path)
	}
	return s.Print(session.ReloadHint + "\n")
}

func remove(ctx context.Context, s *session.Session) error {
	all, err := files(s)
	if err != nil {
		return err
	}
	for _, f := range append(all, file{path: logPath(s)}) {
		switch err := os.Remove(f.path); {
		case err == nil:
			s.Info(ctx, "removed %s", f.path)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return s.Print(session.ReloadHint + "\n")
}
