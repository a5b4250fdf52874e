package hubtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/expression"
	"shieldwall/internal/hub/hubtest"
)

// place says where the hub, the programs and the folders of a test lie, and who judges it.
type place struct {
	hub      string
	crowdsec string
	data     string
	work     string
	appsec   bool
	judge    *hubtest.Judge
}

// New returns the group "hubtest".
func New(runner *session.Runner) *cobra.Command {
	p := place{judge: hubtest.NewJudge(expression.New(expression.Deps{Now: runner.Env.Now}))}
	group := session.Group(
		&cobra.Command{
			Use:   "hubtest",
			Short: "Run functional tests on hub configurations",
			Long:  "Make, run and measure the test cases of a hub folder: logs with assertions on what is made of them.",
		},
		newCreate(runner, &p), newRun(runner, &p), newClean(runner, &p), newInfo(runner, &p), newList(runner, &p),
		newCoverage(runner, &p), newEval(runner, &p), newExplain(runner, &p),
	)
	set := group.PersistentFlags()
	set.StringVar(&p.hub, "hub", ".", "hub folder")
	set.StringVar(&p.crowdsec, "crowdsec", "crowdsec", "program crowdsec: the one beside cscli, or of PATH")
	set.String("cscli", "cscli", "program cscli (published flag: this version does not need it)")
	set.BoolVar(&p.appsec, "appsec", false, "work on tests of the web application firewall")
	set.StringVar(&p.data, "data", "", "folder of data files (default data beside the hub, or .cache/data in it)")
	set.StringVar(&p.work, "workdir", "", "folder for runtime and results (default the tests, a temporary one if they are read-only)")
	return group
}

// body is what a command does with a hub.
type body func(ctx context.Context, s *session.Session, h *hubtest.Hub, args []string) error

// on returns do as cobra wants it, with the hub opened before.
func (p *place) on(runner *session.Runner, do body) func(*cobra.Command, []string) error {
	return runner.RunAnywhere(func(ctx context.Context, s *session.Session, args []string) error {
		if p.appsec {
			return errors.New("this version has no web application firewall, so it cannot run its tests")
		}
		if s.Output == session.Raw {
			return s.Unsupported()
		}
		h, err := hubtest.Open(p.hub)
		if err != nil {
			return err
		}
		return do(ctx, s, h, args)
	})
}

// options returns how tests run here, but for the folder of work.
func (p *place) options(s *session.Session, h *hubtest.Hub) (hubtest.Options, error) {
	data, err := p.dataDir(h)
	return hubtest.Options{
		Hub: h, Data: data, Patterns: s.Config.Paths.PatternDir, Program: s.Program(p.crowdsec), Jobs: 1, Judge: p.judge,
		Replay: func(ctx context.Context, r hubtest.Replay) error { return r.Run(ctx) },
	}, err
}

// dataDir returns the absolute path of the folder of data files, "" without one.
func (p *place) dataDir(h *hubtest.Hub) (string, error) {
	if p.data != "" {
		if info, err := os.Stat(p.data); err != nil || !info.IsDir() {
			return "", fmt.Errorf("--data: %s is no folder", p.data)
		}
		return filepath.Abs(p.data)
	}
	for _, dir := range []string{filepath.Join(h.Dir, "..", "data"), filepath.Join(h.Dir, ".cache", "data")} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	return "", nil
}

// inWorkDir calls do with the folder of work: "" to work in the hub. A temporary folder is removed when
// nothing was left in it.
func (p *place) inWorkDir(h *hubtest.Hub, do func(work string) error) error {
	if p.work != "" {
		work, err := filepath.Abs(p.work)
		if err == nil {
			err = os.MkdirAll(work, 0o750)
		}
		if err != nil {
			return fmt.Errorf("--workdir: %w", err)
		}
		return do(work)
	}
	if !readOnly(h.Tests()) {
		return do("")
	}
	work, err := os.MkdirTemp("", "cscli_hubtest*")
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	err = do(work)
	if removal := os.Remove(work); removal != nil && !errors.Is(removal, unix.ENOTEMPTY) {
		err = errors.Join(err, removal)
	}
	return err
}

// readOnly goes by the mode as well, because root may write everywhere and should not.
func readOnly(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && (info.Mode().Perm()&0o222 == 0 || unix.Access(dir, unix.W_OK) != nil)
}

// replay runs a test aside, calls do with the folder of its dumps, and leaves nothing behind.
func (p *place) replay(ctx context.Context, s *session.Session, h *hubtest.Hub, name string, do func(dir string) error) (err error) {
	c, err := h.Case(name)
	if err != nil {
		return err
	}
	options, err := p.options(s, h)
	if err != nil {
		return err
	}
	if options.Work, err = os.MkdirTemp("", "cscli_hubtest*"); err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(options.Work)) }()
	results, err := hubtest.NewRunner(options).Replay(ctx, c)
	if err != nil {
		return fmt.Errorf("test '%s': %w", name, err)
	}
	return do(results)
}

// cases reads the named tests, each once, or all of the hub.
func cases(h *hubtest.Hub, names []string, all bool) ([]*hubtest.Case, error) {
	if all {
		var err error
		if names, err = h.Names(); err != nil {
			return nil, err
		}
	}
	found := make([]*hubtest.Case, 0, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		c, err := h.Case(name)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// complete completes the names of tests.
func (p *place) complete(runner *session.Runner) cobra.CompletionFunc {
	return runner.Complete(func(context.Context, *session.Session) ([]string, error) {
		h, err := hubtest.Open(p.hub)
		if err != nil {
			return nil, err
		}
		return h.Names()
	})
}
