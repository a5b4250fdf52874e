package hubtest_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub/hubtest"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestNamesAreThoseOfTests(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/another/config.yaml", "")
	f.write(t, "hub/.tests/template_config2.yaml", "")
	f.write(t, "hub/.tests/no-test/notes.txt", "")
	if names, err := f.open(t).Names(); err != nil || !slices.Equal(names, []string{"another", "bf"}) {
		t.Errorf("got %v, %v", names, err)
	}
	h, err := hubtest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Names(); !fault.Is(err, fault.NotFound) {
		t.Errorf("a folder without tests: %v", err)
	}
}

func TestCaseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/broken/config.yaml", "parsers: {}\n")
	for name, kind := range map[string]fault.Kind{"nothing": fault.NotFound, "../x": fault.Invalid, "broken": fault.Invalid} {
		if _, err := f.open(t).Case(name); !fault.Is(err, kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	h := f.open(t)
	config := hubtest.Config{Parsers: []string{"a/syslog"}, Scenarios: []string{""}, Postoverflows: []string{""}, LogFile: "new.log", LogType: "nginx"}
	if _, err := h.Create("new", config); err != nil {
		t.Fatal(err)
	}
	c, err := h.Case("new")
	if err != nil || !reflect.DeepEqual(c.Config, config) {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, file := range []string{"new.log", "parser.assert", "scenario.assert"} {
		if !f.exists("hub/.tests/new/" + file) {
			t.Errorf("%s is missing", file)
		}
	}
	if _, err := h.Create("new", config); !fault.Is(err, fault.Exists) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := h.Create("a/b", config); !fault.Is(err, fault.Invalid) {
		t.Errorf("a path: %v", err)
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/other/config.yaml", "")
	f.write(t, "hub/.tests/other/scenario.assert", "\"a/untested\" != ''\nresults[1].Overflow.Alert.GetScenario()==\"a/bf\"")
	cases := f.cases(t, "bf", "other")
	parsers, err := f.open(t).ParserCoverage(cases)
	if want := []hubtest.Coverage{{Name: "a/enrich"}, {"a/syslog", []string{"bf"}}}; err != nil || !reflect.DeepEqual(parsers, want) {
		t.Errorf("parsers %v, %v", parsers, err)
	}
	scenarios, err := f.open(t).ScenarioCoverage(cases)
	if want := []hubtest.Coverage{{"a/bf", []string{"bf", "other"}}, {Name: "a/untested"}}; err != nil || !reflect.DeepEqual(scenarios, want) {
		t.Errorf("scenarios %v, %v", scenarios, err)
	}
	if hubtest.Percent(parsers) != 50 || hubtest.Percent(nil) != 0 || hubtest.Percent(scenarios[:1]) != 100 {
		t.Errorf("percent %d, %d, %d", hubtest.Percent(parsers), hubtest.Percent(nil), hubtest.Percent(scenarios[:1]))
	}
}

// program writes a script that stands for crowdsec, and returns its path. Tests that use it do not run side by
// side: a program that starts while another test holds the script open for writing keeps it from being run.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crowdsec")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayRunsTheProgram(t *testing.T) {
	dir := t.TempDir()
	replay := hubtest.Replay{
		Program: program(t, `echo "$@" > said; echo "$TESTDIR $TZ ${HOME-no home}" >> said`+"\n"),
		Config:  "/c.yaml", Type: "nginx", Labels: map[string]string{"b": "2", "a": "1"}, DSN: "file:///x.log", DumpDir: "/dump",
		Dir: dir, Env: []string{"TESTDIR=/t", "TZ=UTC"},
	}
	if err := replay.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := "-c /c.yaml -type nginx -dsn file:///x.log -dump-data /dump -order-event -no-api -label a:1 -label b:2\n/t UTC no home\n"
	if got, err := os.ReadFile(filepath.Join(dir, "said")); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestReplaySaysWhyItFailed(t *testing.T) {
	err := hubtest.Replay{Program: program(t, "echo starting; echo 'no such parser' >&2; exit 3\n")}.Run(t.Context())
	failure, ok := errors.AsType[*hubtest.ReplayError](err)
	if !ok || failure.Output != "starting\nno such parser\n" || !strings.HasSuffix(err.Error(), "exit status 3: no such parser") {
		t.Errorf("got %v", err)
	}
	if err := (hubtest.Replay{Program: filepath.Join(t.TempDir(), "crowdsec")}).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing program: %v", err)
	}
}
