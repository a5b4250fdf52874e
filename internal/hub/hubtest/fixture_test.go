package hubtest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"shieldwall/internal/expression"
	"shieldwall/internal/hub/hubtest"
	"shieldwall/internal/logprocessor/dump"
)

// folder is a hub under test: the folder "hub", with the folder "data" beside it.
type folder struct{ root string }

// aHub has the parsers a/syslog and a/enrich, of which the latter needs places.mmdb, and the scenario a/bf.
// Its test "bf" is complete; results of the engine come from answer.
func aHub(t *testing.T) folder {
	t.Helper()
	f := folder{t.TempDir()}
	f.write(t, "hub/.index.json", `{
		"parsers": {
			"a/syslog": {"path": "parsers/s00-raw/a/syslog.yaml", "stage": "s00-raw", "version": "0.1", "versions": {}, "content": "x"},
			"a/enrich": {"path": "parsers/s02-enrich/a/enrich.yaml", "stage": "s02-enrich", "version": "0.1", "versions": {}}},
		"scenarios": {
			"a/bf": {"path": "scenarios/a/bf.yaml", "version": "0.1", "versions": {}},
			"a/untested": {"path": "scenarios/a/untested.yaml", "version": "0.1", "versions": {}}}}`)
	f.write(t, "hub/parsers/s00-raw/a/syslog.yaml", "name: a/syslog\n")
	f.write(t, "hub/parsers/s00-raw/b/syslog.yaml", "name: b/syslog\n")
	f.write(t, "hub/parsers/s02-enrich/a/enrich.yaml", "name: a/enrich\ndata: [{source_url: https://example.org/x, dest_file: places.mmdb}]\n")
	f.write(t, "hub/scenarios/a/bf.yaml", "name: a/bf\n---\nname: a/bf_user-enum\n")
	f.write(t, "data/places.mmdb", "everyone's")
	f.write(t, "data/own/places.mmdb", "my own")
	f.write(t, "hub/.tests/bf/config.yaml", "parsers: [a/syslog, a/enrich, '']\nscenarios: [a/bf]\npostoverflows: ['']\n"+
		"log_file: bf.log\nlog_type: syslog\nlabels: {program: sshd}\ncollections: [a/ignored]\n")
	f.write(t, "hub/.tests/bf/bf.log", "a line\n")
	f.write(t, "hub/.tests/bf/parser.assert", "len(results) == 2\nresults[\"s00-raw\"][\"a/syslog\"][0].Success == true\n")
	f.write(t, "hub/.tests/bf/scenario.assert", "len(results) == 1\nresults[0].Overflow.Alert.GetScenario() == \"a/bf\"\n")
	return f
}

func (f folder) path(path string) string { return filepath.Join(f.root, path) }

func (f folder) write(t *testing.T, path, text string) {
	t.Helper()
	path = f.path(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f folder) exists(path string) bool {
	_, err := os.Lstat(f.path(path))
	return err == nil
}

func (f folder) open(t *testing.T) *hubtest.Hub {
	t.Helper()
	h, err := hubtest.Open(f.path("hub"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (f folder) cases(t *testing.T, names ...string) []*hubtest.Case {
	t.Helper()
	var cases []*hubtest.Case
	for _, name := range names {
		c, err := f.open(t).Case(name)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// run runs the test "bf". Change may alter the options.
func (f folder) run(t *testing.T, change func(*hubtest.Options)) hubtest.Result {
	t.Helper()
	options := hubtest.Options{Hub: f.open(t), Data: f.path("data"), Program: "crowdsec", Jobs: 1, Judge: newJudge(), Replay: answer}
	if change != nil {
		change(&options)
	}
	return hubtest.NewRunner(options).Run(t.Context(), f.cases(t, "bf"), nobody{})[0]
}

func newJudge() *hubtest.Judge { return hubtest.NewJudge(expression.New(expression.Deps{})) }

type nobody struct{}

func (nobody) Started(string) {}

func (nobody) Finished(hubtest.Result) {}

const (
	parserDump   = "s00-raw:\n  a/syslog:\n    - {idx: 1, success: true, evt: {Parsed: {program: sshd}}}\nsuccess: {'': []}\n"
	overflowDump = "- Type: 1\n  Overflow: {Sources: {192.0.2.1: {value: 192.0.2.1}}, Alert: {scenario: a/bf}}\n"
)

// answer stands for the engine: it leaves dumps of a run in which a/bf overflowed.
func answer(_ context.Context, r hubtest.Replay) error {
	return leave(r.DumpDir, parserDump, overflowDump)
}

func leave(dir, parsers, overflows string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for name, text := range map[string]string{dump.ParserFile: parsers, dump.OverflowFile: overflows, dump.PourFile: "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
