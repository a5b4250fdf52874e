package plan_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/plan"
)

const index = `{
 "parsers": {
  "a/p": {"path": "parsers/s/a/p.yaml", "stage": "s", "version": "2", "versions": {
   "1": {"digest": "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"},
   "2": {"digest": "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"}}}},
 "scenarios": {"a/s": {"path": "scenarios/a/s.yaml", "version": "2", "versions": {
   "2": {"digest": "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"}}}},
 "collections": {
  "a/c": {"path": "collections/a/c.yaml", "version": "2", "parsers": ["a/p"], "scenarios": ["a/s", "a/nobody"], "versions": {
   "2": {"digest": "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"}}},
  "a/d": {"path": "collections/a/d.yaml", "version": "2", "parsers": ["a/p"], "versions": {
   "2": {"digest": "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"}}}}}`

// survey returns what is there when items have these texts ("new" is version 2, "old" version 1); "-" before the text means
// that the item is downloaded only.
func survey(t *testing.T, texts map[string]string) *hub.Holdings {
	t.Helper()
	root := t.TempDir()
	paths := hub.Paths{HubDir: filepath.Join(root, "hub"), ConfigDir: root}
	catalog, err := hub.DecodeCatalog([]byte(index))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range texts {
		text, only := strings.CutPrefix(text, "-")
		file := filepath.Join(paths.HubDir, path)
		folder, name := filepath.Split(path)
		link := filepath.Join(root, filepath.Dir(filepath.Clean(folder)), name)
		for _, step := range []error{os.MkdirAll(filepath.Dir(file), 0o750), os.WriteFile(file, []byte(text), 0o600), os.MkdirAll(filepath.Dir(link), 0o750)} {
			if step != nil {
				t.Fatal(step)
			}
		}
		if only {
			continue
		}
		if err := os.Symlink(file, link); err != nil {
			t.Fatal(err)
		}
	}
	holdings, err := hub.SurveyCatalog(catalog, paths, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return holdings
}

func steps(p plan.Plan) string {
	var all []string
	for _, step := range p.Steps {
		word := map[plan.Operation]string{plan.Download: "get", plan.Enable: "on", plan.Disable: "off", plan.Purge: "purge", plan.Refresh: "refresh"}[step.Operation]
		if step.Item != nil {
			word += " " + step.Item.Name
		}
		all = append(all, word)
	}
	return strings.Join(all, ", ")
}

const (
	p, s, c, d = "parsers/s/a/p.yaml", "scenarios/a/s.yaml", "collections/a/c.yaml", "collections/a/d.yaml"
)

func items(holdings *hub.Holdings, names ...string) (found []*hub.Holding) {
	for _, name := range names {
		kind := map[string]hub.Kind{"a/p": hub.Parsers, "a/s": hub.Scenarios, "a/c": hub.Collections, "a/d": hub.Collections}[name]
		found = append(found, holdings.Find(hub.Ref{Kind: kind, Name: name}))
	}
	return found
}

func TestInstallAndUpgrade(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		texts   map[string]string
		named   []string
		options plan.Options
		install string
		upgrade string
	}{
		"nothing there":  {nil, []string{"a/c"}, plan.Options{}, "get a/p, on a/p, get a/s, on a/s, get a/c, on a/c", "refresh"},
		"each once":      {nil, []string{"a/c", "a/d", "a/c"}, plan.Options{}, "get a/p, on a/p, get a/s, on a/s, get a/c, on a/c, get a/d, on a/d", "refresh"},
		"download only":  {nil, []string{"a/d"}, plan.Options{DownloadOnly: true}, "get a/p, get a/d", "refresh"},
		"was downloaded": {map[string]string{p: "-new"}, []string{"a/p"}, plan.Options{}, "on a/p", "refresh"},
		"is there":       {map[string]string{p: "new"}, []string{"a/p"}, plan.Options{Force: true}, "", "refresh"},
		"outdated":       {map[string]string{p: "old", d: "new"}, []string{"a/d"}, plan.Options{}, "get a/p", "get a/p, refresh"},
		"tainted":        {map[string]string{p: "mine", d: "new"}, []string{"a/d", "a/p"}, plan.Options{}, "", "refresh"},
		"by force":       {map[string]string{p: "mine", d: "new"}, []string{"a/d"}, plan.Options{Force: true}, "get a/p", "get a/p, refresh"},
		"missing":        {map[string]string{d: "new"}, []string{"a/d"}, plan.Options{Force: true}, "get a/p, on a/p", "get a/p, on a/p, refresh"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdings := survey(t, test.texts)
			if got := steps(plan.Install(holdings, items(holdings, test.named...), test.options)); got != test.install {
				t.Errorf("install: %s", got)
			}
			if got := steps(plan.Upgrade(holdings, items(holdings, test.named...), test.options)); got != test.upgrade {
				t.Errorf("upgrade: %s", got)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	all := map[string]string{p: "new", s: "new", c: "new", d: "new"}
	for name, test := range map[string]struct {
		texts   map[string]string
		named   []string
		options plan.Options
		want    string
		notice  string
	}{
		"a part":             {all, []string{"a/p"}, plan.Options{}, "", "a/p belongs to collections: [a/c a/d]"},
		"a part, by force":   {all, []string{"a/p"}, plan.Options{Force: true}, "off a/p", ""},
		"what others need":   {all, []string{"a/c"}, plan.Options{}, "off a/s, off a/c", ""},
		"with all":           {all, []string{"a/c", "a/d"}, plan.Options{Purge: true}, "off a/p, purge a/p, off a/s, purge a/s, off a/c, purge a/c, off a/d, purge a/d", ""},
		"not installed":      {map[string]string{p: "-new"}, []string{"a/p"}, plan.Options{}, "", ""},
		"downloaded only":    {map[string]string{p: "-new"}, []string{"a/p"}, plan.Options{Purge: true}, "purge a/p", ""},
		"tainted, by force":  {map[string]string{p: "mine"}, []string{"a/p"}, plan.Options{Force: true}, "off a/p", ""},
		"a parser of nobody": {map[string]string{p: "new"}, []string{"a/p", "a/p"}, plan.Options{}, "off a/p", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdings := survey(t, test.texts)
			got, err := plan.Remove(holdings, items(holdings, test.named...), test.options)
			notice := ""
			if len(got.Notices) > 0 {
				notice = got.Notices[0].Text
			}
			if err != nil || steps(got) != test.want || notice != test.notice {
				t.Errorf("got %s, %q, %v", steps(got), notice, err)
			}
		})
	}
	holdings := survey(t, map[string]string{p: "mine", d: "new"})
	if _, err := plan.Remove(holdings, items(holdings, "a/d"), plan.Options{}); !fault.Is(err, fault.Invalid) ||
		err.Error() != "a/d is tainted, use '--force' to remove" {
		t.Errorf("tainted: %v", err)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	holdings := survey(t, map[string]string{p: "mine"})
	got := plan.Install(holdings, items(holdings, "a/c"), plan.Options{})
	want := []plan.Notice{
		{Level: slog.LevelWarn, Text: "parsers:a/p is tainted, use '--force' to overwrite"},
		{Level: slog.LevelError, Text: "collections:a/c needs scenarios:a/nobody, which the hub does not have"},
	}
	if fmt.Sprint(got.Notices) != fmt.Sprint(want) {
		t.Errorf("got %v", got.Notices)
	}
	if got := plan.Upgrade(holdings, items(holdings, "a/s"), plan.Options{}); len(got.Notices) != 1 {
		t.Errorf("upgrade of what is not installed: %v", got.Notices)
	}
}
