package cache

import (
	"maps"
	"slices"
)

// lfu groups keys by how often they were used; within a group the oldest goes first.
type lfu[K comparable] struct {
	size   int
	uses   map[K]int
	groups map[int]*queue[K]
	least  int // no group below it has keys
}

func newLFU[K comparable](size int) *lfu[K] {
	return &lfu[K]{size: size, uses: map[K]int{}, groups: map[int]*queue[K]{}}
}

func (l *lfu[K]) hit(key K) {
	uses := l.uses[key]
	l.leave(key, uses)
	l.enter(key, uses+1)
}

func (l *lfu[K]) add(key K) (victim K, evicted bool) {
	if len(l.uses) >= l.size {
		victim, evicted = l.evict()
	}
	l.enter(key, 1)
	l.least = 1
	return victim, evicted
}

func (l *lfu[K]) remove(key K) {
	uses := l.uses[key]
	delete(l.uses, key)
	l.leave(key, uses)
}

func (l *lfu[K]) evict() (K, bool) {
	if _, ok := l.groups[l.least]; !ok {
		// Only removal of expired keys leaves a gap that hit cannot close by itself.
		l.least = slices.Min(slices.Collect(maps.Keys(l.groups)))
	}
	victim, ok := l.groups[l.least].pop()
	if l.groups[l.least].len() == 0 {
		delete(l.groups, l.least)
	}
	delete(l.uses, victim)
	return victim, ok
}

func (l *lfu[K]) enter(key K, uses int) {
	group, ok := l.groups[uses]
	if !ok {
		group = newQueue[K]()
		l.groups[uses] = group
	}
	group.push(key)
	l.uses[key] = uses
}

func (l *lfu[K]) leave(key K, uses int) {
	group := l.groups[uses]
	group.remove(key)
	if group.len() > 0 {
		return
	}
	delete(l.groups, uses)
	if l.least == uses {
		l.least++
	}
}
