package e2e

import (
	"strings"
	"testing"
)

// TestLanguage runs the test cases of testdata/language, which say line by line what the published description of the
// detection language says: how nodes, stages, statics, patterns, helpers, data files, stashes, whitelists, every type of
// scenario, scopes, postoverflows and feedback behave.
func TestLanguage(t *testing.T) {
	t.Parallel()
	in := newInstance(t, "")
	out, err := in.command("cscli", "-c", in.path("config.yaml"), "hubtest", "run", "--all", "--strict",
		"--hub", "testdata/language/hub", "--workdir", in.path("work")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range linesWith(string(out), "tests: ") {
		t.Logf("measured: %s", strings.TrimSpace(line))
	}
}
