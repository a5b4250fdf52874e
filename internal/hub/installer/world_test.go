package installer_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/plan"
	"shieldwall/internal/hub/source"
)

// published is a hub of which tests make new versions: the file of an item is its text.
type published struct {
	texts   map[string]string            // by path
	entries map[hub.Kind]map[string]item // by name
	data    map[string]string            // by URL
	broken  error                        // what everything ends with
}

type item struct {
	Path        string                       `json:"path"`
	Stage       string                       `json:"stage,omitempty"`
	Version     string                       `json:"version"`
	Versions    map[string]map[string]string `json:"versions"`
	Parsers     []string                     `json:"parsers,omitempty"`
	Scenarios   []string                     `json:"scenarios,omitempty"`
	Collections []string                     `json:"collections,omitempty"`
}

func newPublished() *published {
	p := &published{texts: map[string]string{}, entries: map[hub.Kind]map[string]item{}, data: map[string]string{}}
	p.publish(hub.Parsers, "a/p1", "1", item{Stage: "s01-parse"})
	p.publish(hub.Parsers, "a/p2", "1", item{Stage: "s01-parse"})
	p.publish(hub.Scenarios, "a/s1", "1", item{})
	p.publish(hub.Scenarios, "b/s2", "1", item{})
	p.publish(hub.Collections, "a/inner", "1", item{Parsers: []string{"a/p1"}, Scenarios: []string{"a/s1"}})
	p.publish(hub.Collections, "a/outer", "1", item{Parsers: []string{"a/p2"}, Collections: []string{"a/inner"}})
	p.publish(hub.Collections, "b/other", "1", item{Parsers: []string{"a/p1"}, Scenarios: []string{"b/s2"}})
	return p
}

// publish adds a version of an item.
func (p *published) publish(kind hub.Kind, name, version string, now item) {
	folder := string(kind)
	if now.Stage != "" {
		folder += "/" + now.Stage
	}
	now.Path, now.Version = folder+"/"+name+".yaml", version
	text := "name: " + name + "\n# version " + version + "\n"
	if kind == hub.Scenarios {
		url := "https://data.example/" + filepath.Base(name)
		text += "data:\n  - {source_url: \"" + url + "\", dest_file: " + filepath.Base(name) + ".txt}\n"
		p.data[url] = "data of " + name + ", " + version + "\n"
	}
	sum := sha256.Sum256([]byte(text))
	now.Versions = map[string]map[string]string{}
	for number, known := range p.entries[kind][name].Versions {
		now.Versions[number] = known
	}
	now.Versions[version] = map[string]string{"digest": hex.EncodeToString(sum[:])}
	if p.entries[kind] == nil {
		p.entries[kind] = map[string]item{}
	}
	p.entries[kind][name], p.texts[now.Path] = now, text
}

// upgrade makes a new version of an item that is there.
func (p *published) upgrade(kind hub.Kind, name, version string) {
	p.publish(kind, name, version, p.entries[kind][name])
}

func (p *published) String() string { return "the published hub" }

func (p *published) Index(context.Context, string) ([]byte, error) {
	text, err := json.Marshal(p.entries)
	if err != nil {
		return nil, err
	}
	return text, p.broken
}

func (p *published) Item(_ context.Context, path string) ([]byte, error) {
	text, ok := p.texts[path]
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "no %s", path)
	}
	return []byte(text), p.broken
}

func (p *published) Data(_ context.Context, file source.File, held source.Held, save func(source.Body) error) error {
	text := p.data[file.URL]
	sum := sha256.Sum256([]byte(text))
	if !held.Modified.IsZero() {
		if own, err := held.Digest(); err != nil || own == hex.EncodeToString(sum[:]) {
			return err
		}
	}
	if p.broken != nil {
		return p.broken
	}
	return save(source.Body{Reader: strings.NewReader(text)})
}

// machine is an installation.
type machine struct {
	paths hub.Paths
	told  []string
}

func newMachine(dir string) *machine {
	return &machine{paths: hub.Paths{
		HubDir: filepath.Join(dir, "hub"), IndexPath: filepath.Join(dir, "hub", ".index.json"),
		ConfigDir: filepath.Join(dir, "etc"), DataDir: filepath.Join(dir, "data"),
	}}
}

// tb is what testing.T and rapid.T have in common.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (m *machine) installer(from installer.Source) *installer.Installer {
	return installer.New(installer.Config{
		Paths: m.paths, Source: from, Log: slog.New(slog.DiscardHandler), Tell: func(line string) { m.told = append(m.told, line) },
	})
}

func (m *machine) update(t tb, from installer.Source) {
	t.Helper()
	if _, err := m.installer(from).Update(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) survey(t tb) *hub.Holdings {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if _, err := os.Stat(m.paths.IndexPath); err != nil {
		holdings, err := hub.Survey(m.paths, log)
		check(t, err)
		return holdings
	}
	catalog, err := hub.ReadCatalog(m.paths.IndexPath) // what comes with this program would only take time
	check(t, err)
	holdings, err := hub.SurveyCatalog(catalog, m.paths, log)
	check(t, err)
	return holdings
}

func (m *machine) find(t tb, kind hub.Kind, name string) *hub.Holding {
	t.Helper()
	found := m.survey(t).Find(hub.Ref{Kind: kind, Name: name})
	if found == nil {
		t.Fatalf("%s:%s is unknown", kind, name)
	}
	return found
}

func (m *machine) install(t tb, from installer.Source, o plan.Options, refs ...hub.Ref) error {
	t.Helper()
	holdings := m.survey(t)
	_, err := m.installer(from).Apply(context.Background(), plan.Install(holdings, pick(holdings, refs), o), holdings)
	return err
}

func (m *machine) upgrade(t tb, from installer.Source, o plan.Options) (bool, error) {
	t.Helper()
	holdings := m.survey(t)
	var all []*hub.Holding
	for _, kind := range hub.Kinds() {
		all = append(all, holdings.Installed(kind)...)
	}
	return m.installer(from).Apply(context.Background(), plan.Upgrade(holdings, all, o), holdings)
}

func (m *machine) remove(t tb, from installer.Source, o plan.Options, refs ...hub.Ref) error {
	t.Helper()
	holdings := m.survey(t)
	p, err := plan.Remove(holdings, pick(holdings, refs), o)
	if err != nil {
		return err
	}
	_, err = m.installer(from).Apply(context.Background(), p, holdings)
	return err
}

func pick(holdings *hub.Holdings, refs []hub.Ref) (items []*hub.Holding) {
	for _, ref := range refs {
		items = append(items, holdings.Find(ref))
	}
	return items
}

func collection(name string) hub.Ref { return hub.Ref{Kind: hub.Collections, Name: name} }

// files returns every file and link below the folders of a machine with what it says or where it leads.
func (m *machine) files(t tb) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range []string{m.paths.HubDir, m.paths.ConfigDir, m.paths.DataDir} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				if path == root {
					return nil
				}
				return err
			}
			if entry.Type()&fs.ModeSymlink != 0 {
				found[path], err = os.Readlink(path)
				return err
			}
			text, err := os.ReadFile(path)
			found[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
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
