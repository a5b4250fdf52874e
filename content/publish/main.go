// Command publish writes what is derived from our content: the index that makes content/items a hub, and the lists in
// the page of the manual, in the module whose root is its argument: go generate ./content
//
// A file that is not what its latest version in the index was becomes a new version; digests of older versions stay, so
// that an installation can tell an outdated item from one that somebody changed.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	itemsDir   = "content/items"
	indexFile  = "content/items/.index.json"
	manualFile = "docs/manual/content.md"
)

func main() {
	if len(os.Args) != 2 {
		_, _ = fmt.Fprintln(os.Stderr, "usage: publish ROOT")
		os.Exit(2)
	}
	if err := publish(os.Args[1]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "publishing content:", err)
		os.Exit(1)
	}
}

// publish brings both files below root up to date.
func publish(root string) error {
	for name, text := range map[string]func(root string) ([]byte, error){indexFile: currentIndex, manualFile: currentManual} {
		current, err := text(root)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), current, 0o644); err != nil { //nolint:gosec // part of the sources
			return err
		}
	}
	return nil
}
