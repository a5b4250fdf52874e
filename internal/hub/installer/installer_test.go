package installer_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
	"shieldwall/internal/hub/installer"
	"shieldwall/internal/hub/plan"
)

func TestInstallFetchesEverythingACollectionNeeds(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	if err := m.install(t, remote, plan.Options{}, collection("a/outer")); err != nil {
		t.Fatal(err)
	}
	holdings := m.survey(t)
	for _, ref := range []hub.Ref{collection("a/outer"), collection("a/inner"), {Kind: hub.Parsers, Name: "a/p1"}, {Kind: hub.Scenarios, Name: "a/s1"}} {
		if item := holdings.Find(ref); !item.Installed || !item.UpToDate || item.Tainted {
			t.Errorf("%+v", item)
		}
	}
	if link, err := os.Readlink(filepath.Join(m.paths.ConfigDir, "parsers/s01-parse/p1.yaml")); err != nil || link != filepath.Join(m.paths.HubDir, "parsers/s01-parse/a/p1.yaml") {
		t.Errorf("link %s, %v", link, err)
	}
	if text, err := os.ReadFile(filepath.Join(m.paths.DataDir, "s1.txt")); err != nil || string(text) != "data of a/s1, 1\n" {
		t.Errorf("data %q, %v", text, err)
	}
	if got := strings.Join(m.told, "\n"); !strings.HasSuffix(got, "downloading collections:a/outer\nenabling collections:a/outer") {
		t.Errorf("told\n%s", got)
	}
}

