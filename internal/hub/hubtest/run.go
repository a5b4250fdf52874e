package hubtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/logprocessor/dump"
)

// Options say how test cases run.
type Options struct {
	Hub      *Hub
	Data     string // folder of data files, "" without one
	Patterns string // folder of grok patterns beside those of the engine, "" without one
	Work     string // folder for runtime and results, "" to work in the hub
	Program  string // crowdsec: a path, or a name to look for in PATH
	Jobs     int    // tests that run side by side, 1 or more
	Judge    *Judge
	Keep     Keep
	Strict   bool // an assertion that is false fails the test, whatever it says
	Replay   func(context.Context, Replay) error
}

// Keep says when the runtime and results of a test stay on disk.
type Keep int

// The choices.
const (
	KeepFailed Keep = iota // those of tests that did not pass
	KeepAll
	KeepNothing
)

// Result is what became of one test case.
type Result struct {
	Name     string
	Asserts  int       // how many were evaluated
	Failures []Failure // those that do not hold
	Warnings []Failure // those that do not hold, but do not fail the test
	Unfilled []Unfilled
	Err      error  // why it could not run or be judged
	Dir      string // where runtime and results are, "" if they were not kept
}

// Unfilled is an assert file that is needed and says nothing, with all that it could say.
type Unfilled struct {
	Path string
	Text string
}

// Passed reports whether every needed assertion was there and holds.
func (r Result) Passed() bool { return r.Err == nil && len(r.Failures) == 0 && len(r.Unfilled) == 0 }

// Observer is told how a run goes. Its methods are called one at a time.
type Observer interface {
	Started(name string)
	Finished(result Result)
}

// Runner runs test cases.
type Runner struct {
	options Options
}

// NewRunner returns a Runner. It owns nothing that must be released.
func NewRunner(options Options) *Runner {
	return &Runner{options: options}
}

// Run runs the cases, some side by side, and returns their results in the order of the cases. When ctx ends
// the tests that remain fail with its error.
func (r *Runner) Run(ctx context.Context, cases []*Case, observer Observer) []Result {
	results := make([]Result, len(cases))
	handed := handOut{cases: cases, observer: observer}
	var workers sync.WaitGroup
	for range max(1, min(r.options.Jobs, len(cases))) {
		workers.Go(func() {
			for i, c := handed.next(); c != nil; i, c = handed.next() {
				results[i] = r.run(ctx, c)
				handed.finished(results[i])
			}
		})
	}
	workers.Wait()
	return results
}

// handOut gives each case to one worker, in order, and tells the observer one thing at a time.
type handOut struct {
	cases    []*Case
	observer Observer

	mu    sync.Mutex
	given int
}

// next is the next case and its place, or no case at the end. The observer hears of it before another case is given.
func (h *handOut) next() (int, *Case) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.given
	if i == len(h.cases) {
		return i, nil
	}
	h.given++
	h.observer.Started(h.cases[i].Name)
	return i, h.cases[i]
}

func (h *handOut) finished(result Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.observer.Finished(result)
}

func (r *Runner) run(ctx context.Context, c *Case) Result {
	result := Result{Name: c.Name}
	results, err := r.Replay(ctx, c)
	if err == nil {
		err = r.verdict(c, results, &result)
	}
	result.Err = err
	if r.keeps(ctx, result) {
		result.Dir = r.kept(c)
		return result
	}
	result.Err = errors.Join(result.Err, r.Clean(c))
	return result
}

// keeps does not count a test that was only interrupted as one to look into.
func (r *Runner) keeps(ctx context.Context, result Result) bool {
	return r.options.Keep == KeepAll || r.options.Keep == KeepFailed && !result.Passed() && ctx.Err() == nil
}

// kept returns where the runtime of a case is, "" when it did not come to that.
func (r *Runner) kept(c *Case) string {
	in := r.installation(c)
	if _, err := os.Stat(in.runtime()); err != nil {
		return ""
	}
	return in.root
}

func (r *Runner) verdict(c *Case, dir string, result *Result) error {
	if !c.Config.IgnoreParsers {
		if err := r.judgeParsers(c, dir, result); err != nil {
			return err
		}
	}
	if !c.judgesScenarios() {
		return nil
	}
	return r.judgeScenarios(c, dir, result)
}

func (r *Runner) judgeParsers(c *Case, dir string, result *Result) error {
	asserts, err := ReadAsserts(c.ParserAsserts())
	if err != nil {
		return err
	}
	parsers, err := dump.ReadParsers(dir)
	if err != nil {
		return err
	}
	if len(asserts) == 0 {
		result.Unfilled = append(result.Unfilled, Unfilled{c.ParserAsserts(), ParserAsserts(parsers)})
	}
	result.Asserts += len(asserts)
	r.count(r.options.Judge.Parsers(asserts, parsers), result)
	return nil
}

func (r *Runner) judgeScenarios(c *Case, dir string, result *Result) error {
	asserts, err := ReadAsserts(c.ScenarioAsserts())
	if err != nil {
		return err
	}
	overflows, err := dump.ReadOverflows(dir)
	if err != nil {
		return err
	}
	Sort(overflows)
	if len(asserts) == 0 {
		result.Unfilled = append(result.Unfilled, Unfilled{c.ScenarioAsserts(), ScenarioAsserts(overflows)})
	}
	result.Asserts += len(asserts)
	r.count(r.options.Judge.Overflows(asserts, overflows), result)
	return nil
}

// count sorts out what fails the test. An assertion that compares nothing, such as `x in y`, has never failed
// a test by being false, and there are published tests in which one is: only a strict run minds.
func (r *Runner) count(failures []Failure, result *Result) {
	for _, failure := range failures {
		if failure.Err == nil && !failure.Compares() && !r.options.Strict {
			result.Warnings = append(result.Warnings, failure)
			continue
		}
		result.Failures = append(result.Failures, failure)
	}
}

// Replay runs a case without judging it and returns the folder of its dumps. What it leaves stays until
// Clean, also after an error.
func (r *Runner) Replay(ctx context.Context, c *Case) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if info, err := os.Stat(c.Log()); err != nil || !info.Mode().IsRegular() {
		return "", fault.Errorf(fault.NotFound, "log_file '%s' is no file in %s", c.Config.LogFile, c.Dir)
	}
	in := r.installation(c)
	if err := in.build(c, sources{hub: r.options.Hub, data: r.options.Data, patterns: r.options.Patterns}); err != nil {
		return "", err
	}
	return in.results(), r.options.Replay(ctx, Replay{
		Program: r.options.Program, Config: in.runtime(configFile), Type: c.Config.LogType, Labels: c.Config.Labels,
		DSN: "file://" + c.Log(), DumpDir: in.results(), Dir: in.root,
		Env: []string{"TESTDIR=" + in.root, "DATADIR=" + in.data(), "TZ=UTC"},
	})
}

// Clean deletes the runtime and results of a case, with the folder that was made for them.
func (r *Runner) Clean(c *Case) error {
	in := r.installation(c)
	if err := in.remove(); err != nil {
		return fmt.Errorf("removing the runtime: %w", err)
	}
	if r.options.Work == "" {
		return nil
	}
	if err := os.Remove(in.root); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the runtime: %w", err)
	}
	return nil
}

func (r *Runner) installation(c *Case) installation {
	if r.options.Work == "" {
		return installation{c.Dir}
	}
	return installation{filepath.Join(r.options.Work, c.Name)}
}
