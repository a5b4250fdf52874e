package hubtest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/hubtest"
)

func TestPassingTestLeavesNothing(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	result := f.run(t, nil)
	if !result.Passed() || result.Asserts != 4 || result.Dir != "" {
		t.Errorf("got %+v", result)
	}
	if f.exists("hub/.tests/bf/runtime") || f.exists("hub/.tests/bf/results") {
		t.Error("runtime or results are still there")
	}
}

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	broken := func(context.Context, hubtest.Replay) error { return errors.New("broken engine") }
	for name, test := range map[string]struct {
		keep   hubtest.Keep
		replay func(context.Context, hubtest.Replay) error
		kept   bool
	}{
		"failed, passing": {hubtest.KeepFailed, answer, false},
		"failed, failing": {hubtest.KeepFailed, broken, true},
		"all, passing":    {hubtest.KeepAll, answer, true},
		"nothing":         {hubtest.KeepNothing, broken, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := aHub(t)
			work := t.TempDir()
			result := f.run(t, func(o *hubtest.Options) { o.Keep, o.Replay, o.Work = test.keep, test.replay, work })
			left, err := os.ReadDir(work)
			if err != nil || (len(left) == 1) != test.kept || (result.Dir != "") != test.kept {
				t.Errorf("left %v, %v; result %+v", left, err, result)
			}
			if f.exists("hub/.tests/bf/runtime") {
				t.Error("the hub was written to")
			}
		})
	}
}

func TestResultSaysWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/parser.assert", "\nlen(results) == 3\n")
	f.write(t, "hub/.tests/bf/scenario.assert", "results[4].Overflow.Alert.GetScenario() == \"a/bf\"\n")
	result := f.run(t, nil)
	if result.Passed() || len(result.Failures) != 2 || result.Asserts != 2 {
		t.Fatalf("got %+v", result)
	}
	if got := result.Failures[0]; got.File != "parser.assert" || got.Line != 2 || got.Actual != "2" || got.Err != nil {
		t.Errorf("got %+v", got)
	}
	if got := result.Failures[1]; got.File != "scenario.assert" || got.Err == nil {
		t.Errorf("got %+v", got)
	}
}

func TestOnlyStrictRunsMindWhatComparesNothing(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/scenario.assert", "\"192.0.2.9\" in results[0].Overflow.GetSources()\n")
	if result := f.run(t, nil); !result.Passed() || len(result.Warnings) != 1 {
		t.Errorf("got %+v", result)
	}
	if result := f.run(t, func(o *hubtest.Options) { o.Strict = true }); result.Passed() || len(result.Failures) != 1 {
		t.Errorf("strict: got %+v", result)
	}
	f.write(t, "hub/.tests/bf/scenario.assert", "\"192.0.2.9\" in results[7].Overflow.GetSources()\n")
	if result := f.run(t, nil); result.Passed() {
		t.Errorf("what cannot be evaluated passed: %+v", result)
	}
}

func TestEmptyAssertFilesGetProposals(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/parser.assert", "\n \n")
	if err := os.Remove(f.path("hub/.tests/bf/scenario.assert")); err != nil {
		t.Fatal(err)
	}
	result := f.run(t, nil)
	if result.Passed() || len(result.Unfilled) != 2 {
		t.Fatalf("got %+v", result)
	}
	for i, want := range []string{`results["s00-raw"]["a/syslog"][0].Evt.Parsed["program"] == "sshd"`, `results[0].Overflow.Alert.GetScenario() == "a/bf"`} {
		if !strings.Contains(result.Unfilled[i].Text, want+"\n") {
			t.Errorf("%s proposes\n%s", result.Unfilled[i].Path, result.Unfilled[i].Text)
		}
		f.write(t, "hub/.tests/bf/"+filepath.Base(result.Unfilled[i].Path), result.Unfilled[i].Text)
	}
	if result := f.run(t, func(o *hubtest.Options) { o.Strict = true }); !result.Passed() {
		t.Errorf("proposals do not hold: %+v", result)
	}
}

