package hubtest_test

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"shieldwall/internal/cscli"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/buildinfo"
)

// TestMain puts a program in PATH that stands for crowdsec. It is written before anything runs: a program
// that starts meanwhile would keep it from being run.
func TestMain(m *testing.M) {
	code, err := withEngine(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withEngine(run func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "crowdsec"), engine, 0o700); err != nil {
		return 0, err
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return 0, err
	}
	return run(), nil
}

// engine takes the dumps from the folder "dumps" beside the log or the configuration, and fails over a log
// that says so.
//
//go:embed testdata/crowdsec.sh
var engine []byte

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"cscli": run},
	})
}

// run is the command cscli in this process. A script says what is on standard input in the file "stdin", and
// that standard output is a terminal with TERMINAL=1.
func run(ts *testscript.TestScript, neg bool, args []string) {
	stdin, err := os.ReadFile(ts.MkAbs("stdin"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		ts.Check(err)
	}
	env := session.Env{
		Stdin: strings.NewReader(string(stdin)), Stdout: ts.Stdout(), Stderr: ts.Stderr(),
		StdoutTerminal: ts.Getenv("TERMINAL") != "",
		ReadPassword:   func() (string, error) { return "", io.EOF },
		LookupEnv:      func(name string) (string, bool) { return ts.Getenv(name), ts.Getenv(name) != "" },
		Now:            func() time.Time { return time.Date(2026, 11, 21, 19, 22, 13, 0, time.UTC) },
		Random:         rand.Reader,
		Build:          buildinfo.Info{Version: "v1.7.4", System: "linux"},
	}
	if code := cscli.Main(context.Background(), env, args); neg != (code == 1) || code > 1 {
		ts.Fatalf("unexpected exit code %d", code)
	}
}
