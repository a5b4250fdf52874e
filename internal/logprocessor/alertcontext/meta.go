package alertcontext

import (
	"net/http"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// Meta returns what the events of a bucket say about each key: a JSON list of different texts, in the order
// of the events. Keys are sorted; those without an answer are left out.
func (s *Set) Meta(queue []*event.Event) []wire.MetaItem {
	if s == nil {
		return nil
	}
	var items []wire.MetaItem
	for i := range s.keys {
		if value := s.value(&s.keys[i], queue); value != "" {
			items = append(items, wire.MetaItem{Key: s.keys[i].name, Value: value})
		}
	}
	return items
}

// value asks no further event once the list is full.
func (s *Set) value(key *key, queue []*event.Event) string {
	found := newAnswers(s.maxLength)
	for _, evt := range queue {
		for _, expr := range key.expressions {
			if found.full {
				return found.list()
			}
			result, err := expr.Eval(&env{Evt: evt, Match: map[string]any{}, Req: new(http.Request)})
			if err != nil {
				s.log.Warn("context of an alert cannot be evaluated", "key", key.name, "error", err)
				continue
			}
			for _, text := range texts(result) {
				found.add(text)
			}
		}
	}
	return found.list()
}
