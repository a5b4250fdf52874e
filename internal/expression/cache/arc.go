package cache

// arc is the adaptive replacement of Megiddo and Modha (FAST 2003): keys seen once and keys seen again live
// in two queues, and ghosts of evicted keys move the border between them.
type arc[K comparable] struct {
	size                    int
	target                  int // wanted length of once
	once, often             *queue[K]
	onceGhosts, oftenGhosts *queue[K]
}

func newARC[K comparable](size int) *arc[K] {
	return &arc[K]{
		size:        size,
		once:        newQueue[K](),
		often:       newQueue[K](),
		onceGhosts:  newQueue[K](),
		oftenGhosts: newQueue[K](),
	}
}

func (a *arc[K]) hit(key K) {
	a.once.remove(key)
	a.often.push(key)
}

func (a *arc[K]) remove(key K) {
	a.once.remove(key)
	a.often.remove(key)
}

func (a *arc[K]) add(key K) (victim K, evicted bool) {
	switch {
	case a.onceGhosts.has(key):
		a.target = min(a.size, a.target+max(1, a.oftenGhosts.len()/a.onceGhosts.len()))
		victim, evicted = a.replace(false)
		a.onceGhosts.remove(key)
		a.often.push(key)
	case a.oftenGhosts.has(key):
		a.target = max(0, a.target-max(1, a.onceGhosts.len()/a.oftenGhosts.len()))
		victim, evicted = a.replace(true)
		a.oftenGhosts.remove(key)
		a.often.push(key)
	default:
		victim, evicted = a.makeRoom()
		a.once.push(key)
	}
	return victim, evicted
}

// makeRoom keeps the history of both sides within bounds before an unknown key comes in.
func (a *arc[K]) makeRoom() (victim K, evicted bool) {
	seenOnce := a.once.len() + a.onceGhosts.len()
	seenOften := a.often.len() + a.oftenGhosts.len()
	switch {
	case seenOnce >= a.size && a.once.len() >= a.size:
		return a.once.pop()
	case seenOnce >= a.size:
		a.onceGhosts.pop()
	case seenOnce+seenOften >= 2*a.size:
		a.oftenGhosts.pop()
	}
	return a.replace(false)
}

// replace evicts one resident key, when there is no room, and remembers its ghost.
func (a *arc[K]) replace(askedOften bool) (victim K, evicted bool) {
	if a.once.len()+a.often.len() < a.size {
		return victim, false
	}
	above := a.once.len() > a.target || (askedOften && a.once.len() == a.target)
	if a.often.len() == 0 || (a.once.len() > 0 && above) {
		victim, evicted = a.once.pop()
		a.onceGhosts.push(victim)
		return victim, evicted
	}
	victim, evicted = a.often.pop()
	a.oftenGhosts.push(victim)
	return victim, evicted
}
