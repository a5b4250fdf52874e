package stream

import "sort"

// ring keeps the newest items, up to its capacity, oldest first.
type ring[T any] struct {
	items []T // grows up to capacity, then wraps around
	first int // index of the oldest item
	limit int
}

// push appends item and returns the item that had to go for it.
func (r *ring[T]) push(item T) (evicted T, full bool) {
	if len(r.items) < r.limit {
		r.items = append(r.items, item)
		return evicted, false
	}
	evicted = r.items[r.first]
	r.items[r.first] = item
	r.first = (r.first + 1) % r.limit
	return evicted, true
}

func (r *ring[T]) len() int { return len(r.items) }

func (r *ring[T]) at(i int) T { return r.items[(r.first+i)%len(r.items)] }

// from returns the index of the first item for which isNewer holds; it must hold for all after it too.
func (r *ring[T]) from(isNewer func(T) bool) int {
	return sort.Search(r.len(), func(i int) bool { return isNewer(r.at(i)) })
}
