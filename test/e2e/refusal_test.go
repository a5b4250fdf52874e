package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefusals spoils one thing at a time: each must end the program with one line that names the file, or
// the address, and the cause, and exit code 1.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const head = "name: me/x\ndescription: x\n"
	for _, test := range []struct {
		name  string
		spoil func(in *instance)
		args  []string
		want  []string
	}{
		{"broken YAML in a parser", spoil("parsers/s00-raw/x.yaml", "name: [\n"), testOnly, []string{"x.yaml", "line"}},
		{"unknown key in a parser", spoil("parsers/s00-raw/x.yaml", head+"filtre: a\nstatics: [{meta: a, value: b}]\n"), testOnly, []string{"x.yaml", "filtre"}},
		{"unknown key in a scenario", spoil("scenarios/x.yaml", head+"type: trigger\nfilter: 'true'\ngroup: a\n"), testOnly, []string{"x.yaml", "group"}},
		{"grok that does not compile", spoil("parsers/s00-raw/x.yaml", head+"grok: {pattern: '%{WORD:a}(', apply_on: message}\n"), testOnly, []string{"x.yaml", "grok"}},
		{"grok that names no pattern", spoil("parsers/s00-raw/x.yaml", head+"grok: {pattern: '%{NOSUCH:a}', apply_on: message}\n"), testOnly, []string{"x.yaml", "NOSUCH"}},
		{"unknown field in a filter", spoil("scenarios/x.yaml", head+"type: trigger\nfilter: evt.Nope == 'a'\n"), testOnly, []string{"x.yaml", "filter", "Nope"}},
		{"unknown key in config.yaml", func(in *instance) { in.writeConfig("metrics_port: {}\n") }, testOnly, []string{"config.yaml", "metrics_port"}},
		{"unknown key in profiles.yaml", spoil("profiles.yaml", "name: a\nfilterz: []\n"), testOnly, []string{"profiles.yaml", "filterz"}},
		{"unknown key in acquis.yaml", spoil("acquis.yaml", "filename: /x\nlabels: {type: a}\nfollow: true\n"), testOnly, []string{"acquis.yaml", "follow"}},
		{"database that cannot be opened", func(in *instance) { in.write("data/crowdsec.db/file", "") }, testOnly, []string{"crowdsec.db"}},
		{"port in use", func(in *instance) { in.occupy() }, nil, []string{"address already in use"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := newInstance(t, "")
			test.spoil(in)
			fatal := in.refuses(test.args...)
			for _, want := range test.want {
				if !strings.Contains(fatal, want) {
					t.Errorf("%q is not named in: %s", want, fatal)
				}
			}
		})
	}
}

// refuses runs crowdsec, which must end with exit code 1, leave nothing behind and say why in the one line that is
// returned.
func (in *instance) refuses(args ...string) string {
	in.t.Helper()
	in.write("local_api_credentials.yaml", "url: http://"+in.address+"\nlogin: a\npassword: b\n")
	before := in.files()
	cmd := in.command("crowdsec", append([]string{"-c", in.path("config.yaml")}, args...)...)
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		in.t.Errorf("exit code %d", code)
	}
	for path := range in.files() {
		if !before[path] && !strings.HasPrefix(path, "data/crowdsec.db") {
			in.t.Errorf("%s was left behind", path)
		}
	}
	fatal := linesWith(string(out), "level=fatal")
	if len(fatal) != 1 {
		in.t.Fatalf("%d fatal lines:\n%s", len(fatal), out)
	}
	return fatal[0]
}

// testOnly makes crowdsec check its configuration and end.
var testOnly = []string{"-t"}

func spoil(relative, text string) func(in *instance) {
	return func(in *instance) { in.write(relative, text) }
}

// occupy listens where the Local API wants to.
func (in *instance) occupy() {
	in.t.Helper()
	listener, err := net.Listen("tcp", in.address)
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(func() { _ = listener.Close() })
}

// files returns the paths of all files below the instance.
func (in *instance) files() map[string]bool {
	in.t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(in.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(in.dir, path)
			found[relative] = true
		}
		return err
	})
	if err != nil {
		in.t.Fatal(err)
	}
	return found
}

func linesWith(text, mark string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, mark) {
			found = append(found, line)
		}
	}
	return found
}
