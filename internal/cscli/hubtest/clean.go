package hubtest

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub/hubtest"
)

func newClean(runner *session.Runner, p *place) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:               "clean [test_name]...",
		Short:             "Remove the runtime and results of tests",
		ValidArgsFunction: p.complete(runner),
		RunE: p.on(runner, func(_ context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			if len(args) == 0 && !all {
				return errors.New("please name the tests to clean, or use --all")
			}
			return p.clean(s, h, args, all)
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "clean all tests")
	return cmd
}

func (p *place) clean(s *session.Session, h *hubtest.Hub, names []string, all bool) error {
	found, err := cases(h, names, all)
	if err != nil {
		return err
	}
	options, err := p.options(s, h)
	if err != nil {
		return err
	}
	return p.inWorkDir(h, func(work string) error {
		options.Work = work
		runner := hubtest.NewRunner(options)
		for _, c := range found {
			if err := runner.Clean(c); err != nil {
				return err
			}
		}
		return nil
	})
}
