package cache

type lru[K comparable] struct {
	size int
	keys *queue[K]
}

func newLRU[K comparable](size int) *lru[K] { return &lru[K]{size: size, keys: newQueue[K]()} }

func (l *lru[K]) hit(key K) { l.keys.push(key) }

func (l *lru[K]) add(key K) (victim K, evicted bool) {
	if l.keys.len() >= l.size {
		victim, evicted = l.keys.pop()
	}
	l.keys.push(key)
	return victim, evicted
}

func (l *lru[K]) remove(key K) { l.keys.remove(key) }
