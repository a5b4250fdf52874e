package grok

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"

	"shieldwall/internal/domain/fault"
)

// maxLine bounds, in bytes, a line of a pattern file.
const maxLine = 1 << 18

// origin says who gave a definition, which decides who may replace it.
type origin uint8

const (
	fromDefault origin = iota
	fromOverride
)

type definition struct {
	pattern  string
	fragment *fragment
	origin   origin
}

// Library is a set of named definitions. Definitions are looked up by name when a pattern is compiled, so that
// replacing one changes what is compiled afterwards and nothing else. Compile may be called concurrently, changes
// may not; compiled patterns do not depend on the library any more.
type Library struct {
	definitions map[string]definition
	workshop    *workshop
	plain       bool

	compiling sync.Mutex            // guards resolved among concurrent calls of Compile
	resolved  map[string]*expansion // emptied when a definition is replaced
}

// New returns an empty library.
func New() *Library {
	return &Library{definitions: map[string]definition{}, resolved: map[string]*expansion{}, workshop: newWorkshop()}
}

// Clone returns an independent copy: what is added to one is not seen by the other.
func (l *Library) Clone() *Library {
	return &Library{definitions: maps.Clone(l.definitions), resolved: maps.Clone(l.resolved), workshop: l.workshop, plain: l.plain}
}

// Plain makes patterns that are compiled from now on match without any shortcut, slowly: to compare with.
func (l *Library) Plain() { l.plain = true }

// Lookup returns the definition of name as it was written.
func (l *Library) Lookup(name string) (pattern string, ok bool) {
	d, ok := l.definitions[name]
	return d.pattern, ok
}

// Add defines name (letters, digits and underscores). Everything the pattern refers to must be defined before.
// The kind of the error is Exists when name is taken (the first definition is kept), NotFound when a reference
// has no definition, TooLarge when the expansion passes the bound, and Invalid for everything else that is
// wrong with the name or the pattern.
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
	case name == "" || leadingWord(name) != name:
		return fault.Errorf(fault.Invalid, "pattern name %q is not made of letters, digits and underscores", name)
	case pattern == "":
		return fault.Errorf(fault.Invalid, "pattern %s is empty", name)
	}
	if err := l.install(name, definition{pattern: pattern, origin: from}); err != nil {
		return fmt.Errorf("pattern %s: %w", name, err)
	}
	return nil
}

// install refuses a definition that no pattern could use: better where it is written than where it is used.
func (l *Library) install(name string, d definition) error {
	var err error
	if d.fragment, err = parseFragment(d.pattern); err != nil {
		return err
	}
	e := l.expander()
	if _, replaces := l.definitions[name]; replaces {
		e.done = map[string]*expansion{} // any of the others may build on the old definition
	}
	e.open[name] = true
	x, err := e.expand(d.fragment)
	if err != nil {
		return err
	}
	e.done[name] = x
	l.resolved = e.done
	l.definitions[name] = d
	return nil
}

func (l *Library) expander() *expander {
	return &expander{definitions: l.definitions, open: map[string]bool{}, done: l.resolved}
}

// eachDefinition calls define for the definitions of a pattern file.
func eachDefinition(file string, r io.Reader, define func(name, pattern string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	for number := 1; scanner.Scan(); number++ {
		name := leadingWord(scanner.Text())
		rest := scanner.Text()[len(name):]
		pattern := strings.TrimLeft(rest, " \t\n\f\r")
		if name == "" || pattern == rest {
			continue
		}
		if err := define(name, pattern); err != nil {
			return fmt.Errorf("reading pattern file %s, line %d: %w", file, number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("reading pattern file %s: %w", file, err)
	}
	return nil
}
