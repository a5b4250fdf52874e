// Package osrelease says which operating system this is.
//
// It owns the reading of etc/os-release, and of what distributions keep elsewhere.
package osrelease

import (
	"bufio"
	"cmp"
	"fmt"
	"io/fs"
	"strings"
)

// Release names an operating system.
type Release struct {
	Family  string // that it descends from, or its own name
	Name    string // lower case, "debian"
	Version string
}

// Read reads the files below root, which is the root of the file system.
func Read(root fs.FS) (Release, error) {
	file, err := root.Open("etc/os-release")
	if err != nil {
		return Release{}, fmt.Errorf("reading os-release: %w", err)
	}
	defer func() { _ = file.Close() }()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	if err := lines.Err(); err != nil {
		return Release{}, fmt.Errorf("reading os-release: %w", err)
	}
	family, _, _ := strings.Cut(values["ID_LIKE"], " ")
	return Release{
		Name:    values["ID"],
		Family:  cmp.Or(family, values["ID"]),
		Version: cmp.Or(debianVersion(root, values["ID"]), values["VERSION_ID"]),
	}, nil
}

// debianVersion returns the point release, which os-release of Debian does not have.
func debianVersion(root fs.FS, id string) string {
	if id != "debian" {
		return ""
	}
	text, err := fs.ReadFile(root, "etc/debian_version")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
