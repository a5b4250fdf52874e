package hubtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
)

// item is one item that a case installs.
type item struct {
	kind      hub.Kind
	name      string // as the case calls it
	source    string // path of the file
	folder    string // below the runtime folder
	file      string // name in that folder
	published string // path below the hub folder of an item of the index, "" for a local one
}

// items returns what a case installs, each file once.
func (h *Hub) items(c *Case) ([]item, error) {
	var items []item
	for _, group := range []struct {
		kind  hub.Kind
		names []string
	}{
		{hub.Parsers, c.Config.Parsers},
		{hub.Postoverflows, c.Config.Postoverflows},
		{hub.Scenarios, c.Config.Scenarios},
	} {
		for _, name := range group.names {
			if name == "" {
				continue
			}
			found, err := h.item(c, group.kind, name)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(items, func(i item) bool { return i.source == found.source }) {
				items = append(items, found)
			}
		}
	}
	return apart(items), nil
}

func (h *Hub) item(c *Case, kind hub.Kind, name string) (item, error) {
	if entry, ok := h.Catalog.Find(kind, name); ok {
		return item{
			kind: kind, name: name, source: filepath.Join(h.Dir, entry.Path), published: entry.Path,
			folder: filepath.Join(string(kind), entry.Stage), file: filepath.Base(entry.Path),
		}, nil
	}
	for _, base := range []string{h.Dir, c.Dir} {
		source := filepath.Join(base, name)
		if info, err := os.Stat(source); err != nil || !info.Mode().IsRegular() {
			continue
		}
		folder, err := localFolder(kind, name)
		return item{kind: kind, name: name, source: source, folder: folder, file: filepath.Base(name)}, err
	}
	return item{}, fault.Errorf(fault.NotFound, "%s: '%s' is neither in the index nor a file of the hub or the test", kind, name)
}

// localFolder finds the stage of a local item in its path, where it follows the kind as everywhere in a hub.
func localFolder(kind hub.Kind, name string) (string, error) {
	if kind == hub.Scenarios {
		return string(kind), nil
	}
	folders := strings.Split(path.Dir(filepath.ToSlash(name)), "/")
	for i := len(folders) - 2; i >= 0; i-- {
		if folders[i] == string(kind) {
			return filepath.Join(string(kind), folders[i+1]), nil
		}
	}
	return "", fault.Errorf(fault.Invalid, "'%s' does not lie in %s/<stage>/, so its stage is unknown", name, kind)
}

// apart gives files of the same name in the same folder different names.
func apart(items []item) []item {
	taken := map[string]bool{}
	for i := range items {
		it := &items[i]
		if taken[filepath.Join(it.folder, it.file)] {
			it.file = filepath.Base(filepath.Dir(it.source)) + "_" + it.file
		}
		taken[filepath.Join(it.folder, it.file)] = true
	}
	return items
}

// dataFile is a data file that an item names.
type dataFile struct {
	name   string
	needed bool // it would be downloaded, so it must be there
}

// dataFiles returns the data files that an item names.
func (i item) dataFiles() ([]dataFile, error) {
	text, err := os.ReadFile(i.source)
	if err != nil {
		return nil, fmt.Errorf("reading item %s: %w", i.name, err)
	}
	return dataFiles(text), nil
}

// dataFiles reads no further than the first document that is no YAML: the engine will say what is wrong
// with it.
func dataFiles(text []byte) []dataFile {
	var files []dataFile
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document struct {
			Data []struct {
				URL  string `yaml:"source_url"`
				File string `yaml:"dest_file"`
			} `yaml:"data"`
		}
		if err := decoder.Decode(&document); err != nil {
			return files
		}
		for _, entry := range document.Data {
			if entry.File != "" {
				files = append(files, dataFile{entry.File, entry.URL != ""})
			}
		}
	}
}

// copyFile copies a file, making the folder of the copy.
func copyFile(from, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	source, err := os.Open(from) //nolint:gosec // of the caller's hub
	if err != nil {
		return err
	}
	defer source.Close()                                                      //nolint:errcheck // only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // in the runtime folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}

// exists reports whether something that can be used lies at path.
func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