func TestContentOfThisProgramNeedsNoHub(t *testing.T) {
	t.Parallel()
	m, away := newMachine(t.TempDir()), &published{broken: fault.Errorf(fault.Unavailable, "away")}
	if err := m.install(t, away, plan.Options{}, collection("shieldwall/linux"), collection("shieldwall/nginx")); err != nil {
		t.Fatal(err)
	}
	if item := m.find(t, hub.Collections, "shieldwall/linux"); !item.UpToDate || item.Tainted {
		t.Errorf("%+v", item)
	}
	path := filepath.Join(m.paths.DataDir, "shieldwall_sqli.txt")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "changed\n")
	if changed, err := m.upgrade(t, away, plan.Options{}); err != nil || !changed {
		t.Errorf("changed %t, %v", changed, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(want) {
		t.Errorf("a data file was not refreshed: %v", err)
	}
	if changed, err := m.upgrade(t, away, plan.Options{}); err != nil || changed {
		t.Errorf("the second time: changed %t, %v", changed, err)
	}
}

func TestOwnFilesAreLeftAlone(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	own := filepath.Join(m.paths.ConfigDir, "scenarios/s1.yaml")
	write(t, own, "name: me/mine\n")
	err := m.install(t, remote, plan.Options{Force: true}, hub.Ref{Kind: hub.Scenarios, Name: "a/s1"})
	if !fault.Is(err, fault.Exists) || !strings.Contains(err.Error(), own) {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(own); err != nil || string(text) != "name: me/mine\n" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestItemsOfTheSameNameLieBesideEachOther(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	remote.publish(hub.Scenarios, "b/s1", "1", item{})
	m.update(t, remote)
	mine, other := hub.Ref{Kind: hub.Scenarios, Name: "a/s1"}, hub.Ref{Kind: hub.Scenarios, Name: "b/s1"}
	if err := m.install(t, remote, plan.Options{}, mine, other); err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(m.survey(t).Find(other).LocalPath); got != "b_s1.yaml" {
		t.Errorf("the second one is %s", got)
	}
	if err := m.remove(t, remote, plan.Options{}, mine); err != nil {
		t.Fatal(err)
	}
	if !m.survey(t).Find(other).Installed || m.survey(t).Find(mine).Installed {
		t.Error("the wrong one was removed")
	}
}

func TestALinkThatLeadsNowhereMakesWay(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	link := filepath.Join(m.paths.ConfigDir, "scenarios/s1.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o750), os.Symlink("/nowhere", link)); err != nil {
		t.Fatal(err)
	}
	if err := m.install(t, remote, plan.Options{}, hub.Ref{Kind: hub.Scenarios, Name: "a/s1"}); err != nil {
		t.Fatal(err)
	}
}

func TestWrongDigestKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	ref := hub.Ref{Kind: hub.Parsers, Name: "a/p1"}
	if err := m.install(t, remote, plan.Options{}, ref); err != nil {
		t.Fatal(err)
	}
	before := m.files(t)
	remote.upgrade(hub.Parsers, "a/p1", "2")
	m.update(t, remote)
	remote.texts["parsers/s01-parse/a/p1.yaml"] += "evil\n"
	if changed, err := m.upgrade(t, remote, plan.Options{}); err != nil || changed {
		t.Errorf("changed %t, %v", changed, err)
	}
	after := m.files(t)
	delete(before, m.paths.IndexPath)
	delete(after, m.paths.IndexPath)
	if !maps.Equal(before, after) {
		t.Errorf("files changed")
	}
	other := newMachine(t.TempDir())
	other.update(t, remote)
	if err := other.install(t, remote, plan.Options{}, ref); !fault.Is(err, fault.Invalid) {
		t.Errorf("nothing to keep: got %v", err)
	}
}

func TestUnusableIndexDoesNotReplaceTheOldOne(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	before := m.files(t)
	remote.entries[hub.Scenarios]["x/evil"] = item{Path: "../../etc/cron.d/x.yaml", Version: "1"}
	if _, err := m.installer(remote).Update(t.Context()); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "scenarios:x/evil") {
		t.Errorf("got %v", err)
	}
	if !maps.Equal(before, m.files(t)) {
		t.Error("the index was replaced")
	}
}

func TestDataFilesStayBelowTheirFolder(t *testing.T) {
	t.Parallel()
	for text, bad := range map[string]bool{
		"data: [{source_url: x, dest_file: ../../etc/passwd}]": true, "data: [{source_url: x, dest_file: /etc/passwd}]": true,
		"data: [{source_url: x, dest_file: a/b.txt}]": false, "name: a\n---\ndata: [{source_url: x, dest_file: ..}]": true,
		"data: [{source_url: x}]": false, "data: 5": true,
	} {
		if _, err := installer.Files([]byte(text)); (err != nil) != bad {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestGoingOnInstallsTheRest(t *testing.T) {
	t.Parallel()
	m, remote := newMachine(t.TempDir()), newPublished()
	m.update(t, remote)
	delete(remote.texts, "parsers/s01-parse/a/p1.yaml")
	holdings := m.survey(t)
	p := plan.Install(holdings, []*hub.Holding{holdings.Find(collection("a/outer"))}, plan.Options{})
	in := m.installer(remote)
	in.GoOn = true
	if _, err := in.Apply(t.Context(), p, holdings); err != nil {
		t.Fatal(err)
	}
	if !m.find(t, hub.Scenarios, "a/s1").Installed || m.find(t, hub.Parsers, "a/p1").Installed {
		t.Error("the wrong ones are installed")
	}
}

// TestLaws plays with a machine and a hub at random: what was there before an install is there after the removal, an
// upgrade does nothing the second time, and what was changed by hand changes by force only.
func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("/dev/shm", "hub-laws") //nolint:usetesting // every file is synced, which takes long on a disk
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp is no reason to fail
		m, remote := newMachine(dir), newPublished()
		m.update(t, remote)
		collections := []string{"a/inner", "a/outer", "b/other"}
		first := rapid.SampledFrom(collections).Draw(t, "first")
		check(t, m.install(t, remote, plan.Options{}, collection(first)))

		before := installedNames(m.survey(t))
		second := rapid.SampledFrom(collections).Draw(t, "second")
		installed := m.find(t, hub.Collections, second).Installed
		check(t, m.install(t, remote, plan.Options{}, collection(second)))
		if !installed {
			check(t, m.remove(t, remote, plan.Options{}, collection(second)))
			if second == "a/outer" && first == "a/inner" {
				before = nil // what an outer one brings goes with it
			}
			if got := installedNames(m.survey(t)); !slices.Equal(got, before) {
				t.Fatalf("%s with %s, removed: got %v, want %v", first, second, got, before)
			}
		}

		changed := edit(t, m)
		for i, name := range rapid.SliceOf(rapid.SampledFrom([]string{"a/s1", "b/s2"})).Draw(t, "new versions") {
			remote.upgrade(hub.Scenarios, name, strconv.Itoa(2+i))
		}
		m.update(t, remote)
		upgraded(t, m, remote, plan.Options{})
		once := m.files(t)
		if again, err := m.upgrade(t, remote, plan.Options{}); err != nil || again || !maps.Equal(once, m.files(t)) {
			t.Fatalf("the second upgrade: changed %t, %v", again, err)
		}
		for path, text := range changed {
			if once[path] != text {
				t.Fatalf("%s was changed by hand, and overwritten", path)
			}
		}
		upgraded(t, m, remote, plan.Options{Force: true})
		for _, kind := range hub.Kinds() {
			for _, item := range m.survey(t).Installed(kind) {
				if item.Tainted || !item.UpToDate {
					t.Fatalf("after force: %+v", item)
				}
			}
		}
	})
}

// edit changes some downloaded files by hand and returns them.
func edit(t *rapid.T, m *machine) map[string]string {
	changed := map[string]string{}
	for _, kind := range hub.Kinds() {
		for _, item := range m.survey(t).Installed(kind) {
			if !rapid.Bool().Draw(t, "edit "+item.String()) {
				continue
			}
			path := filepath.Join(m.paths.HubDir, item.Offer.Path)
			text, err := os.ReadFile(path)
			check(t, err)
			changed[path] = string(text) + "# by hand\n"
			check(t, os.WriteFile(path, []byte(changed[path]), 0o600))
		}
	}
	return changed
}

func check(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func upgraded(t tb, m *machine, remote *published, o plan.Options) {
	t.Helper()
	_, err := m.upgrade(t, remote, o)
	check(t, err)
}

func installedNames(holdings *hub.Holdings) (all []string) {
	for _, kind := range hub.Kinds() {
		for _, item := range holdings.Installed(kind) {
			all = append(all, item.String())
		}
	}
	return all
}
