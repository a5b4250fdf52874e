package datafile_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"shieldwall/internal/expression/datafile"
)

func TestRegexpsTellWhatTheyRequire(t *testing.T) {
	t.Parallel()
	for content, want := range map[string][]string{
		"(?i)GoBot/\n^zgrab\n": {"gobot/", "zgrab"},
		"Nikto|SQLMap\n":       {"nikto", "sqlmap"},
		"nikto\n^.+$\n":        nil, // may match anything
	} {
		dir, set := t.TempDir(), datafile.New(slog.New(slog.DiscardHandler), time.Now)
		if err := os.WriteFile(filepath.Join(dir, "list.re"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := set.Load(datafile.Entry{DestFile: "list.re", Type: "regexp"}, dir); err != nil {
			t.Fatal(err)
		}
		list, _ := set.Regexps("list.re")
		got, known := list.Required()
		slices.Sort(got)
		if known != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%q requires %q, %v", content, got, known)
		}
	}
}
