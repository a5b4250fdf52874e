package enrich

import (
	"sync"

	"shieldwall/internal/logprocessor/event"
)

// facts are what one method finds, as texts by field. They never change.
type facts struct {
	fields []event.Field
	texts  [4]string
	err    error
}

func (f *facts) tell(evt *event.Event) error {
	for i := range f.fields {
		f.fields[i].Set(evt, f.texts[i])
	}
	return f.err
}

// maxShared bounds the facts that one table holds.
const maxShared = 4096

// shared holds the facts that many addresses have in common.
type shared[K comparable] struct {
	tell func(K) *facts

	mu    sync.Mutex
	known map[K]*facts
}

func (s *shared[K]) of(key K) *facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.known[key]; known != nil {
		return known
	}
	if s.known == nil || len(s.known) >= maxShared {
		s.known = map[K]*facts{}
	}
	fresh := s.tell(key)
	s.known[key] = fresh
	return fresh
}
