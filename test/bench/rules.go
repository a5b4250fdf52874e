package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"shieldwall/content"
	"shieldwall/internal/hub"
)

// rules are the items that an instance is given.
type rules struct {
	name    string
	hubDir  string // of the configuration; "" without a hub
	install func(dir string) error
}

// available returns the rules that can be measured, those of the targets first: the sample of the public
// hub, where there is one, and our own.
func available() []rules {
	all := []rules{{name: "own", install: installOwn}}
	sample := os.Getenv("SHIELDWALL_HUB_SAMPLE")
	if sample == "" {
		sample = "../shared/hub-sample/hub"
	}
	sample, err := filepath.Abs(sample)
	if err != nil {
		return all
	}
	if _, err := os.Stat(filepath.Join(sample, ".index.json")); err != nil { //nolint:gosec // what the caller names
		return all
	}
	return append([]rules{{name: "hub sample", hubDir: sample, install: func(dir string) error {
		return installSample(sample, dir)
	}}}, all...)
}

// installOwn copies our items to <type>/[<stage>/]<file>, without the folder of the author.
func installOwn(dir string) error {
	err := fs.WalkDir(content.Items(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(content.Items(), path)
		if err != nil {
			return err
		}
		return write(text, dir, filepath.Dir(filepath.Dir(path)), filepath.Base(path))
	})
	return errors.Join(err, os.CopyFS(filepath.Join(dir, "data"), content.Data()))
}

// collections are those that the targets name.
func collections() []string {
	return []string{
		"crowdsecurity/linux", "crowdsecurity/sshd", "crowdsecurity/nginx", "crowdsecurity/apache2",
		"crowdsecurity/base-http-scenarios", "crowdsecurity/http-cve",
	}
}

// index is the part of a hub's index that says what a collection consists of.
type index map[hub.Kind]map[string]offer

type offer struct {
	Path          string   `json:"path"`
	Stage         string   `json:"stage"`
	Parsers       []string `json:"parsers"`
	Postoverflows []string `json:"postoverflows"`
	Scenarios     []string `json:"scenarios"`
	Contexts      []string `json:"contexts"`
	Collections   []string `json:"collections"`
}

// installSample installs the collections as cscli does: a link for each item, and its data files. The data
// files are in the folder data beside the hub.
func installSample(sample, dir string) error {
	text, err := os.ReadFile(filepath.Join(sample, ".index.json")) //nolint:gosec // what the caller names
	if err != nil {
		return fmt.Errorf("reading the hub: %w", err)
	}
	var offered index
	if err := json.Unmarshal(text, &offered); err != nil {
		return fmt.Errorf("reading the hub: %w", err)
	}
	wanted := map[string]string{}
	for _, name := range collections() {
		if err := offered.collect(hub.Collections, name, wanted); err != nil {
			return err
		}
	}
	for path, folder := range wanted {
		if err := installItem(filepath.Join(sample, path), filepath.Join(dir, folder), filepath.Join(sample, "..", "data"), dir); err != nil {
			return fmt.Errorf("installing %s: %w", path, err)
		}
	}
	return nil
}

// collect adds an item and all that it needs: the path of each in the hub, and the folder that it goes to.
func (x index) collect(kind hub.Kind, name string, wanted map[string]string) error {
	item, ok := x[kind][name]
	if !ok {
		return fmt.Errorf("the hub has no %s %s", kind, name)
	}
	if _, known := wanted[item.Path]; known {
		return nil
	}
	wanted[item.Path] = filepath.Join(string(kind), item.Stage)
	for kind, names := range map[hub.Kind][]string{
		hub.Parsers: item.Parsers, hub.Postoverflows: item.Postoverflows, hub.Scenarios: item.Scenarios,
		hub.Contexts: item.Contexts, hub.Collections: item.Collections,
	} {
		for _, name := range names {
			if err := x.collect(kind, name, wanted); err != nil {
				return err
			}
		}
	}
	return nil
}

func installItem(item, folder, data, dir string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	if err := os.Symlink(item, filepath.Join(folder, filepath.Base(item))); err != nil {
		return err
	}
	files, err := dataFiles(item)
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(data, name)) //nolint:gosec // what the item names
		if err != nil {
			return err
		}
		if err := write(text, dir, "data", name); err != nil {
			return err
		}
	}
	return nil
}

// dataFiles returns the names of the data files of an item.
func dataFiles(item string) (names []string, err error) {
	text, err := os.ReadFile(item) //nolint:gosec // of the hub
	if err != nil {
		return nil, err
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document struct {
			Data []struct {
				File string `yaml:"dest_file"`
			} `yaml:"data"`
		}
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return names, nil
		case err != nil:
			return nil, err
		}
		for _, file := range document.Data {
			names = append(names, file.File)
		}
	}
}

func write(text []byte, path ...string) error {
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil { //nolint:gosec // below our own folder
		return err
	}
	return os.WriteFile(name, text, 0o600) //nolint:gosec // below our own folder
}
