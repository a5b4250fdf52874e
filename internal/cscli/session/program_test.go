package session

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgramsBesideThisOneComeFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "crowdsec"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, name, want string }{
		{dir, "crowdsec", filepath.Join(dir, "crowdsec")},
		{dir, "other", "other"},
		{dir, "./crowdsec", "./crowdsec"},
		{dir, "/usr/bin/crowdsec", "/usr/bin/crowdsec"},
		{"", "crowdsec", "crowdsec"},
	} {
		s := &Session{Env: Env{ProgramDir: c.dir}}
		if got := s.Program(c.name); got != c.want {
			t.Errorf("%s beside %q: got %s, want %s", c.name, c.dir, got, c.want)
		}
	}
}
