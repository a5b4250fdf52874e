package bucket

import "shieldwall/internal/logprocessor/event"

// memoSize is how many unpacked events one generation of a memo has room for.
const memoSize = 4096

// memo unpacks events for conditions, which look at the same ones with every pour, and remembers the latest.
// The zero value is empty.
type memo struct {
	young, old map[event.Packed]*event.Event
}

func (m *memo) unpack(packed event.Packed) *event.Event {
	evt, known := m.young[packed]
	if known {
		return evt
	}
	if evt, known = m.old[packed]; !known {
		evt = packed.Unpack()
	}
	if m.young == nil || len(m.young) == memoSize {
		m.young, m.old = map[event.Packed]*event.Event{}, m.young
	}
	m.young[packed] = evt
	return evt
}

func (m *memo) queue(packed []event.Packed) []*event.Event {
	events := make([]*event.Event, len(packed))
	for i, one := range packed {
		events[i] = m.unpack(one)
	}
	return events
}
