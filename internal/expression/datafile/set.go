package datafile

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/cache"
)

const defaultCacheSize = 50

// Entry is one element of a data list as items write it.
type Entry struct {
	SourceURL string        `yaml:"source_url"` // where an installer downloads it from; not used here
	DestFile  string        `yaml:"dest_file"`  // path below the data directory, and the name to look it up by
	Type      string        `yaml:"type"`       // "" (nothing is loaded), string, regexp (or regex), map, bots
	Cache     *bool         `yaml:"cache"`      // false forbids caching of regexp results
	Strategy  string        `yaml:"strategy"`   // of the cache: LRU, LFU or ARC
	Size      int           `yaml:"size"`       // of the cache; 0 is 50
	TTL       time.Duration `yaml:"ttl"`        // of the cache; 0 is for ever
}

// Set holds loaded files by name and type. It is safe for concurrent use.
type Set struct {
	log *slog.Logger
	now func() time.Time

	loading sync.Mutex // one Load at a time; readers need no lock
	loaded  atomic.Pointer[files]
}

// files is never changed once readers can see it.
type files struct {
	texts   map[string][]string
	regexps map[string]*Regexps
	rows    map[string]*Rows
	bots    map[string]*Bots
}

// New returns an empty Set. The clock expires cached results.
func New(log *slog.Logger, now func() time.Time) *Set {
	s := &Set{log: log, now: now}
	s.loaded.Store(&files{})
	return s
}

// Load reads entry's file below dir. A file that is loaded already under the same type is left alone, one
// without a type is not read. Errors name the file; those about content or path are of kind fault.Invalid.
func (s *Set) Load(entry Entry, dir string) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	next := s.loaded.Load().clone()
	if entry.Type == "" || next.has(entry) {
		return nil
	}
	content, err := open(dir, entry.DestFile)
	if err != nil {
		return fmt.Errorf("opening data file %q: %w", entry.DestFile, err)
	}
	defer func() { _ = content.Close() }() // read only: nothing can be lost
	if err := s.add(next, entry, content); err != nil {
		return fmt.Errorf("reading data file %q: %w", entry.DestFile, err)
	}
	s.loaded.Store(next)
	return nil
}

// Strings returns the lines of a file of type string, false when none is loaded. Read only.
func (s *Set) Strings(name string) ([]string, bool) {
	lines, ok := s.loaded.Load().texts[name]
	return lines, ok
}

// Regexps returns a file of type regexp, false when none is loaded.
func (s *Set) Regexps(name string) (*Regexps, bool) {
	list, ok := s.loaded.Load().regexps[name]
	return list, ok
}

// Rows returns a file of type map, false when none is loaded.
func (s *Set) Rows(name string) (*Rows, bool) {
	rows, ok := s.loaded.Load().rows[name]
	return rows, ok
}

// Bots returns a file of type bots, false when none is loaded.
func (s *Set) Bots(name string) (*Bots, bool) {
	bots, ok := s.loaded.Load().bots[name]
	return bots, ok
}

func (s *Set) add(to *files, entry Entry, content io.Reader) error {
	lines, err := readLines(content)
	if err != nil {
		return err
	}
	switch entry.Type {
	case "string":
		to.texts[entry.DestFile] = texts(lines)
	case "regexp", "regex":
		to.regexps[entry.DestFile], err = newRegexps(lines, s.resultCache(entry))
	case "map":
		to.rows[entry.DestFile], err = newRows(lines)
	case "bots":
		to.bots[entry.DestFile], err = newBots(lines)
	default:
		err = fault.Errorf(fault.Invalid, "unknown type %q", entry.Type)
	}
	return err
}

// resultCache returns nil when entry asks for none. A strategy that does not exist costs speed, not
// detection: it is logged and the file works uncached.
func (s *Set) resultCache(entry Entry) *cache.Cache[string, bool] {
	asked := entry.Strategy != "" || entry.Size != 0 || entry.TTL != 0
	forbidden := entry.Cache != nil && !*entry.Cache
	if !asked || forbidden || entry.Type != "regexp" {
		return nil
	}
	strategy, err := cache.ParseStrategy(entry.Strategy)
	if err != nil {
		s.log.Error("data file is not cached", "file", entry.DestFile, "error", err)
		return nil
	}
	size := entry.Size
	if size <= 0 {
		size = defaultCacheSize
	}
	return cache.New[string, bool](cache.Options{Size: size, TTL: entry.TTL, Strategy: strategy, Now: s.now})
}

func (f *files) clone() *files {
	next := &files{texts: map[string][]string{}, regexps: map[string]*Regexps{}, rows: map[string]*Rows{}, bots: map[string]*Bots{}}
	maps.Copy(next.texts, f.texts)
	maps.Copy(next.regexps, f.regexps)
	maps.Copy(next.rows, f.rows)
	maps.Copy(next.bots, f.bots)
	return next
}

func (f *files) has(entry Entry) (ok bool) {
	switch entry.Type {
	case "string":
		_, ok = f.texts[entry.DestFile]
	case "regexp", "regex":
		_, ok = f.regexps[entry.DestFile]
	case "map":
		_, ok = f.rows[entry.DestFile]
	case "bots":
		_, ok = f.bots[entry.DestFile]
	}
	return ok
}

// open refuses names that lead out of dir. Links are followed: who can place one there owns the data.
func open(dir, name string) (fs.File, error) {
	clean := path.Clean(name)
	if name == "" || !fs.ValidPath(clean) {
		return nil, fault.Errorf(fault.Invalid, "path is not inside the data directory")
	}
	root := os.DirFS(dir)
	info, err := fs.Stat(root, clean)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Errorf(fault.Invalid, "not a regular file") // opening a pipe would wait for ever
	}
	return root.Open(clean)
}

type line struct {
	number int
	text   string
}

// readLines returns the lines that carry something: not the empty ones and not those that begin with "#".
// A line is at most 64 KiB and is not trimmed.
func readLines(content io.Reader) ([]line, error) {
	var lines []line
	scanner := bufio.NewScanner(content)
	number := 0
	for scanner.Scan() {
		number++
		if text := scanner.Text(); text != "" && text[0] != '#' {
			lines = append(lines, line{number: number, text: text})
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	return lines, nil
}

func texts(lines []line) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = line.text
	}
	return list
}
