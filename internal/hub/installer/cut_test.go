package installer_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/plan"
	"shieldwall/internal/hub/source"
)

// web serves a hub over HTTP. What is asked for below the path that is cut ends after so many bytes.
type web struct {
	hub  *published
	url  string
	cut  atomic.Pointer[string]
	left atomic.Int64
}

func newWeb(t *testing.T, hub *published) *web {
	t.Helper()
	w := &web{hub: hub}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (s *web) server(t *testing.T) *source.Server {
	t.Helper()
	server, err := source.NewServer(source.ServerConfig{
		Template: s.url + "/%s/%s", Branch: "master", Once: true, Client: http.DefaultClient, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func (s *web) text(path string) (string, bool) {
	switch rest, ok := strings.CutPrefix(path, "/master/"); {
	case rest == source.IndexName:
		text, err := json.Marshal(s.hub.entries)
		return string(text), err == nil
	case rest == source.ManifestName:
		mirrored := source.Manifest{}
		for url := range s.hub.data {
			mirrored[url] = source.Mirrored{Path: source.MirrorPath(url)}
		}
		text, err := json.Marshal(mirrored)
		return string(text), err == nil
	case ok:
		for url, text := range s.hub.data {
			if rest == source.MirrorPath(url) {
				return text, true
			}
		}
		text, known := s.hub.texts[rest]
		return text, known
	}
	return "", false
}

func (s *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := s.text(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if cut := s.cut.Load(); cut != nil && strings.Contains(r.URL.Path, *cut) {
		_, _ = io.WriteString(w, text[:min(int(s.left.Load()), len(text)-1)])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, text)
}

// TestACutInTheMiddleLeavesTheOldWhole cuts the network after so many bytes of the index, an item, or a data file.
func TestACutInTheMiddleLeavesTheOldWhole(t *testing.T) {
	t.Parallel()
	for _, what := range []string{source.IndexName, "scenarios/a/s1.yaml", "/data/"} {
		for _, bytes := range []int64{0, 1, 10, 1 << 20} { // the last one is all but one
			t.Run(what+" after "+strconv.FormatInt(bytes, 10), func(t *testing.T) {
				t.Parallel()
				published := newPublished()
				server := newWeb(t, published)
				m := newMachine(t.TempDir())
				m.update(t, server.server(t))
				if err := m.install(t, server.server(t), plan.Options{}, collection("a/outer")); err != nil {
					t.Fatal(err)
				}
				published.upgrade(hub.Scenarios, "a/s1", "2")
				if what != source.IndexName {
					m.update(t, server.server(t))
				}
				before := m.files(t)
				server.left.Store(bytes)
				server.cut.Store(&what)
				if err := m.everything(t, server.server(t)); !fault.Is(err, fault.Unavailable) {
					t.Fatalf("got %v", err)
				}
				if after := m.files(t); !maps.Equal(before, after) {
					t.Errorf("before %v\nafter  %v", before, after)
				}
				server.cut.Store(nil)
				if err := m.everything(t, server.server(t)); err != nil {
					t.Fatal(err)
				}
				if item := m.find(t, hub.Scenarios, "a/s1"); item.LocalVersion != "2" || !item.UpToDate {
					t.Errorf("once the network is back: %+v", item)
				}
			})
		}
	}
}

// everything updates and upgrades with all data files.
func (m *machine) everything(t *testing.T, from installer.Source) error {
	t.Helper()
	in := installer.New(installer.Config{
		Paths: m.paths, Source: from, Log: slog.New(slog.DiscardHandler), Tell: func(string) {}, Force: true,
	})
	if _, err := in.Update(t.Context()); err != nil {
		return err
	}
	holdings := m.survey(t)
	_, err := in.Apply(t.Context(), plan.Upgrade(holdings, holdings.Installed(hub.Scenarios), plan.Options{}), holdings)
	return err
}

func TestMirror(t *testing.T) {
	t.Parallel()
	published := newPublished()
	dir := t.TempDir()
	var told []string
	mirror := func() error {
		told = nil
		text, _ := published.Index(t.Context(), "")
		catalog, err := hub.DecodeCatalog(text)
		if err != nil {
			t.Fatal(err)
		}
		return installer.Mirror(t.Context(), installer.MirrorConfig{
			Catalog: catalog, Source: published, Dir: dir, Tell: func(line string) { told = append(told, line) }, Progress: func(int, int) {},
		})
	}
	if err := mirror(); err != nil {
		t.Fatal(err)
	}
	folder, err := source.OpenFolder(dir, "master")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	m := newMachine(t.TempDir())
	m.update(t, folder)
	if err := m.install(t, folder, plan.Options{}, collection("a/outer"), collection("b/other")); err != nil {
		t.Fatal(err)
	}
	if err := mirror(); err != nil || len(told) != 0 {
		t.Errorf("the second time: %v, %v", told, err)
	}
	published.upgrade(hub.Scenarios, "a/s1", "2")
	if err := mirror(); err != nil || len(told) != 2 {
		t.Errorf("after a change: %v, %v", told, err)
	}
	published.broken = fault.Errorf(fault.Unavailable, "away")
	published.data["https://data.example/s1"] = "newer"
	if err := mirror(); err == nil || !strings.Contains(err.Error(), "lacks 1 data files") {
		t.Errorf("without the data: %v", err)
	}
}
