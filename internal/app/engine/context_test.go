package engine_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestLocalContext(t *testing.T) {
	t.Parallel()
	const good, bad = "user: [evt.Meta.user]\n", "user:\n- evt.Meta.user\n- evt.Nope\n"
	for name, test := range map[string]struct {
		service string // keys of crowdsec_service
		files   map[string]string
		want    string // of the error
	}{
		"none":                    {"", nil, ""},
		"default place":           {"", map[string]string{"console/context.yaml": good}, ""},
		"default place, broken":   {"", map[string]string{"console/context.yaml": bad}, "console/context.yaml: line 3: context user: "},
		"configured":              {"console_context_path: 'DIR/mine.yaml'", map[string]string{"mine.yaml": good, "console/context.yaml": bad}, ""},
		"configured, but missing": {"console_context_path: 'DIR/mine.yaml'", map[string]string{"console/context.yaml": good}, "console_context_path: open DIR/mine.yaml"},
		"an installed item":       {"", map[string]string{"contexts/a.yaml": "context:\n  user: [evt.Nope]\n"}, "contexts/a.yaml: line 2: context user: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFiles(t, dir, test.files)
			_, err := check(t, dir, filepath.Join(dir, "hub"), strings.ReplaceAll(test.service, "DIR", dir))
			want := strings.ReplaceAll(test.want, "DIR", dir)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
