package hubtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/cscli/table"
	"shieldwall/internal/hub/hubtest"
)

// The marks in tables.
const (
	passed = "✅"
	failed = "❌"
)

type runOptions struct {
	all           bool
	noClean       bool
	clean         bool
	reportSuccess bool
	strict        bool
	jobs          int
}

func newRun(runner *session.Runner, p *place) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:               "run [test_name]...",
		Short:             "Run tests",
		Example:           "cscli hubtest run my-bf\ncscli hubtest run --all --max-jobs 4",
		ValidArgsFunction: p.complete(runner),
		RunE: p.on(runner, func(ctx context.Context, s *session.Session, h *hubtest.Hub, args []string) error {
			if len(args) == 0 && !o.all {
				return errors.New("please name the tests to run, or use --all")
			}
			return p.run(ctx, s, h, args, o)
		}),
	}
	set := cmd.Flags()
	set.BoolVar(&o.all, "all", false, "run all tests")
	set.BoolVar(&o.noClean, "no-clean", false, "keep runtime and results of all tests")
	set.BoolVar(&o.clean, "clean", false, "remove runtime and results of failed tests as well")
	set.BoolVar(&o.reportSuccess, "report-success", false, "report tests that passed, too")
	set.BoolVar(&o.strict, "strict", false, "let false assertions that compare nothing (x in y) fail a test")
	set.IntVar(&o.jobs, "max-jobs", runtime.NumCPU(), "most tests to run side by side")
	set.String("target", "http://127.0.0.1:7822/", "target of tests of the web application firewall")
	set.String("host", "127.0.0.1:4241", "address of the web application firewall under test")
	cmd.MarkFlagsMutuallyExclusive("clean", "no-clean")
	return cmd
}

func (o runOptions) keep() hubtest.Keep {
	switch {
	case o.noClean:
		return hubtest.KeepAll
	case o.clean:
		return hubtest.KeepNothing
	}
	return hubtest.KeepFailed
}

func (p *place) run(ctx context.Context, s *session.Session, h *hubtest.Hub, names []string, o runOptions) error {
	found, err := cases(h, names, o.all)
	if err != nil {
		return err
	}
	options, err := p.options(s, h)
	if err != nil {
		return err
	}
	options.Jobs, options.Keep, options.Strict = max(1, o.jobs), o.keep(), o.strict
	return p.inWorkDir(h, func(work string) error {
		options.Work = work
		started := s.Now()
		results := hubtest.NewRunner(options).Run(ctx, found, observer(s, len(found)))
		if err := ctx.Err(); err != nil {
			return err
		}
		return report(ctx, s, summary{results, s.Now().Sub(started), options.Jobs}, o.reportSuccess)
	})
}

func observer(s *session.Session, total int) hubtest.Observer {
	switch {
	case s.Output == session.JSON:
		return silence{}
	case s.StdoutTerminal:
		return &bar{out: s.Stdout, total: total}
	}
	return lines{s.Stdout}
}

// summary is what is left to say after a run.
type summary struct {
	results []hubtest.Result
	took    time.Duration
	jobs    int
}

func report(ctx context.Context, s *session.Session, sum summary, all bool) error {
	for _, result := range sum.results {
		if err := reportOne(ctx, s, result); err != nil {
			return err
		}
	}
	good, bad := sum.split()
	if s.Output == session.JSON {
		err := s.PrintJSONLine(map[string][]string{"success": good, "fail": bad})
		if err != nil || len(bad) == 0 {
			return err
		}
		return errors.New("some tests failed")
	}
	if all || len(bad) > 0 {
		if err := s.Print(resultTable(sum.results, all, s.Fancy) + "\n"); err != nil {
			return err
		}
	}
	if err := s.Print(sum.String() + "\n"); err != nil {
		return err
	}
	switch {
	case len(bad) > 0 && all:
		return errors.New("some tests failed")
	case len(bad) > 0:
		return errors.New("some tests failed, use --report-success to show them all")
	case all:
		return nil
	}
	return s.Print("All tests passed, use --report-success for more details.\n")
}

// split returns the names of the tests that passed, and of those that did not.
func (s summary) split() (good, bad []string) {
	good, bad = []string{}, []string{}
	for _, result := range s.results {
		if result.Passed() {
			good = append(good, result.Name)
		} else {
			bad = append(bad, result.Name)
		}
	}
	return good, bad
}

// String returns the numbers of a run on one line.
func (s summary) String() string {
	good, bad := s.split()
	asserts := 0
	for _, result := range s.results {
		asserts += result.Asserts
	}
	return fmt.Sprintf("tests: %d, passed: %d, failed: %d, assertions: %d, time: %s, jobs: %d",
		len(s.results), len(good), len(bad), asserts, s.took.Round(100*time.Millisecond), s.jobs)
}

// reportOne says what is wrong with a test: on standard output for a person, in the log for a program.
func reportOne(ctx context.Context, s *session.Session, result hubtest.Result) error {
	if n := len(result.Warnings); n > 0 {
		first := result.Warnings[0]
		s.Warn(ctx, "test '%s': %d false assertions compare nothing, which fails only a --strict run; the first is %s:%d: %s",
			result.Name, n, first.File, first.Line, first.Text)
	}
	if result.Passed() {
		return nil
	}
	text := complaint(result)
	if s.Output == session.JSON {
		s.Error(ctx, "%s", text)
		return nil
	}
	return s.Print(text)
}

func complaint(result hubtest.Result) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\nTest '%s' failed\n", result.Name)
	if result.Err != nil {
		fmt.Fprintf(&text, "  %s\n", strings.ReplaceAll(result.Err.Error(), "\n", "\n  "))
	}
	for _, failure := range result.Failures {
		fmt.Fprintf(&text, "  %s:%d: %s\n", failure.File, failure.Line, failure.Text)
		switch {
		case failure.Err != nil:
			fmt.Fprintf(&text, "    %v\n", failure.Err)
		case failure.Actual != "":
			fmt.Fprintf(&text, "    it is %s\n", failure.Actual)
		}
	}
	for _, file := range result.Unfilled {
		fmt.Fprintf(&text, "Assert file '%s' is empty, please fill it. What could be in it:\n\n%s\n", file.Path, file.Text)
	}
	var replay *hubtest.ReplayError
	if errors.As(result.Err, &replay) {
		fmt.Fprintf(&text, "  its output:\n%s\n", replay.Output)
	}
	if result.Dir != "" {
		fmt.Fprintf(&text, "  kept for inspection in %s\n", result.Dir)
	}
	return text.String()
}

func resultTable(results []hubtest.Result, all, fancy bool) string {
	t := table.Light(fancy)
	t.Header("Test", "Result", "Assertions")
	for _, result := range results {
		if result.Passed() && !all {
			continue
		}
		mark := passed
		if !result.Passed() {
			mark = failed
		}
		t.Row(result.Name, mark, strconv.Itoa(result.Asserts))
	}
	return t.String()
}
