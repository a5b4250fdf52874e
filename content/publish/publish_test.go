package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const root = "../.."

// TestWhatIsPublishedIsCurrent fails after a change of an item that nobody published: go generate ./content
func TestWhatIsPublishedIsCurrent(t *testing.T) {
	t.Parallel()
	for name, current := range map[string]func(string) ([]byte, error){indexFile: currentIndex, manualFile: currentManual} {
		want, err := current(root)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./content", name)
		}
	}
}

func TestEntryKeepsVersions(t *testing.T) {
	t.Parallel()
	changed := item{Digest: "b"}
	first := entry{Version: "0.9", Versions: map[string]version{"0.9": {Digest: "a"}}}
	tests := map[string]struct {
		it     item
		before entry
		want   string
		known  []string
	}{
		"a new item":        {changed, entry{}, "0.1", []string{"0.1"}},
		"a changed item":    {changed, first, "0.10", []string{"0.10", "0.9"}},
		"an item as it was": {item{Digest: "a"}, first, "0.9", []string{"0.9"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.it.entry(tt.before)
			if known := slices.Sorted(maps.Keys(got.Versions)); got.Version != tt.want || !slices.Equal(known, tt.known) {
				t.Errorf("version %s of %v", got.Version, known)
			}
			if got.Versions[got.Version].Digest != tt.it.Digest {
				t.Errorf("digest %s", got.Versions[got.Version].Digest)
			}
		})
	}
}

func TestPublishWritesBothFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parser := filepath.Join(itemsDir, "parsers/s01-parse/shieldwall/x-logs.yaml")
	for name, text := range map[string]string{
		parser: "name: shieldwall/x-logs\ndescription: one\n---\nname: shieldwall/y-logs\n",
		filepath.Join(itemsDir, "scenarios/shieldwall/x-bf.yaml"):  "name: shieldwall/x-bf\ndescription: two\ntype: leaky\ncapacity: 5\nleakspeed: 10s\nlabels: {remediation: true}\n",
		filepath.Join(itemsDir, "scenarios/shieldwall/x-now.yaml"): "name: shieldwall/x-now\ndescription: three\ntype: trigger\n",
		filepath.Join(itemsDir, "collections/shieldwall/x.yaml"):   "name: shieldwall/x\ndescription: four\ncollections: [shieldwall/base]\nparsers: [shieldwall/x-logs]\nscenarios: [shieldwall/x-bf, shieldwall/x-now]\n",
		manualFile: "# Prose\n" + marker + "old\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	for range 2 { // the second time changes nothing
		if err := publish(dir); err != nil {
			t.Fatal(err)
		}
		const want = "# Prose\n" + marker + `
## Parsers: 1

| name | stage | |
|---|---|---|
| shieldwall/x-logs | s01-parse | one |

## Scenarios: 2

| name | | fires | |
|---|---|---|---|
| shieldwall/x-bf | two | more than 5, one in 10s is forgiven |  |
| shieldwall/x-now | three | at once | is reported only |

## Collections: 1

| name | | with |
|---|---|---|
| shieldwall/x | four | base, 1 parser, 2 scenarios |
`
		if got, err := os.ReadFile(filepath.Join(dir, manualFile)); err != nil || string(got) != want {
			t.Errorf("%v: got\n%s", err, got)
		}
	}
	write(t, filepath.Join(dir, parser), "name: shieldwall/x-logs\ndescription: changed\n")
	if err := publish(dir); err != nil {
		t.Fatal(err)
	}
	published, err := readIndex(filepath.Join(dir, indexFile))
	if err != nil {
		t.Fatal(err)
	}
	if got := published["parsers"]["shieldwall/x-logs"]; got.Version != "0.2" || got.Stage != "s01-parse" || len(got.Versions) != 2 {
		t.Errorf("after a change: %+v", got)
	}
	if got := published["scenarios"]["shieldwall/x-bf"]; got.Version != "0.1" {
		t.Errorf("without a change: %+v", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
