package grok

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"regexp/syntax"
	"strings"

	"shieldwall/internal/domain/fault"
)

var definitionLine = regexp.MustCompile(`^(\w+)\s+(.*)$`)

// origin says who gave a definition, which decides who may replace it.
type origin uint8

const (
	fromDefault origin = iota
	fromOverride
)

type definition struct {
	pattern string
	parts   []part
	origin  origin
}

// Library is a set of named definitions. Definitions are looked up by name when a pattern is compiled, so that
// replacing one changes what is compiled afterwards and nothing else. It is not safe for concurrent changes;
// compiled patterns do not depend on it any more.
type Library struct {
	definitions map[string]definition
}

// New returns an empty library.
func New() *Library {
	return &Library{definitions: map[string]definition{}}
}

// Clone returns an independent copy: what is added to one is not seen by the other.
func (l *Library) Clone() *Library {
	return &Library{definitions: maps.Clone(l.definitions)}
}

// Lookup returns the definition of name as it was written.
func (l *Library) Lookup(name string) (pattern string, ok bool) {
	d, ok := l.definitions[name]
	return d.pattern, ok
}

// Add defines name (letters, digits and underscores). Everything the pattern refers to must be defined before.
// The kind of the error is Exists when name is taken (the first definition is kept), NotFound when a reference
// has no definition, and Invalid for everything else that is wrong with the name or the pattern.
func (l *Library) Add(name, pattern string) error {
	if _, taken := l.definitions[name]; taken {
		return fault.Errorf(fault.Exists, "pattern %s is already defined", name)
	}
	return l.define(name, pattern, fromDefault)
}

// AddFile adds every definition of a pattern file, stopping at the first error. A definition is a line made of
// a name, white space and a pattern; every other line is ignored. The errors are those of Add and of r; file
// is only used to say where.
func (l *Library) AddFile(file string, r io.Reader) error {
	return eachDefinition(file, r, l.Add)
}

// OverrideFile is AddFile for the files of a user: a definition replaces the one of the same name, unless that
// one was made by OverrideFile as well, which is an error of kind Exists as in AddFile.
func (l *Library) OverrideFile(file string, r io.Reader) error {
	return eachDefinition(file, r, l.override)
}

func (l *Library) override(name, pattern string) error {
	if l.definitions[name].origin == fromOverride {
		return fault.Errorf(fault.Exists, "pattern %s is already defined", name)
	}
	return l.define(name, pattern, fromOverride)
}

func (l *Library) define(name, pattern string, from origin) error {
	switch {
	case !isName(name):
		return fault.Errorf(fault.Invalid, "pattern name %q is not made of letters, digits and underscores", name)
	case pattern == "":
		return fault.Errorf(fault.Invalid, "pattern %s is empty", name)
	}
	d := definition{pattern: pattern, parts: split(pattern), origin: from}
	if err := l.check(name, d); err != nil {
		return fmt.Errorf("pattern %s: %w", name, err)
	}
	l.definitions[name] = d
	return nil
}

// check refuses a definition that no pattern could use: better where it is written than where it is used. What
// it refers to was checked before and stays inside its group, so a stand-in for it will do.
func (l *Library) check(name string, d definition) error {
	e := newExpander(l)
	e.open[name] = true
	if _, err := e.expand(d.parts); err != nil {
		return err
	}
	var text strings.Builder
	for _, p := range d.parts {
		text.WriteString(p.text)
		if p.name != "" {
			text.WriteString("(?:x)")
		}
	}
	if _, err := syntax.Parse(text.String(), syntax.Perl); err != nil {
		return fault.Mark(fault.Invalid, err)
	}
	return nil
}

// eachDefinition calls define for the definitions of a pattern file.
func eachDefinition(file string, r io.Reader, define func(name, pattern string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxExpansion)
	for number := 1; scanner.Scan(); number++ {
		found := definitionLine.FindStringSubmatch(scanner.Text())
		if found == nil {
			continue
		}
		if err := define(found[1], found[2]); err != nil {
			return fmt.Errorf("reading pattern file %s, line %d: %w", file, number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("reading pattern file %s: %w", file, err)
	}
	return nil
}

func isName(s string) bool {
	for _, c := range []byte(s) {
		word := c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !word {
			return false
		}
	}
	return s != ""
}
