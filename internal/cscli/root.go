package cscli

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/alerts"
	"shieldwall/internal/cscli/allowlists"
	"shieldwall/internal/cscli/audit"
	"shieldwall/internal/cscli/bouncers"
	"shieldwall/internal/cscli/completion"
	"shieldwall/internal/cscli/config"
	"shieldwall/internal/cscli/decisions"
	"shieldwall/internal/cscli/doctor"
	"shieldwall/internal/cscli/explain"
	"shieldwall/internal/cscli/hub"
	"shieldwall/internal/cscli/hubtest"
	"shieldwall/internal/cscli/items"
	"shieldwall/internal/cscli/lapi"
	"shieldwall/internal/cscli/machines"
	"shieldwall/internal/cscli/metrics"
	"shieldwall/internal/cscli/notifications"
	"shieldwall/internal/cscli/pki"
	"shieldwall/internal/cscli/reference"
	"shieldwall/internal/cscli/replay"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/setup"
	"shieldwall/internal/cscli/simulation"
	"shieldwall/internal/cscli/support"
	"shieldwall/internal/cscli/tap"
	"shieldwall/internal/cscli/why"
)

// Main runs the command that args name and returns the exit code of the process.
func Main(ctx context.Context, env session.Env, args []string) int {
	runner := session.NewRunner(env)
	root := newRoot(runner) //nolint:contextcheck // cobra hands the context to the command that runs
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(env.Stderr, errorPrefix(runner.ColoredErrors()), errorText(cmd, err))
	return 1
}

func newRoot(runner *session.Runner) *cobra.Command {
	root := session.Group(
		&cobra.Command{
			Use:           "cscli",
			Short:         "cscli allows you to manage crowdsec",
			Long:          "cscli manages log processors, remediation components, alerts and decisions of the security engine.",
			SilenceErrors: true,
			SilenceUsage:  true,
		},
		alerts.New(runner), allowlists.New(runner), audit.New(runner), bouncers.New(runner), completion.New(), config.New(runner),
		decisions.New(runner), doctor.New(runner), explain.New(runner), hub.New(runner), hubtest.New(runner), lapi.New(runner), machines.New(runner), metrics.New(runner),
		notifications.New(runner), pki.New(runner), reference.New(), replay.New(runner), setup.New(runner, Main), simulation.New(runner), support.New(runner, Main), tap.New(runner), why.New(runner), newVersion(runner), newDashboard(),
	)
	root.CompletionOptions.DisableDefaultCmd = true // ours is the published one
	root.AddCommand(items.New(runner)...)
	runner.Bind(root.PersistentFlags())
	return root
}

func errorPrefix(colored bool) string {
	if colored {
		return text.FgRed.Sprint("Error:")
	}
	return "Error:"
}

// errorText names the command that went wrong, unless nothing of it had begun.
func errorText(cmd *cobra.Command, err error) string {
	var setup *session.SetupError
	if errors.As(err, &setup) {
		return err.Error()
	}
	return cmd.CommandPath() + ": " + err.Error()
}
