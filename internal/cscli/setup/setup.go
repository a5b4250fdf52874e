// Package setup holds the commands that find the services of this machine and make the log processor read their logs.
//
// It owns the picture of the machine, which is taken here, and the order of things: what is found, installed and
// written. What is there is decided by package detection; items are installed by the commands for them. It promises
// that no file which somebody has written or changed is overwritten without asking.
package setup

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
)

// Main runs a command of cscli in an environment and returns its exit code.
type Main func(ctx context.Context, env session.Env, args []string) int

// New returns the group "setup", which alone is the interactive setup. Items are installed with main.
func New(runner *session.Runner, main Main) *cobra.Command {
	cmd := newWizard(runner, main, asking)
	cmd.Use, cmd.Args = "setup", session.Args(cobra.NoArgs)
	cmd.Long = "Find the services that run on this machine, install what reads their logs, and configure where the logs are."
	cmd.AddCommand(
		newWizard(runner, main, asking), newWizard(runner, main, unattended),
		newDetect(runner), newInstallHub(runner, main), newInstallAcquisition(runner), newValidate(runner),
	)
	return cmd
}

// run is Run for commands on the rules of this machine's log processor.
func run(runner *session.Runner, do session.Func) func(*cobra.Command, []string) error {
	return runner.Run(func(ctx context.Context, s *session.Session, args []string) error {
		if s.Config.LogProcessor == nil {
			return errors.New("log processor is disabled -- this command cannot run on a LAPI-only instance")
		}
		return do(ctx, s, args)
	})
}
