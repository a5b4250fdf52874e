package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/app/engine"
)

// hubKinds are the types of items, and how deep below their folder the files are: by stage, by author.
var hubKinds = map[string]int{"parsers": 3, "postoverflows": 3, "scenarios": 2, "contexts": 2, "collections": 2}

// TestWholeHubLoads checks a configuration in which every item of the public hub is installed, as
// `crowdsec -t` does. SHIELDWALL_HUB_SAMPLE names a folder with the hub; the data files of its items are in
// the folder data beside it.
func TestWholeHubLoads(t *testing.T) {
	t.Parallel()
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		t.Skip("needs a copy of the public hub: set SHIELDWALL_HUB_SAMPLE to its folder")
	}
	dir := t.TempDir()
	installed := map[string]int{}
	for kind, depth := range hubKinds {
		installed[kind] = installAll(t, sample, kind, depth, dir)
	}
	linkData(t, filepath.Join(sample, "..", "data"), filepath.Join(dir, "data"))
	begin := time.Now()
	log, err := check(t, dir, sample, "")
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin).Round(time.Millisecond)
	loaded := counts(t, log)
	for _, kind := range []string{"parsers", "scenarios", "postoverflows", "contexts"} {
		t.Logf("measured: %s of the hub that load: %d of %d", kind, loaded[kind], installed[kind])
		if loaded[kind] != installed[kind] || installed[kind] == 0 {
			t.Errorf("%s: %d of %d", kind, loaded[kind], installed[kind])
		}
	}
	t.Logf("measured: loading the whole hub took %v", took)
	for _, line := range complaints(log) {
		t.Errorf("log: %s", line)
	}
}

// installAll links every item of a kind as cscli does: below its stage, without the author's folder.
func installAll(t *testing.T, hub, kind string, depth int, dir string) int {
	t.Helper()
	installed := 0
	err := filepath.WalkDir(filepath.Join(hub, kind), func(path string, entry fs.DirEntry, err error) error {
		extension := filepath.Ext(path)
		if err != nil || entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			return err
		}
		item, err := filepath.Rel(hub, path)
		if err != nil {
			return err
		}
		parts := strings.Split(item, string(filepath.Separator))
		if len(parts) != depth+1 {
			return fmt.Errorf("%s is at an unexpected depth", item)
		}
		link := filepath.Join(dir, filepath.Join(parts[:depth-1]...), parts[depth])
		installed++
		return errors.Join(os.MkdirAll(filepath.Dir(link), 0o750), os.Symlink(path, link))
	})
	if err != nil {
		t.Fatal(err)
	}
	return installed
}

func linkData(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Symlink(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// check runs `crowdsec -t` on the items below dir, with further keys of crowdsec_service, and returns its log.
func check(t *testing.T, dir, hub, service string) (string, error) {
	t.Helper()
	writeConfig(t, dir, hub, service)
	var out bytes.Buffer
	err := engine.Run(t.Context(), engine.Options{ConfigPath: filepath.Join(dir, "config.yaml"), Test: true, NoLocalAPI: true}, engine.Surroundings{
		Env: func(string) (string, bool) { return "", false }, Now: time.Now, Stdout: &out, Stderr: &out,
	})
	return out.String(), err
}

func writeConfig(t *testing.T, dir, hub, service string) {
	t.Helper()
	writeFiles(t, dir, map[string]string{
		"config.yaml": fmt.Sprintf("config_paths: {config_dir: '%[1]s', data_dir: '%[1]s/data', hub_dir: '%[2]s'}\n"+
			"crowdsec_service: {acquisition_path: '%[1]s/acquis.yaml', %[3]s}\napi: {client: {credentials_path: '%[1]s/credentials.yaml'}}\n", dir, hub, service),
		"simulation.yaml":  "simulation: false\n",
		"acquis.yaml":      "filename: /dev/null\nlabels: {type: syslog}\n",
		"credentials.yaml": "url: http://127.0.0.1:1/\nlogin: test\npassword: test\n",
	})
}

// writeFiles writes texts by their paths below dir.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// counts reads how much the engine says it has loaded.
func counts(t *testing.T, log string) map[string]int {
	t.Helper()
	line := regexp.MustCompile(`.*msg="rules loaded".*`).FindString(log)
	loaded := map[string]int{}
	for _, pair := range regexp.MustCompile(`(\w+)=(\d+)\b`).FindAllStringSubmatch(line, -1) {
		loaded[pair[1]], _ = strconv.Atoi(pair[2])
	}
	return loaded
}

// complaints returns the lines of a log that should not be there. Items of the hub define patterns twice:
// they are known to live with the first definition.
func complaints(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		known := strings.Contains(line, "pattern exists already")
		if !known && regexp.MustCompile(`level=(warning|error|fatal)`).MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
