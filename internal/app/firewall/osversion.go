package firewall

import (
	"bufio"
	"cmp"
	"fmt"
	"io/fs"
	"strings"

	"shieldwall/internal/wire"
)

// osVersion reads which operating system this is from etc/os-release below root.
func osVersion(root fs.FS) (wire.OSVersion, error) {
	file, err := root.Open("etc/os-release")
	if err != nil {
		return wire.OSVersion{}, fmt.Errorf("reading os-release: %w", err)
	}
	defer func() { _ = file.Close() }()
	values := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		values[key] = strings.Trim(value, `"'`)
	}
	if err := lines.Err(); err != nil {
		return wire.OSVersion{}, fmt.Errorf("reading os-release: %w", err)
	}
	family, _, _ := strings.Cut(values["ID_LIKE"], " ")
	return wire.OSVersion{
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