func TestWhatIsNotAskedForIsNotJudged(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/config.yaml", "parsers: [a/syslog]\nscenarios: ['']\nlog_file: bf.log\nlog_type: syslog\nignore_parsers: true\n")
	f.write(t, "hub/.tests/bf/parser.assert", "false")
	f.write(t, "hub/.tests/bf/scenario.assert", "false")
	if result := f.run(t, nil); !result.Passed() || result.Asserts != 0 {
		t.Errorf("got %+v", result)
	}
}

// installed runs "bf" and returns the replay with what look sees while it runs.
func (f folder) installed(t *testing.T, look func(hubtest.Replay)) hubtest.Result {
	t.Helper()
	return f.run(t, func(o *hubtest.Options) {
		o.Replay = func(ctx context.Context, r hubtest.Replay) error {
			look(r)
			return answer(ctx, r)
		}
	})
}

func TestInstallation(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	root := f.path("hub/.tests/bf")
	result := f.installed(t, func(r hubtest.Replay) {
		if want := []string{"TESTDIR=" + root, "DATADIR=" + root + "/runtime/data", "TZ=UTC"}; !slices.Equal(r.Env, want) {
			t.Errorf("environment %v", r.Env)
		}
		if r.Type != "syslog" || r.Labels["program"] != "sshd" || r.DSN != "file://"+root+"/bf.log" || r.Dir != root ||
			r.Config != root+"/runtime/config.yaml" || r.DumpDir != root+"/results" {
			t.Errorf("replay %+v", r)
		}
		inventory, err := hub.Scan(hub.Paths{
			HubDir: root + "/runtime/hub", IndexPath: root + "/runtime/hub/.index.json", ConfigDir: root + "/runtime",
		}, silent())
		if err != nil {
			t.Fatal(err)
		}
		for _, items := range [][]hub.Item{inventory.Installed(hub.Parsers), inventory.Installed(hub.Scenarios)} {
			for _, item := range items {
				if item.Local() {
					t.Errorf("%s is a local item", item.Name)
				}
			}
		}
		if got := inventory.Names(hub.Parsers); !slices.Equal(got, []string{"a/enrich", "a/syslog"}) {
			t.Errorf("parsers %v", got)
		}
		for name, want := range map[string]string{"data/places.mmdb": "everyone's", "simulation.yaml": "simulation: false\n", "acquis.yaml": ""} {
			if text, err := os.ReadFile(filepath.Join(root, "runtime", name)); err != nil || string(text) != want {
				t.Errorf("%s is %q, %v", name, text, err)
			}
		}
	})
	if !result.Passed() {
		t.Errorf("got %+v", result)
	}
}

