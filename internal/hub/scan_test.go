package hub_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/hub"
)

// installation is a hub with one parser and one scenario in two versions.
type installation struct {
	paths hub.Paths
}

const (
	parserPath   = "parsers/s01-parse/someone/p.yaml"
	scenarioPath = "scenarios/someone/s.yaml"
)

func install(t *testing.T) installation {
	t.Helper()
	root := t.TempDir()
	in := installation{hub.Paths{
		HubDir: filepath.Join(root, "hub"), ConfigDir: root, IndexPath: filepath.Join(root, "hub", ".index.json"),
	}}
	in.write(t, filepath.Join("hub", parserPath), "name: someone/p\n")
	in.write(t, filepath.Join("hub", scenarioPath), "name: someone/s\n# v1\n")
	version := func(texts ...string) map[string]any {
		versions := map[string]any{}
		for i, text := range texts {
			sum := sha256.Sum256([]byte(text))
			versions[[]string{"0.9", "0.10"}[i]] = map[string]any{"digest": hex.EncodeToString(sum[:])}
		}
		return versions
	}
	index := map[string]any{
		"parsers": map[string]any{"someone/p": map[string]any{
			"path": parserPath, "stage": "s01-parse", "version": "0.9", "versions": version("name: someone/p\n"),
		}},
		"scenarios": map[string]any{"someone/s": map[string]any{
			"path": scenarioPath, "version": "0.10", "versions": version("name: someone/s\n# v1\n", "name: someone/s\n# v2\n"),
		}},
	}
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	in.write(t, "hub/.index.json", string(text))
	return in
}

func (in installation) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(in.paths.ConfigDir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (in installation) link(t *testing.T, from, to string) {
	t.Helper()
	from = filepath.Join(in.paths.ConfigDir, from)
	if err := os.MkdirAll(filepath.Dir(from), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(in.paths.HubDir, to), from); err != nil {
		t.Fatal(err)
	}
}

func (in installation) scan(t *testing.T) *hub.Inventory {
	t.Helper()
	inventory, err := hub.Scan(in.paths, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return inventory
}

func TestScanTellsItemsApart(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.link(t, "parsers/s01-parse/p.yaml", parserPath)
	in.link(t, "scenarios/s.yaml", scenarioPath)
	in.write(t, "scenarios/mine.yaml", "name: me/mine\n")
	in.write(t, "scenarios/nameless.yaml", "description: x\n")
	in.write(t, "scenarios/.hidden/x.yaml", "name: hidden\n")
	in.write(t, "scenarios/notes.txt", "not an item")
	inventory := in.scan(t)

	parsers := inventory.Installed(hub.Parsers)
	if len(parsers) != 1 || parsers[0].Stage != "s01-parse" || parsers[0].Version != "0.9" || parsers[0].Local() {
		t.Errorf("parsers %+v", parsers)
	}
	if got := inventory.Names(hub.Scenarios); !slices.Equal(got, []string{"me/mine", "nameless.yaml", "someone/s"}) {
		t.Errorf("scenarios %v", got)
	}
	for _, item := range inventory.Installed(hub.Scenarios) {
		if item.Local() == (item.Name == "someone/s") || item.Name == "someone/s" && item.Version != "0.9" {
			t.Errorf("item %+v", item)
		}
	}
}

func TestScanSeesTaint(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.link(t, "scenarios/s.yaml", scenarioPath)
	in.write(t, filepath.Join("hub", scenarioPath), "name: someone/s\n# changed\n")
	if got := in.scan(t).Installed(hub.Scenarios); len(got) != 1 || got[0].Version != "?" || got[0].Hash == "" {
		t.Errorf("got %+v", got)
	}
}

func TestScanLeavesDanglingLinksOut(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.link(t, "scenarios/gone.yaml", "scenarios/someone/gone.yaml")
	if got := in.scan(t).Installed(hub.Scenarios); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestScanNamesTheBrokenFile(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.write(t, "scenarios/broken.yaml", "name: a\nname: b\n")
	_, err := hub.Scan(in.paths, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "broken.yaml") || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
}

func TestScanRefusesABrokenIndex(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"parsers": {"a/b": null}}`, `{"parsers": {"a/b": {"path": "x"}}}`, `{`} {
		in := install(t)
		in.write(t, "hub/.index.json", text)
		if _, err := hub.Scan(in.paths, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestScanWithoutIndexFindsLocalItems(t *testing.T) {
	t.Parallel()
	in := installation{hub.Paths{ConfigDir: t.TempDir(), HubDir: "/nonexistent", IndexPath: "/nonexistent/.index.json"}}
	in.write(t, "scenarios/mine.yaml", "name: me/mine\n")
	if got := in.scan(t).Names(hub.Scenarios); !slices.Equal(got, []string{"me/mine"}) {
		t.Errorf("got %v", got)
	}
}
