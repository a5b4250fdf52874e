package parser

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"shieldwall/content"
	"shieldwall/internal/logprocessor/grok"
)

// Patterns returns the embedded grok patterns with those of the administrator's folder over them. Files
// whose names have a dot are none; a missing folder has none.
func Patterns(dir string) (*grok.Library, error) {
	library := grok.New()
	for _, file := range content.Patterns() {
		if err := library.AddFile(file.Name, strings.NewReader(file.Text)); err != nil {
			return nil, fmt.Errorf("embedded patterns: %w", err)
		}
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return library, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading pattern_dir: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, entry := range entries {
		if entry.IsDir() || strings.Contains(entry.Name(), ".") {
			continue
		}
		if err := overrideWith(library, filepath.Join(dir, entry.Name())); err != nil {
			return nil, err
		}
	}
	return library, nil
}

func overrideWith(library *grok.Library, path string) error {
	file, err := os.Open(path) //nolint:gosec // below the configured folder
	if err != nil {
		return fmt.Errorf("reading pattern file: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	return library.OverrideFile(path, file)
}
