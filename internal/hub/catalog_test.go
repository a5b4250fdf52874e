package hub_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"shieldwall/internal/hub"
)

func readCatalog(t *testing.T, path string) *hub.Catalog {
	t.Helper()
	catalog, err := hub.ReadCatalog(path)
	if err != nil {
		t.Fatal(err)
	}
	return catalog
}

func TestCatalogFindsItems(t *testing.T) {
	t.Parallel()
	catalog := readCatalog(t, install(t).paths.IndexPath)
	if got := catalog.Names(hub.Parsers); !slices.Equal(got, []string{"someone/p"}) {
		t.Errorf("parsers %v", got)
	}
	if got, ok := catalog.Find(hub.Parsers, "someone/p"); !ok || got.Path != parserPath || got.Stage != "s01-parse" {
		t.Errorf("got %+v, %t", got, ok)
	}
	if _, ok := catalog.Find(hub.Scenarios, "someone/p"); ok {
		t.Error("a parser was found among the scenarios")
	}
}

func TestSubsetIsAnIndexOfItsOwn(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.link(t, "scenarios/s.yaml", scenarioPath)
	text, err := readCatalog(t, in.paths.IndexPath).Subset(map[hub.Kind][]string{hub.Scenarios: {"someone/s", "not/there"}})
	if err != nil {
		t.Fatal(err)
	}
	in.write(t, "hub/.index.json", string(text))
	if got := in.scan(t).Installed(hub.Scenarios); len(got) != 1 || got[0].Version != "0.9" {
		t.Errorf("installed %+v", got)
	}
	var subset map[string]map[string]any
	if err := json.Unmarshal(text, &subset); err != nil || len(subset) != 1 || len(subset["scenarios"]) != 1 {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestHubWithoutIndexOffersNothing(t *testing.T) {
	t.Parallel()
	catalog := readCatalog(t, filepath.Join(t.TempDir(), ".index.json"))
	if got := catalog.Names(hub.Parsers); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if text, err := catalog.Subset(map[hub.Kind][]string{hub.Parsers: {"a/b"}}); err != nil || string(text) != `{"parsers":{}}` {
		t.Errorf("got %s, %v", text, err)
	}
}
