package hub_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
)

// shelf is a hub of one parser in two versions and two collections, one in the other, with the given ones installed.
func shelf(t *testing.T, installed map[string]string) installation {
	t.Helper()
	root := t.TempDir()
	in := installation{hub.Paths{HubDir: filepath.Join(root, "hub"), ConfigDir: root, IndexPath: filepath.Join(root, "hub", ".index.json")}}
	digest := func(text string) map[string]string {
		sum := sha256.Sum256([]byte(text))
		return map[string]string{"digest": hex.EncodeToString(sum[:])}
	}
	index := map[string]any{
		"parsers": map[string]any{"a/p": map[string]any{
			"path": "parsers/s01-parse/a/p.yaml", "stage": "s01-parse", "version": "0.2",
			"versions": map[string]any{"0.1": digest("old"), "0.2": digest("new")},
		}},
		"collections": map[string]any{
			"a/in": map[string]any{
				"path": "collections/a/in.yaml", "version": "0.2", "parsers": []string{"a/p"},
				"versions": map[string]any{"0.1": digest("old"), "0.2": digest("new")},
			},
			"a/out": map[string]any{
				"path": "collections/a/out.yaml", "version": "0.2", "collections": []string{"a/in", "a/unknown"},
				"versions": map[string]any{"0.1": digest("old"), "0.2": digest("new")},
			},
		},
	}
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	in.write(t, "hub/.index.json", string(text))
	for path, text := range installed {
		in.write(t, filepath.Join("hub", path), text)
		folders := strings.Split(path, "/")
		in.link(t, filepath.Join(append(folders[:len(folders)-2:len(folders)-2], folders[len(folders)-1])...), path)
	}
	return in
}

func TestStates(t *testing.T) {
	t.Parallel()
	const p, inner, outer = "parsers/s01-parse/a/p.yaml", "collections/a/in.yaml", "collections/a/out.yaml"
	for name, c := range map[string]struct {
		installed map[string]string
		want      string // of p, in, out: - absent, c current, o outdated, t tainted
		blamed    string // for out
	}{
		"nothing":                               {nil, "---", ""},
		"all is well":                           {map[string]string{p: "new", inner: "new", outer: "new"}, "ccc", ""},
		"an old part":                           {map[string]string{p: "old", inner: "new", outer: "new"}, "ooo", ""},
		"a changed part":                        {map[string]string{p: "mine", inner: "new", outer: "new"}, "ttt", "parsers:a/p"},
		"a missing part":                        {map[string]string{inner: "new", outer: "new"}, "-tt", "parsers:a/p"},
		"a changed collection":                  {map[string]string{p: "new", inner: "mine", outer: "new"}, "ctt", "collections:a/in"},
		"an old one, from which one is missing": {map[string]string{inner: "old", outer: "new"}, "-oo", ""},
		"an old one with a changed part":        {map[string]string{p: "mine", inner: "old", outer: "new"}, "ttt", "parsers:a/p"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdings, err := hub.Survey(shelf(t, c.installed).paths, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, ref := range []hub.Ref{{Kind: hub.Parsers, Name: "a/p"}, {Kind: hub.Collections, Name: "a/in"}, {Kind: hub.Collections, Name: "a/out"}} {
				got += letter(holdings.Find(ref))
			}
			blamed := ""
			for _, ref := range holdings.Find(hub.Ref{Kind: hub.Collections, Name: "a/out"}).TaintedBy {
				blamed += ref.String()
			}
			if got != c.want || blamed != c.blamed {
				t.Errorf("got %s, blamed on %q", got, blamed)
			}
		})
	}
}

func letter(item *hub.Holding) string {
	switch {
	case !item.Installed:
		return "-"
	case item.Tainted:
		return "t"
	case item.Outdated():
		return "o"
	}
	return "c"
}

