package hubtest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Replay is one run of the program crowdsec over a log, which ends with dump files.
type Replay struct {
	Program string            // crowdsec: a path, or a name to look for in PATH
	Config  string            // path of config.yaml
	Type    string            // label "type" of the lines
	Labels  map[string]string // further labels
	DSN     string
	DumpDir string
	Dir     string   // where to run, "" for here
	Env     []string // the whole environment, nil for that of this process
}

// Run runs the program to its end. No Local API is started or asked: dumping sends nothing. When the program
// does not end well the error is a *ReplayError.
func (r Replay) Run(ctx context.Context) error {
	program, err := exec.LookPath(r.Program)
	if err == nil {
		program, err = filepath.Abs(program) // it runs somewhere else
	}
	if err != nil {
		return fmt.Errorf("finding the program crowdsec: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, r.args()...) //nolint:gosec // running it is what was asked for
	cmd.Dir, cmd.Env = r.Dir, r.Env
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return &ReplayError{Program: r.Program, Output: output.String(), cause: err}
	}
	return nil
}

func (r Replay) args() []string {
	args := []string{
		"-c", r.Config, "-type", r.Type, "-dsn", r.DSN, "-dump-data", r.DumpDir, "-order-event", "-no-api",
	}
	for _, key := range slices.Sorted(maps.Keys(r.Labels)) {
		args = append(args, "-label", key+":"+r.Labels[key])
	}
	return args
}

// ReplayError says that crowdsec did not end well.
type ReplayError struct {
	Program string
	Output  string // all that it wrote
	cause   error
}

// Error returns the reason and the last line of the output, which tells why.
func (e *ReplayError) Error() string {
	lines := strings.Split(strings.TrimSpace(e.Output), "\n")
	return strings.TrimSuffix(fmt.Sprintf("running %s: %v: %s", e.Program, e.cause, lines[len(lines)-1]), ": ")
}

// Unwrap returns the cause.
func (e *ReplayError) Unwrap() error { return e.cause }
