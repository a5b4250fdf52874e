package cache

import (
	"fmt"
	"sync"
	"time"
)

// Strategy says which value gives way when a cache is full.
type Strategy uint8

// The strategies.
const (
	LRU Strategy = iota // the one unused for longest
	LFU                 // the one used least often
	ARC                 // adaptive: balances recency and frequency by what was missed
)

// ParseStrategy reads "LRU", "LFU", "ARC" or "" (LRU).
func ParseStrategy(text string) (Strategy, error) {
	switch text {
	case "", "LRU":
		return LRU, nil
	case "LFU":
		return LFU, nil
	case "ARC":
		return ARC, nil
	}
	return LRU, fmt.Errorf("unknown cache strategy %q", text)
}

// Options describe a cache.
type Options struct {
	Size     int           // values held at most; below 1 is 1
	TTL      time.Duration // lifetime of a value from when it was put; 0 is for ever
	Strategy Strategy
	Now      func() time.Time
}

// policy chooses victims. It knows keys only; a key is in it from add to remove or until it is a victim.
type policy[K comparable] interface {
	hit(key K)
	add(key K) (victim K, evicted bool)
	remove(key K)
}

type entry[V any] struct {
	value   V
	expires time.Time // zero: never
}

// Cache is a bounded map that forgets. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	now func() time.Time
	ttl time.Duration

	mu      sync.Mutex
	entries map[K]entry[V]
	policy  policy[K]
}

// New returns an empty cache.
func New[K comparable, V any](o Options) *Cache[K, V] {
	return &Cache[K, V]{
		now:     o.Now,
		ttl:     o.TTL,
		entries: map[K]entry[V]{},
		policy:  newPolicy[K](o.Strategy, max(o.Size, 1)),
	}
}

func newPolicy[K comparable](strategy Strategy, size int) policy[K] {
	switch strategy {
	case LFU:
		return newLFU[K](size)
	case ARC:
		return newARC[K](size)
	case LRU:
	}
	return newLRU[K](size)
}

// Get returns the value of key, false when there is none or it has expired.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.entries[key]
	if !ok {
		return found.value, false
	}
	if !found.expires.IsZero() && !c.now().Before(found.expires) {
		delete(c.entries, key)
		c.policy.remove(key)
		var none V
		return none, false
	}
	c.policy.hit(key)
	return found.value, true
}

// Put keeps value under key for the lifetime of the cache's options.
func (c *Cache[K, V]) Put(key K, value V) { c.PutFor(key, value, c.ttl) }

// PutFor keeps value under key for ttl; 0 is for ever.
func (c *Cache[K, V]) PutFor(key K, value V, ttl time.Duration) {
	kept := entry[V]{value: value}
	if ttl != 0 {
		kept.expires = c.now().Add(ttl)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.entries[key]; ok {
		c.policy.hit(key)
	} else if victim, evicted := c.policy.add(key); evicted {
		delete(c.entries, victim)
	}
	c.entries[key] = kept
}

// Len returns the number of values held, expired ones that nobody asked for included.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}
