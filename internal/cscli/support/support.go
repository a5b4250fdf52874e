// Package support holds the command that puts everything into one archive that somebody needs who is to help.
//
// It owns what is collected, and promises that no secret of the configuration or the credentials is in it: what keys of
// secrets hold is taken out of YAML, and then out of every other text, wherever it turns up. What cannot be collected
// is a line in the archive's log and stops nothing.
package support

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/atomicfile"
)

// Main runs a command of cscli in an environment and returns its exit code.
type Main func(ctx context.Context, env session.Env, args []string) int

const toStdout = "-"

// New returns the group "support". What other commands show is collected with main.
func New(runner *session.Runner, main Main) *cobra.Command {
	return session.Group(
		&cobra.Command{
			Use:   "support [action]",
			Short: "Provide commands to help during support",
		},
		newDump(runner, main),
	)
}

func newDump(runner *session.Runner, main Main) *cobra.Command {
	var target string
	var fast bool
	cmd := &cobra.Command{
		Use:   "dump",
		Short: "Dump all your configuration to a zip file for easier support",
		Long: "Collect the configuration, what is installed and registered, metrics, profiles of the running engine and its logs in\n" +
			"an archive. Passwords, keys and tokens are taken out; addresses, names and log lines are in it: look before you send it.",
		Example: "cscli support dump\ncscli support dump -f /tmp/crowdsec-support.zip\ncscli support dump --fast -f - > support.zip",
		Args:    session.Args(cobra.NoArgs),
		RunE: runner.Run(func(ctx context.Context, s *session.Session, _ []string) error {
			if s.Output != session.Human {
				return s.Unsupported()
			}
			content, err := collector{session: s, main: main, fast: fast}.collect(ctx)
			if err != nil {
				return err
			}
			if target == toStdout {
				return s.Print(string(content))
			}
			if err := atomicfile.Write(target, content, 0o600); err != nil {
				return err
			}
			s.Info(ctx, "Written zip file to %s", target)
			return nil
		}),
	}
	cmd.Flags().StringVarP(&target, "outFile", "f", "", "file to write, - for standard output (default: crowdsec-support.zip in the folder for temporary files)")
	cmd.Flags().BoolVar(&fast, "fast", false, "do not record for 30 seconds what the engine spends its time on")
	cmd.PreRun = func(*cobra.Command, []string) {
		if target == "" {
			target = filepath.Join(os.TempDir(), "crowdsec-support.zip")
		}
	}
	return cmd
}
