// Package stash owns the named caches through which parsers remember texts from one line to the next.
//
// It promises that a value is found until it expires or is pushed out, and that names stay apart. It
// refuses a stash without a name or a lifetime. Its content lives in memory only.
package stash

import (
	"strings"
	"sync"
	"time"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/cache"
)

const defaultSize = 100

// Spec describes one stash as a parser declares it.
type Spec struct {
	Name     string
	Size     int           // entries; 0 is 100
	TTL      time.Duration // lifetime of an entry
	Strategy string        // LRU, LFU or ARC; anything else is LRU
}

// Stash is a set of named caches. It is safe for concurrent use.
type Stash struct {
	now func() time.Time

	mu     sync.RWMutex
	caches map[string][]*cache.Cache[string, string]
}

// New returns a Stash without caches.
func New(now func() time.Time) *Stash {
	return &Stash{now: now, caches: map[string][]*cache.Cache[string, string]{}}
}

// Declare adds a cache. Of several with one name, all receive what is set and the first is read.
// The error is of kind fault.Invalid.
func (s *Stash) Declare(spec Spec) error {
	switch {
	case spec.Name == "":
		return fault.Errorf(fault.Invalid, "stash has no name")
	case spec.Size < 0:
		return fault.Errorf(fault.Invalid, "stash %s: size %d is negative", spec.Name, spec.Size)
	case spec.TTL <= 0:
		return fault.Errorf(fault.Invalid, "stash %s: ttl must be positive", spec.Name)
	}
	strategy, err := cache.ParseStrategy(spec.Strategy)
	if err != nil {
		strategy = cache.LRU
	}
	size := spec.Size
	if size == 0 {
		size = defaultSize
	}
	added := cache.New[string, string](cache.Options{Size: size, TTL: spec.TTL, Strategy: strategy, Now: s.now})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caches[spec.Name] = append(s.caches[spec.Name], added)
	return nil
}

// Get returns the value of key in the stash called name, "" when it is absent or expired; false when there
// is no such stash.
func (s *Stash) Get(name, key string) (string, bool) {
	caches := s.named(name)
	if len(caches) == 0 {
		return "", false
	}
	value, _ := caches[0].Get(key)
	return value, true
}

// Set keeps value under key for the lifetime that the stash declares; false when there is no such stash.
func (s *Stash) Set(name, key, value string) bool {
	caches := s.named(name)
	key, value = strings.Clone(key), strings.Clone(value) // they are often slices of a whole log line
	for _, c := range caches {
		c.Put(key, value)
	}
	return len(caches) > 0
}

// SetFor is Set with a lifetime of its own; 0 is for ever.
func (s *Stash) SetFor(name, key, value string, ttl time.Duration) bool {
	caches := s.named(name)
	key, value = strings.Clone(key), strings.Clone(value)
	for _, c := range caches {
		c.PutFor(key, value, ttl)
	}
	return len(caches) > 0
}

func (s *Stash) named(name string) []*cache.Cache[string, string] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.caches[name]
}
