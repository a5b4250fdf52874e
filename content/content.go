// Package content is what Shieldwall delivers besides its programs: grok definitions, parsers, scenarios, the
// collections of them, the data files they need, and default configuration, all embedded.
//
// It owns the texts and promises that they are complete: every definition that an item uses is among Patterns,
// every data file is in Data. It does not install, parse or run anything, and it writes nothing.
package content

import (
	"embed"
	"io/fs"
	"path"
)

//go:generate go run ./publish ..

//go:embed config data items patterns setup
var files embed.FS

//go:embed items/.index.json
var index string

// basePatterns is the file on which all the others build.
const basePatterns = "base"

// PatternFile is one file of grok definitions.
type PatternFile struct {
	Name string // as a user would name the file that replaces it
	Text string
}

// FS returns everything: the directories config, data, items, patterns and setup.
func FS() fs.FS { return files }

// Items returns the parsers, scenarios and collections in the layout of a hub, such as parsers/s01-parse/shieldwall/x.yaml.
func Items() fs.FS { return directory("items") }

// Index returns the published index of Items.
func Index() []byte { return []byte(index) }

// ServiceRules returns detect.yaml: which services run on a machine, what reads their logs, and where the logs are.
func ServiceRules() []byte { return must(files.ReadFile("setup/detect.yaml")) }

// Data returns the data files under the names by which items refer to them.
func Data() fs.FS { return directory("data") }

// DefaultConfig returns the configuration files of a new installation: profiles.yaml, simulation.yaml,
// console.yaml and an example acquis.yaml.
func DefaultConfig() fs.FS { return directory("config") }

// Patterns returns the pattern files in the order in which they have to be read: the base first, then by name.
func Patterns() []PatternFile {
	list := []PatternFile{patternFile(basePatterns)}
	for _, entry := range must(files.ReadDir("patterns")) {
		if entry.Name() != basePatterns {
			list = append(list, patternFile(entry.Name()))
		}
	}
	return list
}

func patternFile(name string) PatternFile {
	return PatternFile{Name: name, Text: string(must(files.ReadFile(path.Join("patterns", name))))}
}

func directory(name string) fs.FS {
	return must(fs.Sub(files, name))
}

// must is for what can only fail in a program that was linked without its content.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
