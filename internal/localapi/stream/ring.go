package stream

import "sort"

// ring is a queue that can be searched, oldest item first. Its memory follows its length, up and down.
type ring[T any] struct {
	items []T // wrap around
	first int // index of the oldest item
	count int
}

const leastRing = 64 // items that there is always room for

// push appends item.
func (r *ring[T]) push(item T) {
	if r.count == len(r.items) {
		r.resize(max(leastRing, 2*r.count))
	}
	r.items[(r.first+r.count)%len(r.items)] = item
	r.count++
}

// pop removes the oldest item and returns it. There must be one.
func (r *ring[T]) pop() T {
	oldest := r.items[r.first]
	var none T
	r.items[r.first] = none
	r.first = (r.first + 1) % len(r.items)
	r.count--
	if r.count < len(r.items)/4 && len(r.items) > leastRing {
		r.resize(len(r.items) / 2)
	}
	return oldest
}

func (r *ring[T]) resize(size int) {
	items := make([]T, size)
	for i := range r.count {
		items[i] = r.at(i)
	}
	r.items, r.first = items, 0
}

func (r *ring[T]) len() int { return r.count }

func (r *ring[T]) at(i int) T { return r.items[(r.first+i)%len(r.items)] }

// from returns the index of the first item for which isNewer holds; it must hold for all after it too.
func (r *ring[T]) from(isNewer func(T) bool) int {
	return sort.Search(r.len(), func(i int) bool { return isNewer(r.at(i)) })
}
