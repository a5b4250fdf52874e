package event

import (
	"slices"
	"strings"

	"shieldwall/internal/wire"
)

// Unpacker unpacks events into memory that it uses again: an overflow looks at those of a bucket once. The zero value
// is ready. One goroutine at a time may use it.
type Unpacker struct {
	events  []*Event
	symbols *Symbols
	texts   []string // of the symbols
	keys    []key    // of the symbols that were names so far, by number; others are zero
	date    string   // the latest
	seconds uint64   // of the date
}

// maxUnpacked bounds how many events stay in memory for the next bucket.
const maxUnpacked = 64

// Unpack returns the events as far as they were kept, good until the next call. What they have of Meta, Parsed and
// Enriched is in their fields until Maps is called.
func (u *Unpacker) Unpack(queue []Packed) []*Event {
	for len(u.events) < min(len(queue), maxUnpacked) {
		u.events = append(u.events, &Event{})
	}
	events := u.events[:min(len(queue), len(u.events))]
	for i, packed := range queue {
		if i == len(events) {
			events = append(events, &Event{})
		}
		if i == 0 || packed.kept.symbols != u.symbols {
			u.learn(packed.kept.symbols)
		}
		u.unpack(packed, events[i])
	}
	return events
}

// learn is for symbols that may be others, or more, than before.
func (u *Unpacker) learn(symbols *Symbols) {
	if symbols != u.symbols {
		u.symbols, u.keys = symbols, nil
	}
	u.texts = symbols.Texts()
	u.keys = append(u.keys, make([]key, len(u.texts)-len(u.keys))...)
}

func (u *Unpacker) unpack(packed Packed, into *Event) {
	into.Renew(Line{}, Live)
	r := reader{rest: packed.kept.text, symbols: u.texts, memory: u}
	r.event(into)
	r.mustBeWhole()
}

// fields is texts for a group of a record.
func (r *reader) fields(evt *Event, in group) {
	for range r.count() {
		key := r.key()
		Field{in, key}.Set(evt, r.text())
	}
}

// key is text for names of fields.
func (r *reader) key() key {
	before := *r
	number := r.uvarint()
	if number&3 != symbol || number>>2 >= uint64(len(r.symbols)) {
		*r = before
		return keyOf(r.text())
	}
	known := &r.memory.keys[number>>2]
	if *known == (key{}) {
		*known = keyOf(r.symbols[number>>2])
	}
	return *known
}

// joinDate makes a text only if it is not the latest one: events that follow each other, and the fields of one, tell
// the same time.
func (u *Unpacker) joinDate(seconds uint64, rest string) string {
	if u.date == "" || seconds != u.seconds || rest != u.date[len(dateShape):] {
		u.date, u.seconds = joinDate(seconds, rest), seconds
	}
	return u.date
}

// MetaCount returns how many meta values the event has.
func (e *Event) MetaCount() int {
	if e.recorded {
		return len(e.record[inMeta].entries)
	}
	return len(e.Meta)
}

// AppendMeta appends the meta values by their names to items.
func (e *Event) AppendMeta(items []wire.MetaItem) []wire.MetaItem {
	first := len(items)
	if e.recorded {
		for i := range e.record[inMeta].entries {
			entry := &e.record[inMeta].entries[i]
			items = append(items, wire.MetaItem{Key: entry.key.name.Value(), Value: entry.text})
		}
	} else {
		for name, text := range e.Meta {
			items = append(items, wire.MetaItem{Key: name, Value: text})
		}
	}
	slices.SortFunc(items[first:], func(a, b wire.MetaItem) int { return strings.Compare(a.Key, b.Key) })
	return items
}
