package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"shieldwall/internal/config"
)

// Runner opens a session for the command that runs.
type Runner struct {
	Env   Env
	flags flags
}

// NewRunner makes the runner for one run.
func NewRunner(env Env) *Runner { return &Runner{Env: env} }

// Bind defines the flags that all commands share.
func (r *Runner) Bind(set *pflag.FlagSet) { r.flags.bind(set) }

// ConfigDir returns the folder of the configuration file, which need not exist.
func (r *Runner) ConfigDir() string { return filepath.Dir(r.flags.config) }

// ColoredErrors reports whether errors are printed in color; a wrong --color counts as "no".
func (r *Runner) ColoredErrors() bool {
	yes, err := colored(r.flags.color, "", r.Env.StderrTerminal)
	return yes && err == nil
}

// Func is the body of a command.
type Func func(ctx context.Context, s *Session, args []string) error

// Run returns do as cobra wants it, with a session opened before.
func (r *Runner) Run(do Func) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		s, err := r.open()
		if err != nil {
			return &SetupError{err}
		}
		return do(cmd.Context(), s, args)
	}
}

// RunAnywhere is Run for a command that also works where nothing is installed: without a configuration at the
// default path, the one that it gets is empty.
func (r *Runner) RunAnywhere(do Func) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		s, err := r.open()
		if errors.Is(err, fs.ErrNotExist) && r.flags.config == defaultConfig {
			s, err = r.session(&config.Config{})
		}
		if err != nil {
			return &SetupError{err}
		}
		return do(cmd.Context(), s, args)
	}
}

// Complete returns a completion for arguments that are names: those that contain what was typed and were
// not given yet. What goes wrong is silent, as nobody reads it while typing.
func (r *Runner) Complete(names func(context.Context, *Session) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, given []string, typed string) ([]string, cobra.ShellCompDirective) {
		s, err := r.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all, err := names(cmd.Context(), s)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		matching := slices.DeleteFunc(all, func(name string) bool {
			return !strings.Contains(name, typed) || slices.Contains(given, name)
		})
		return matching, cobra.ShellCompDirectiveNoFileComp
	}
}

func (r *Runner) open() (*Session, error) {
	// The flags are judged before the configuration is read: a typing mistake should not depend on it.
	if _, err := parseOutput(r.flags.output, ""); err != nil {
		return nil, err
	}
	if _, err := colored(r.flags.color, "", false); err != nil {
		return nil, err
	}
	cfg, err := config.Load(r.flags.config, r.Env.LookupEnv)
	if err != nil {
		return nil, err
	}
	return r.session(cfg)
}

func (r *Runner) session(cfg *config.Config) (*Session, error) {
	output, err := parseOutput(r.flags.output, cfg.CSCLI.Output)
	if err != nil {
		return nil, err
	}
	fancy, err := colored(r.flags.color, cfg.CSCLI.Color, r.Env.StdoutTerminal)
	if err != nil {
		return nil, err
	}
	cfg.CSCLI.HubBranch = first(r.flags.branch, cfg.CSCLI.HubBranch)
	return &Session{
		Env: r.Env, Config: cfg, Output: output, Fancy: fancy,
		Log: newLog(r.Env, r.flags.level(), output),
	}, nil
}

// SetupError is an error that is not the command's: wrong common flags, or an unusable configuration.
type SetupError struct{ err error }

// Error returns the message of the cause.
func (e *SetupError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *SetupError) Unwrap() error { return e.err }

// Group makes cmd a group: alone it prints its usage, and it knows no arguments but its commands.
func Group(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = Args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Usage() }
	cmd.AddCommand(commands...)
	return cmd
}

// Args makes a command whose arguments do not please check print its help before the error.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err != nil {
			_ = cmd.Help()
			_, _ = fmt.Fprintln(cmd.OutOrStdout())
		}
		return err
	}
}

// RequireFilter refuses to delete without being told what, with the usage.
func RequireFilter(cmd *cobra.Command, given bool) error {
	if given {
		return nil
	}
	_ = cmd.Usage()
	return errors.New("at least one filter or --all must be specified")
}