func TestLocalItemsWin(t *testing.T) {
	t.Parallel()
	in := shelf(t, nil)
	in.write(t, "parsers/s01-parse/mine.yaml", "name: a/p\ndescription: Mine\n")
	in.write(t, "collections/mine.yaml", "name: me/all\nparsers: [a/p]\ncollections: [a/in]\n")
	holdings, err := hub.Survey(in.paths, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	item := holdings.Find(hub.Ref{Kind: hub.Parsers, Name: "a/p"})
	if !item.Local || item.Description != "Mine" || !slices.Equal(item.BelongsTo, []string{"a/in", "me/all"}) || item.FileName() != "mine.yaml" {
		t.Errorf("got %+v", item)
	}
}

func TestCollectionsThatNameEachOther(t *testing.T) {
	t.Parallel()
	in := shelf(t, nil)
	in.write(t, "collections/x.yaml", "name: me/x\ncollections: [me/y]\n")
	in.write(t, "collections/y.yaml", "name: me/y\ncollections: [me/x]\n")
	if _, err := hub.Survey(in.paths, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

func TestCatalogsAreJoinedByVersion(t *testing.T) {
	t.Parallel()
	decode := func(text string) *hub.Catalog {
		c, err := hub.DecodeCatalog([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	older := decode(`{"scenarios": {"a/s": {"path": "scenarios/a/s.yaml", "version": "0.9", "description": "older"}, "a/t": {"path": "t.yaml"}}}`)
	newer := decode(`{"scenarios": {"a/s": {"path": "scenarios/a/s.yaml", "version": "0.10", "description": "newer"}}}`)
	for _, joined := range []*hub.Catalog{older.Join(newer), newer.Join(older)} {
		if got := joined.Offer(hub.Scenarios, "a/s").Description; got != "newer" || joined.Offer(hub.Scenarios, "a/t") == nil {
			t.Errorf("got %s", got)
		}
	}
}

func TestCatalogsThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"parsers": {"a/p": null}}`:                                   "parsers:a/p has no index metadata",
		`{"parsers": {"a/p": {"stage": "s01"}}}`:                       "parsers:a/p has no download path",
		`{"parsers": {"a/p": {"path": "p.yaml"}}}`:                     "parsers:a/p has no stage",
		`{"scenarios": {"a/s": {"path": "../s.yaml"}}}`:                "path that is none",
		`{"scenarios": {"a/s": {"path": "/etc/s.yaml"}}}`:              "path that is none",
		`{"scenarios": {"a/s": {"path": "x/../../s.yaml"}}}`:           "path that is none",
		`{"scenarios": {"a/s": {"path": "crontab"}}}`:                  "path that is none",
		`{"parsers": {"a/p": {"path": "p.yaml", "stage": "../../x"}}}`: "stage that is none",
		`{"parsers": {"a/p": {"path": "p.yaml", "stage": ".."}}}`:      "stage that is none",
		`{"scenarios": {"a/s": {"path": "s.yaml", "parsers": "x"}}}`:   "unexpected",
	} {
		if _, err := hub.DecodeCatalog([]byte(text)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzDecodeCatalog: what is accepted cannot lead out of its place, and an index made of it is one.
func FuzzDecodeCatalog(f *testing.F) {
	f.Add([]byte(`{"parsers":{"a/b":{"path":"parsers/s/a/b.yaml","stage":"s","version":"1","versions":{"1":{"digest":"ab"}},"content":"YQ==","parsers":["x"]}}}`))
	f.Add([]byte(`{"scenarios":{"a":{"path":"../x.yaml"}},"collections":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		catalog, err := hub.DecodeCatalog(text)
		if err != nil {
			return
		}
		for _, kind := range hub.Kinds() {
			for _, name := range catalog.Names(kind) {
				offer := catalog.Offer(kind, name)
				if !filepath.IsLocal(offer.Path) || offer.Stage != "" && !filepath.IsLocal(offer.Stage) {
					t.Errorf("%s: %q, %q", offer, offer.Path, offer.Stage)
				}
				_, _ = offer.Content()
			}
		}
	})
}
