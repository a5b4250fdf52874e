package hubtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli/explain"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/hub/hubtest"
	"shieldwall/internal/logprocessor/dump"
)

func newEval(runner *session.Runner, p *place) *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use:               "eval <test_name>...",
		Short:             "Run a test and evaluate an expression over what its parsers did",
		Example:           `cscli hubtest eval my-parser -e 'results["s01-parse"]["crowdsecurity/nginx-logs"][0].Evt.Meta'`,
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: p.complete(runner),
		RunE: p.on(runner, func(ctx context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			if text == "" {
				return errors.New("please give an expression (--expr)")
			}
			return p.each(ctx, s, h, args, func(dir string) error { return p.eval(s, dir, text) })
		}),
	}
	cmd.Flags().StringVarP(&text, "expr", "e", "", "expression")
	return cmd
}

// each runs the named tests one after another and calls do with their dumps.
func (p *place) each(ctx context.Context, s *session.Session, h *hubtest.Hub, names []string, do func(dir string) error) error {
	for _, name := range names {
		if err := p.replay(ctx, s, h, name, do); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) eval(s *session.Session, dir, text string) error {
	parsers, err := dump.ReadParsers(dir)
	if err != nil {
		return err
	}
	value, err := p.judge.Parser(text, parsers)
	if err != nil {
		return fmt.Errorf("unable to evaluate '%s': %w", text, err)
	}
	if s.Output == session.JSON {
		return s.PrintJSONLine(value)
	}
	shown, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding output: %w", err)
	}
	return s.Print(string(shown))
}

func newExplain(runner *session.Runner, p *place) *cobra.Command {
	var view explain.View
	cmd := &cobra.Command{
		Use:               "explain <test_name>...",
		Short:             "Run a test and explain what happens to its lines",
		Args:              session.Args(cobra.MinimumNArgs(1)),
		ValidArgsFunction: p.complete(runner),
		RunE: p.on(runner, func(ctx context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			view.Fancy = s.Fancy
			return p.each(ctx, s, h, args, func(dir string) error {
				drawn, err := view.Draw(dir)
				if err != nil {
					return err
				}
				return s.Print(drawn)
			})
		}),
	}
	cmd.Flags().BoolVarP(&view.Verbose, "verbose", "v", false, "show every value that a parser changes")
	cmd.Flags().BoolVar(&view.Failures, "failures", false, "only show lines that no parser understood")
	return cmd
}
