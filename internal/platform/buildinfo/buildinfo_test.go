package buildinfo

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-21T10:00:00Z"}}
	for name, c := range map[string]struct {
		linked   Info
		recorded debug.BuildInfo
		want     Info
	}{
		"linked": {
			Info{Version: "v1.2.3", Codename: "a", BuildDate: "b", System: "docker"},
			debug.BuildInfo{Main: debug.Module{Version: "v9.9.9"}, Settings: commit},
			Info{Version: "v1.2.3", Codename: "a", BuildDate: "b", System: "docker"},
		},
		"linked without v": {
			Info{Version: "1.2.3"},
			debug.BuildInfo{},
			Info{Version: "v1.2.3", Codename: "shieldwall", System: "linux"},
		},
		"module": {
			Info{},
			debug.BuildInfo{Main: debug.Module{Version: "v1.0.0"}},
			Info{Version: "v1.0.0", Codename: "shieldwall", System: "linux"},
		},
		"commit": {
			Info{},
			debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: commit},
			Info{Version: "v0.0.0-0123456789ab", Codename: "shieldwall", BuildDate: "2026-11-21T10:00:00Z", System: "linux"},
		},
		"nothing": {Info{}, debug.BuildInfo{}, Info{Version: "v0.0.0", Codename: "shieldwall", System: "linux"}},
	} {
		if got := complete(c.linked, &c.recorded); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestTextIsWhatScriptsGrep(t *testing.T) {
	t.Parallel()
	info := Info{Version: "v1.7.4", Codename: "c", BuildDate: "d", GoVersion: "1.26.8", System: "linux"}
	const want = `version: v1.7.4
Codename: c
BuildDate: d
GoVersion: 1.26.8
Platform: linux
libre2: none
User-Agent: crowdsec/v1.7.4-linux
Constraint_parser: >= 1.0, <= 3.0
Constraint_scenario: >= 1.0, <= 3.0
Constraint_api: v1
Constraint_acquis: >= 1.0, < 2.0
Built-in optional components: datasource_file, db_sqlite
`
	if got := info.Text([]string{"datasource_file", "db_sqlite"}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestUserAgentOfThisProgramIsAccepted(t *testing.T) {
	t.Parallel()
	agent := Read().UserAgent()
	if !strings.HasPrefix(agent, "crowdsec/v") || strings.Count(agent, "/") != 1 {
		t.Errorf("user agent %q", agent)
	}
}
