package grok

import (
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// automaton finds where an expression can end that begins at a given place. It looks at each byte once, whatever
// choices the expression has, and knows nothing of their order: so it is for expressions without captures, and answers
// only where there is one end or none. Its states, which are sets of ways, are made when a subject first leads to
// them. It is safe for concurrent use.
type automaton struct {
	ways    ways
	behind  ahead      // what can follow the expression
	columns [256]uint8 // of the table: bytes that make no difference to the ways share one
	samples []column   // by column; the last one is the end of the subject
	start   [2]uint16  // the rows to begin with behind a byte that is of no word, and behind one that is

	// table has a row of steps for each state. What is in it stays, a copy is made to add to it: so a search reads the
	// one it began with.
	table  atomic.Pointer[[]uint16]
	making sync.Mutex        // guards what follows, and stores to table
	rows   map[string]uint16 // of states that are known
	states []state           // by row, behind the first one
	seen   []bool            // scratch, by way
}

// column is what a column of the table is about.
type column struct {
	sample  byte  // one of its bytes
	word    uint8 // 1: they are of a word
	follows bool  // they can follow the expression
	isEnd   bool  // it is no byte but the end of the subject
}

// state is a set of ways that are open at a place of the subject, before a byte that is of no word and before one that is.
type state struct {
	open [2][]uint16 // those that take the byte
	ends [2]bool     // whether the expression can end here
}

// A step is a number of the table: the row that a byte leads to, and whether the expression can end before it. The first
// row is no state, its numbers are free for these.
const (
	unknown uint16 = 0
	dead    uint16 = 1 // no way goes on
	lost    uint16 = 2 // there are too many states already
	canStop uint16 = 1 << 15
)

const (
	maxColumns = 64
	// maxStates bounds the memory of an automaton. A hostname has 63 for the letters of a label alone.
	maxStates = 1 << 8
)

// newAutomaton returns the automaton of an expression, nil when it would be too large.
func newAutomaton(steps ways, behind ahead) *automaton {
	a := &automaton{ways: steps, behind: behind, rows: map[string]uint16{}, seen: make([]bool, len(steps))}
	if !a.divide() {
		return nil
	}
	first := []uint16{uint16(len(steps) - 1)} //nolint:gosec // see maxWays
	a.start = [2]uint16{a.row(first, 0), a.row(first, 1)}
	table := make([]uint16, (len(a.states)+1)*len(a.samples))
	a.table.Store(&table)
	return a
}

// divide gives a column to each byte, the same to bytes that are in the same sets. It reports false when there are too
// many.
func (a *automaton) divide() bool {
	sets := a.ways.sets(words(), a.behind.bytes)
	numbers := map[string]uint8{}
	key := make([]byte, len(sets))
	for c := range 256 {
		for i := range sets {
			key[i] = 0
			if sets[i].has(byte(c)) {
				key[i] = 1
			}
		}
		number, known := numbers[string(key)]
		if !known {
			number = uint8(len(numbers)) //nolint:gosec // at most 256 before it is refused below
			numbers[string(key)] = number
			a.samples = append(a.samples, column{sample: byte(c), word: key[0], follows: key[1] == 1})
		}
		a.columns[c] = number
	}
	a.samples = append(a.samples, column{isEnd: true, follows: a.behind.end})
	return len(a.samples) <= maxColumns && len(a.samples) > int(lost)
}

// What ends returns instead of a place.
const (
	nowhere   = -1
	uncertain = -2 // in several places, or it would take too much memory to know
)

// ends returns the place where an expression that begins at position ends if what is behind it can follow, and the
// place up to which it looked.
func (a *automaton) ends(s string, position int) (only, at int) {
	row := a.start[0]
	if position > 0 && isWord(s[position-1]) {
		row = a.start[1]
	}
	table, columns, last := *a.table.Load(), &a.columns, len(a.samples)-1
	only = nowhere
	for at = position; ; at++ {
		column := last
		if at < len(s) {
			column = int(columns[s[at]])
		}
		i := int(row) + column
		if table[i] == unknown {
			table = a.learn(row, column)
		}
		step := table[i]
		if step&canStop != 0 {
			if only != nowhere {
				return uncertain, at
			}
			only = at
		}
		if row = step &^ canStop; row <= lost {
			break
		}
	}
	if row == lost {
		return uncertain, at
	}
	return only, at
}

// learn returns the table with the step that a column of a row stands for.
func (a *automaton) learn(row uint16, number int) []uint16 {
	a.making.Lock()
	defer a.making.Unlock()
	table := *a.table.Load()
	if table[int(row)+number] != unknown {
		return table // others were faster
	}
	from, of := &a.states[int(row)/len(a.samples)-1], a.samples[number]
	step := dead
	if !of.isEnd {
		step = a.row(a.ways.behind(from.open[of.word], of.sample), of.word)
	}
	if of.follows && from.ends[of.word] {
		step |= canStop
	}
	grown := make([]uint16, (len(a.states)+1)*len(a.samples))
	copy(grown, table)
	grown[int(row)+number] = step
	a.table.Store(&grown)
	return grown
}

// row returns the row of the state of ways that go on behind a byte that is of a word or not.
func (a *automaton) row(from []uint16, word uint8) uint16 {
	if len(from) == 0 {
		return dead
	}
	slices.Sort(from)
	from = slices.Compact(from)
	key := []byte{word}
	for _, i := range from {
		key = binary.LittleEndian.AppendUint16(key, i)
	}
	known := a.rows[string(key)]
	switch {
	case known != 0:
		return known
	case len(a.states) == maxStates:
		return lost
	}
	var fresh state
	for next := range uint8(2) {
		clear(a.seen)
		fresh.open[next], fresh.ends[next] = a.ways.open(from, word != next, a.seen)
	}
	a.states = append(a.states, fresh)
	known = uint16(len(a.states) * len(a.samples)) //nolint:gosec // maxStates times maxColumns at most
	a.rows[string(key)] = known
	return known
}
