package grok

import (
	"encoding/binary"
	"slices"
	"sync"
)

// workshop is what the patterns of a library share: tables, of which hundreds of patterns need few different ones,
// and machines to run on. It is safe for concurrent use.
type workshop struct {
	making  sync.Mutex // guards the maps
	classes map[string]*class
	tables  map[byteSet]*byteTable
	choices map[choiceTable]*choiceTable
	ends    []*automaton

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

// automaton returns the automaton of an expression that is fit for one, nil when it would be too large. Patterns ask for
// the same few again and again.
func (w *workshop) automaton(n *node, follow ahead) *automaton {
	steps := newWays(n)
	if len(steps) > maxWays {
		return nil
	}
	w.making.Lock()
	defer w.making.Unlock()
	for _, known := range w.ends {
		if known.behind == follow && slices.Equal(known.ways, steps) {
			return known
		}
	}
	a := newAutomaton(steps, follow)
	if a != nil {
		w.ends = append(w.ends, a)
	}
	return a
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
