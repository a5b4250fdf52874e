package cscli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/cscli"
	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/buildinfo"
)

// serveHub publishes the items below a folder, each with the version of its comment "# version", and serves them with data
// files at $HUB. Called again it publishes what has changed.
func serveHub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hub folder")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(publish(dir))
	if ts.Getenv("HUB") != "" {
		return
	}
	server := httptest.NewServer(http.StripPrefix("/master", http.FileServer(http.Dir(dir))))
	ts.Defer(server.Close)
	ts.Setenv("HUB", server.URL)
	text := strings.ReplaceAll(configuration, "$WORK", ts.Getenv("WORK")) +
		"cscli: {__hub_url_template__: \"" + server.URL + "/%s/%s\"}\n"
	ts.Check(os.WriteFile(ts.MkAbs("config.yaml"), []byte(text), 0o600))
}

// publish writes the index of the items in dir, with the versions that it had before.
func publish(dir string) error {
	index := map[string]map[string]map[string]any{}
	if text, err := os.ReadFile(filepath.Join(dir, ".index.json")); err == nil {
		if err := json.Unmarshal(text, &index); err != nil {
			return err
		}
	}
	for _, pattern := range []string{"scenarios/*/*.yaml", "collections/*/*.yaml", "parsers/*/*/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			relative, err := filepath.Rel(dir, file)
			if err == nil {
				err = publishItem(index, file, relative)
			}
			if err != nil {
				return err
			}
		}
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".index.json"), text, 0o600)
}

func publishItem(index map[string]map[string]map[string]any, file, relative string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var item map[string]any
	if err := yaml.Unmarshal(text, &item); err != nil {
		return err
	}
	folders := strings.Split(relative, "/")
	kind, name := folders[0], path.Join(folders[len(folders)-2], strings.TrimSuffix(folders[len(folders)-1], ".yaml"))
	_, version, _ := strings.Cut(string(text), "# version ")
	version, _, _ = strings.Cut(version, "\n")
	if index[kind] == nil {
		index[kind] = map[string]map[string]any{}
	}
	versions, _ := index[kind][name]["versions"].(map[string]any)
	if versions == nil {
		versions = map[string]any{}
	}
	sum := sha256.Sum256(text)
	versions[version] = map[string]any{"digest": hex.EncodeToString(sum[:]), "deprecated": false}
	entry := map[string]any{"path": relative, "version": version, "versions": versions, "author": folders[len(folders)-2]}
	if len(folders) == 4 {
		entry["stage"] = folders[1]
	}
	for _, key := range []string{"description", "parsers", "scenarios", "collections"} {
		if value, ok := item[key]; ok {
			entry[key] = value
		}
	}
	index[kind][name] = entry
	return nil
}

// TestHubSample lives through the public hub, served from a mirror: update, installation, change by hand, upgrade, removal.
// SHIELDWALL_HUB_SAMPLE names a folder with the hub.
func TestHubSample(t *testing.T) {
	t.Parallel()
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		t.Skip("needs a copy of the public hub: set SHIELDWALL_HUB_SAMPLE to its folder")
	}
	dir := t.TempDir()
	mirror := filepath.Join(dir, "mirror")
	config := func(name, hub string) string {
		file := filepath.Join(dir, name+".yaml")
		text := "config_paths: {config_dir: " + filepath.Join(dir, name) + ", data_dir: " + filepath.Join(dir, name, "data") + "}\ncscli: {" + hub + "}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	// The sample has no data for the web application firewall, which is told.
	if code, _, stderr := invoke(config("maker", "hub_source: "+sample), "hub", "mirror", mirror); code != 1 || !strings.Contains(stderr, "the mirror lacks") {
		t.Fatalf("mirror: %d, %s", code, stderr)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(mirror)))
	t.Cleanup(server.Close)
	instance := config("instance", `__hub_url_template__: "`+server.URL+`/%s/%s"`)
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := invoke(instance, args...)
		if code != 0 {
			t.Fatalf("%v: %s\n%s", args, stdout, stderr)
		}
		return stdout
	}
	must("hub", "update")
	if got := must("hub", "update"); !strings.HasSuffix(got, "Nothing to do, the hub index is up to date.\n") {
		t.Errorf("the second update: %s", got)
	}
	must("collections", "install", "crowdsecurity/linux", "crowdsecurity/nginx", "shieldwall/postfix")
	if got := must("hub", "upgrade", "--error"); got != "" {
		t.Errorf("an upgrade with nothing to do says %q", got)
	}
	for _, name := range []string{"crowdsecurity/sshd", "crowdsecurity/linux", "crowdsecurity/nginx", "shieldwall/postfix"} {
		if got := must("collections", "inspect", name, "-o", "json"); !strings.Contains(got, `"up_to_date": true`) || !strings.Contains(got, `"tainted": false`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "instance/data/sensitive_data.txt")); err != nil {
		t.Error(err)
	}
	edited := filepath.Join(dir, "instance/hub/scenarios/crowdsecurity/ssh-bf.yaml")
	if err := os.WriteFile(edited, []byte("name: crowdsecurity/ssh-bf\n# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	must("hub", "upgrade")
	if got := must("collections", "list", "-o", "raw"); !strings.Contains(got, "crowdsecurity/linux,\"enabled,tainted\"") {
		t.Errorf("after a change: %s", got)
	}
	if code, _, stderr := invoke(instance, "collections", "remove", "crowdsecurity/linux"); code != 1 || !strings.Contains(stderr, "crowdsecurity/linux is tainted, use '--force' to remove") {
		t.Errorf("removal of what is tainted: %d, %s", code, stderr)
	}
	must("hub", "upgrade", "--force")
	if got := must("collections", "list", "-o", "raw"); strings.Contains(got, "tainted") {
		t.Errorf("after force: %s", got)
	}
	must("collections", "remove", "--all", "--purge")
	if got := must("hub", "list", "-o", "raw"); got != "name,status,version,description,type\n" {
		t.Errorf("what is left: %s", got)
	}
}

// invoke runs a command of cscli.
func invoke(config string, args ...string) (code int, stdout, stderr string) {
	var out, errors bytes.Buffer
	code = cscli.Main(context.Background(), session.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errors, Now: now, Random: rand.NewChaCha8([32]byte{}),
		LookupEnv: func(string) (string, bool) { return "", false }, Build: buildinfo.Info{Version: "v1.7.4", System: "linux"},
	}, append([]string{"-c", config}, args...))
	return code, out.String(), errors.String()
}