func TestLocalItems(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/parsers/s01-parse/mine.yaml", "name: mine\n")
	f.write(t, "hub/.tests/bf/config.yaml", "parsers: [a/syslog, ./parsers/s00-raw/a/syslog.yaml, parsers/s00-raw/b/syslog.yaml, "+
		"parsers/s01-parse/mine.yaml]\nscenarios: [./scenarios/a/bf.yaml]\nlog_file: bf.log\nlog_type: syslog\n")
	result := f.installed(t, func(r hubtest.Replay) {
		var got []string
		for _, pattern := range []string{"parsers/*/*.yaml", "scenarios/*.yaml"} {
			paths, _ := filepath.Glob(filepath.Join(filepath.Dir(r.Config), pattern))
			for _, path := range paths {
				info, err := os.Lstat(path)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, strings.TrimPrefix(path, filepath.Dir(r.Config)+"/")+" "+info.Mode().Type().String())
			}
		}
		want := []string{
			"parsers/s00-raw/b_syslog.yaml ----------", "parsers/s00-raw/syslog.yaml L---------",
			"parsers/s01-parse/mine.yaml ----------", "scenarios/bf.yaml ----------",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
	if !result.Passed() {
		t.Errorf("got %+v", result)
	}
}

func TestOverridesAndTemplates(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/template_config2.yaml", "# theirs\n")
	f.write(t, "hub/.tests/bf/config.yaml", "scenarios: [a/bf]\nlog_file: bf.log\nlog_type: syslog\nignore_parsers: true\n"+
		"override_statics:\n  - target: evt.StrTime\n    value: yesterday\n")
	f.installed(t, func(r hubtest.Replay) {
		runtime := filepath.Dir(r.Config)
		for name, want := range map[string]string{
			"config.yaml":                       "# theirs\n",
			"parsers/s00-raw/00_overrides.yaml": "name: overrides\nfilter: 1==1\nstatics:\n    - target: evt.StrTime\n      value: yesterday\n",
		} {
			if text, err := os.ReadFile(filepath.Join(runtime, name)); err != nil || string(text) != want {
				t.Errorf("%s is %q, %v", name, text, err)
			}
		}
	})
}

func TestOwnDataIsPreferredWhenAskedFor(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/.tests/bf/config.yaml", "parsers: [a/enrich]\nlog_file: bf.log\nlog_type: syslog\nown_data_dir: true\nignore_parsers: true\n")
	f.installed(t, func(r hubtest.Replay) {
		if text, err := os.ReadFile(filepath.Join(filepath.Dir(r.Config), "data", "places.mmdb")); err != nil || string(text) != "my own" {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

// TestDataThatNobodyDownloads: a hub whose items name no source_url has its data files all the same, as far as they are
// there.
func TestDataThatNobodyDownloads(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/parsers/s02-enrich/a/enrich.yaml", "data: [{dest_file: places.mmdb}, {dest_file: rare.txt, type: string}]\n")
	result := f.installed(t, func(r hubtest.Replay) {
		data := filepath.Join(filepath.Dir(r.Config), "data")
		if text, err := os.ReadFile(filepath.Join(data, "places.mmdb")); err != nil || string(text) != "everyone's" {
			t.Errorf("got %q, %v", text, err)
		}
		if _, err := os.Lstat(filepath.Join(data, "rare.txt")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
	})
	if !result.Passed() {
		t.Errorf("got %+v", result)
	}
}

func TestPatternsAreThoseOfTheConfiguration(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "patterns/mine", "MINE x\n")
	f.run(t, func(o *hubtest.Options) {
		o.Patterns = f.path("patterns")
		o.Replay = func(ctx context.Context, r hubtest.Replay) error {
			if _, err := os.Stat(filepath.Join(filepath.Dir(r.Config), "patterns", "mine")); err != nil {
				t.Error(err)
			}
			return answer(ctx, r)
		}
	})
}

func TestErrorsNameTheCause(t *testing.T) {
	t.Parallel()
	head := "log_file: bf.log\nlog_type: syslog\n"
	for name, test := range map[string]struct {
		path, text string
		want       string
	}{
		"unknown parser":    {"hub/.tests/bf/config.yaml", head + "parsers: [a/nothing]\n", "parsers: 'a/nothing' is neither"},
		"no stage":          {"hub/.tests/bf/config.yaml", head + "parsers: [bf.log]\n", "'bf.log' does not lie in parsers/<stage>/"},
		"missing log":       {"hub/.tests/bf/config.yaml", "log_file: other.log\nlog_type: syslog\n", "log_file 'other.log'"},
		"data file outside": {"hub/parsers/s02-enrich/a/enrich.yaml", "data: [{source_url: x, dest_file: ../x}]\n", "'../x' lies outside"},
		"missing data file": {"hub/parsers/s02-enrich/a/enrich.yaml", "data: [{source_url: x, dest_file: rare.txt}]\n", "a/enrich: data file rare.txt is missing in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := aHub(t)
			f.write(t, test.path, test.text)
			if result := f.run(t, nil); result.Err == nil || !strings.Contains(result.Err.Error(), test.want) {
				t.Errorf("got %v", result.Err)
			}
		})
	}
}

func TestAllMissingDataFilesAreNamed(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.write(t, "hub/parsers/s00-raw/a/syslog.yaml", "data: [{source_url: x, dest_file: first.txt}, {dest_file: not downloaded}]\n")
	result := f.run(t, func(o *hubtest.Options) { o.Data = "" })
	for _, file := range []string{"first.txt", "places.mmdb"} {
		if !fault.Is(result.Err, fault.NotFound) || !strings.Contains(result.Err.Error(), file) {
			t.Errorf("%s is not named in %v", file, result.Err)
		}
	}
}

// watcher counts the tests that run.
type watcher struct{ started, finished []string }

func (w *watcher) Started(name string) { w.started = append(w.started, name) }

func (w *watcher) Finished(result hubtest.Result) { w.finished = append(w.finished, result.Name) }

func TestTestsRunSideBySideAndComeBackInOrder(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	names := []string{"t1", "t2", "t3", "t4", "t5"}
	for _, name := range names {
		f.write(t, "hub/.tests/"+name+"/config.yaml", "log_file: x.log\nlog_type: syslog\nignore_parsers: true\n")
		f.write(t, "hub/.tests/"+name+"/x.log", "x\n")
	}
	var running atomic.Int32
	both := make(chan struct{})
	options := hubtest.Options{Hub: f.open(t), Jobs: 2, Judge: newJudge(), Replay: func(ctx context.Context, r hubtest.Replay) error {
		if running.Add(1) == 2 {
			close(both) // the first two wait for each other
		}
		<-both
		return answer(ctx, r)
	}}
	var seen watcher
	var got []string
	for _, result := range hubtest.NewRunner(options).Run(t.Context(), f.cases(t, names...), &seen) {
		got = append(got, result.Name)
		if !result.Passed() {
			t.Errorf("got %+v", result)
		}
	}
	slices.Sort(seen.finished)
	if !slices.Equal(got, names) || !slices.Equal(seen.started, names) || !slices.Equal(seen.finished, names) {
		t.Errorf("got %v, seen %+v", got, seen)
	}
}

func TestNothingRunsAfterTheEnd(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	options := hubtest.Options{Hub: f.open(t), Jobs: 1, Replay: func(context.Context, hubtest.Replay) error {
		t.Error("the engine was started")
		return nil
	}}
	results := hubtest.NewRunner(options).Run(ctx, f.cases(t, "bf"), nobody{})
	if !errors.Is(results[0].Err, context.Canceled) {
		t.Errorf("got %+v", results[0])
	}
}

func TestInterruptedTestLeavesNothing(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	ctx, cancel := context.WithCancel(t.Context())
	options := hubtest.Options{Hub: f.open(t), Data: f.path("data"), Jobs: 1, Replay: func(ctx context.Context, _ hubtest.Replay) error {
		cancel()
		return ctx.Err()
	}}
	results := hubtest.NewRunner(options).Run(ctx, f.cases(t, "bf"), nobody{})
	if results[0].Passed() || f.exists("hub/.tests/bf/runtime") {
		t.Errorf("got %+v", results[0])
	}
}

func TestBrokenDumpsFailTheTest(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	result := f.run(t, func(o *hubtest.Options) {
		o.Replay = func(_ context.Context, r hubtest.Replay) error { return leave(r.DumpDir, "nonsense", "[]") }
	})
	if !fault.Is(result.Err, fault.Invalid) {
		t.Errorf("got %+v", result)
	}
}

func TestCleanRemovesWhatWasKept(t *testing.T) {
	t.Parallel()
	f := aHub(t)
	f.run(t, func(o *hubtest.Options) { o.Keep = hubtest.KeepAll })
	if !f.exists("hub/.tests/bf/runtime") || !f.exists("hub/.tests/bf/results") {
		t.Fatal("nothing was kept")
	}
	if err := hubtest.NewRunner(hubtest.Options{Hub: f.open(t)}).Clean(f.cases(t, "bf")[0]); err != nil {
		t.Fatal(err)
	}
	if f.exists("hub/.tests/bf/runtime") || f.exists("hub/.tests/bf/results") || !f.exists("hub/.tests/bf/config.yaml") {
		t.Error("too much or too little was removed")
	}
}
