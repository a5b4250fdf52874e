package hubtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
)

const (
	casesDir   = ".tests"
	configFile = "config.yaml"
	indexFile  = ".index.json"
)

// Hub is a folder of items with test cases. It may be read-only.
type Hub struct {
	Dir     string // absolute
	Catalog *hub.Catalog
}

// Open reads the index of the hub in dir. A hub without index has local items only.
func Open(dir string) (*Hub, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the hub: %w", err)
	}
	catalog, err := hub.ReadCatalog(filepath.Join(dir, indexFile))
	if err != nil {
		return nil, err
	}
	return &Hub{Dir: dir, Catalog: catalog}, nil
}

// Tests returns the folder of the test cases.
func (h *Hub) Tests() string { return filepath.Join(h.Dir, casesDir) }

// Names returns the names of all test cases, sorted. Folders without a configuration are none.
func (h *Hub) Names() ([]string, error) {
	entries, err := os.ReadDir(h.Tests())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Errorf(fault.NotFound, "%s is no hub: it has no folder %s", h.Dir, casesDir)
	}
	if err != nil {
		return nil, fmt.Errorf("listing tests: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if _, err := os.Stat(filepath.Join(h.Tests(), entry.Name(), configFile)); err == nil {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Case reads a test case. An unknown name is of kind fault.NotFound.
func (h *Hub) Case(name string) (*Case, error) {
	c := h.place(name)
	if !filepath.IsLocal(name) {
		return nil, fault.Errorf(fault.Invalid, "'%s' is no name of a test", name)
	}
	config, err := readConfig(filepath.Join(c.Dir, configFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Errorf(fault.NotFound, "test '%s' does not exist in %s", name, filepath.Dir(c.Dir))
	}
	if err != nil {
		return nil, err
	}
	c.Config = config
	return c, nil
}

func (h *Hub) place(name string) *Case {
	return &Case{Name: name, Dir: filepath.Join(h.Tests(), name)}
}
