package tutorial

import (
	"slices"
	"strings"
	"testing"
)

// unit is what a service manager reads in the file of a service.
type unit struct {
	kind        string // Type=
	environment []string
	privateTmp  bool
	folders     []string // that are made before the start
	before      [][]string
	start       []string
	after       [][]string
	reload      [][]string
}

// parseUnit reads the lines that matter here; those that only take rights away are systemd's.
func parseUnit(text string) unit {
	u := unit{kind: "simple"}
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		key, value, assigned := strings.Cut(strings.TrimSpace(line), "=")
		if !assigned || strings.HasPrefix(key, "#") {
			continue
		}
		words := strings.Fields(value)
		switch key {
		case "Type":
			u.kind = value
		case "Environment":
			u.environment = append(u.environment, words...)
		case "PrivateTmp":
			u.privateTmp = slices.Contains([]string{"yes", "true", "on", "1"}, value)
		case "StateDirectory":
			u.folders = append(u.folders, "/var/lib/"+value)
		case "ExecStartPre":
			u.before = append(u.before, words)
		case "ExecStart":
			u.start = words
		case "ExecStartPost":
			u.after = append(u.after, words)
		case "ExecReload":
			u.reload = append(u.reload, words)
		}
	}
	return u
}

func TestParseUnit(t *testing.T) {
	t.Parallel()
	u := parseUnit("[Service]\nType=notify\n#ExecStartPost=/bin/sleep 1\nEnvironment=A=1 B=2\nExecStartPre=/x -t\n" +
		"ExecStart=/x \\\n  -no-api\nExecReload=/bin/kill -HUP $MAINPID\n")
	switch {
	case u.kind != "notify", !slices.Equal(u.environment, []string{"A=1", "B=2"}), len(u.before) != 1, len(u.after) != 0,
		!slices.Equal(u.start, []string{"/x", "-no-api"}), len(u.reload) != 1, !slices.Equal(u.reload[0], []string{"/bin/kill", "-HUP", "$MAINPID"}):
		t.Errorf("got %+v", u)
	}
}
