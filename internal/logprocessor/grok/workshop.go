package grok

import (
	"encoding/binary"
	"sync"
)

// workshop is what the patterns of a library share: tables, of which hundreds of patterns need few different ones,
// and machines to run on. It is safe for concurrent use.
type workshop struct {
	making  sync.Mutex // guards the maps
	classes map[string]*class
	tables  map[byteSet]*byteTable
	choices map[choiceTable]*choiceTable

	machines sync.Pool
}

func newWorkshop() *workshop {
	return &workshop{
		classes:  map[string]*class{},
		tables:   map[byteSet]*byteTable{},
		choices:  map[choiceTable]*choiceTable{},
		machines: sync.Pool{New: func() any { return new(machine) }},
	}
}

// class returns the class of sorted pairs of bounds. Equal classes are the same.
func (w *workshop) class(runes []rune) *class {
	key := make([]byte, 0, 4*len(runes))
	for _, r := range runes {
		key = binary.LittleEndian.AppendUint32(key, uint32(r)) //nolint:gosec // runes are not negative
	}
	w.making.Lock()
	defer w.making.Unlock()
	c := w.classes[string(key)]
	if c == nil {
		c = newClass(runes)
		w.classes[string(key)] = c
	}
	return c
}

func (w *workshop) table(s byteSet) *byteTable {
	w.making.Lock()
	defer w.making.Unlock()
	t := w.tables[s]
	if t == nil {
		t = s.table()
		w.tables[s] = t
	}
	return t
}

func (w *workshop) choice(t *choiceTable) *choiceTable {
	w.making.Lock()
	defer w.making.Unlock()
	shared := w.choices[*t]
	if shared == nil {
		shared = t
		w.choices[*t] = t
	}
	return shared
}

func (w *workshop) borrow() *machine {
	m, ok := w.machines.Get().(*machine)
	if !ok {
		return new(machine)
	}
	return m
}

func (w *workshop) giveBack(m *machine) {
	m.forget()
	w.machines.Put(m)
}
