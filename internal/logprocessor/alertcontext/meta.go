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
	found := &answers{limit: s.maxLength}
	for i := range s.keys {
		found.reset()
		s.ask(&s.keys[i], queue, found)
		if value := found.list(); value != "" {
			items = append(items, wire.MetaItem{Key: s.keys[i].name, Value: value})
		}
	}
	return items
}

// ask asks no further event once the list is full.
func (s *Set) ask(key *key, queue []*event.Event, found *answers) {
	ofEvent := &event.Env{}
	for _, evt := range queue {
		ofEvent.Evt = evt
		for i := range key.expressions {
			if found.full {
				return
			}
			if err := key.expressions[i].ask(ofEvent, found); err != nil {
				s.log.Warn("context of an alert cannot be evaluated", "key", key.name, "error", err)
			}
		}
	}
}

// ask adds the answers of one event.
func (e *expr) ask(of *event.Env, found *answers) error {
	if e.text != nil {
		text, err := e.text.Eval(of)
		if err == nil {
			found.add(text)
		}
		return err
	}
	result, err := e.eval(of)
	if err != nil {
		return err
	}
	for _, text := range texts(result) {
		found.add(text)
	}
	return nil
}

func (e *expr) eval(of *event.Env) (any, error) {
	if e.ofEvent != nil {
		return e.ofEvent.Eval(of)
	}
	of.Evt.Maps() // env does not do that
	return e.ofAll.Eval(&env{Evt: of.Evt, Match: map[string]any{}, Req: new(http.Request)})
}
