package cache

import "container/list"

// queue is an ordered set of keys: newest at the front.
type queue[K comparable] struct {
	order *list.List
	index map[K]*list.Element
}

func newQueue[K comparable]() *queue[K] {
	return &queue[K]{order: list.New(), index: map[K]*list.Element{}}
}

func (q *queue[K]) len() int { return len(q.index) }

func (q *queue[K]) has(key K) bool {
	_, ok := q.index[key]
	return ok
}

// push makes key the newest, whether or not it was in q.
func (q *queue[K]) push(key K) {
	if element, ok := q.index[key]; ok {
		q.order.MoveToFront(element)
		return
	}
	q.index[key] = q.order.PushFront(key)
}

// remove takes key out and reports whether it was there.
func (q *queue[K]) remove(key K) bool {
	element, ok := q.index[key]
	if ok {
		q.order.Remove(element)
		delete(q.index, key)
	}
	return ok
}

// pop takes the oldest key out; false when q is empty.
func (q *queue[K]) pop() (K, bool) {
	element := q.order.Back()
	if element == nil {
		var none K
		return none, false
	}
	key, _ := element.Value.(K)
	q.remove(key)
	return key, true
}
