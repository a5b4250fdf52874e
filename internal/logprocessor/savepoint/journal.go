package savepoint

import (
	"errors"
	"fmt"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// header is the first line of a journal. After it come records, each after its kind. What a record refers to
// has come before it: scenarios, and tables of symbols, anywhere in the file, events in the same save point.
func header() string { return fmt.Sprintf("shieldwall buckets 2 %08x\n", event.Layout()) }

// The kinds of records. Scenarios, tables and events have numbers, by their order; those of events begin anew
// with each save point.
const (
	kindScenario = iota + 1 // its identity
	kindSymbols             // the next texts of a table
	kindEvent               // of one or more buckets
	kindBucket              // a change
	kindGone                // a bucket
	kindSilence
	kindEnd // of a save point
)

// What a bucket says besides its numbers.
const (
	flagNew = 1 << iota
	flagLive
	flagDeadline
	flagTokens
	flagMore // evidence and distinct values
)

// journal writes records. It belongs to one file, from its begin on.
type journal struct {
	*sink
	scenarios map[string]uint64
	tables    map[*event.Symbols]*table
	events    map[event.Packed]uint64 // of the save point that is being written
}

// table is a table of symbols as far as the file has it.
type table struct {
	number  uint64
	written int
}

func newJournal() *journal {
	return &journal{scenarios: map[string]uint64{}, tables: map[*event.Symbols]*table{}}
}

// savePoint writes what happened since the one before.
func (j *journal) savePoint(into *sink, changes bucket.Changes) error {
	j.sink, j.events = into, map[event.Packed]uint64{}
	for change := range changes.Buckets {
		if j.err == nil {
			j.change(&change)
		}
	}
	for _, silence := range changes.Silences {
		j.silence(silence)
	}
	j.byte(kindEnd)
	j.varint(changes.Turned)
	j.events = nil
	return j.flush()
}

func (j *journal) change(change *bucket.Change) {
	for _, evt := range change.Added {
		j.event(evt)
	}
	scenario := j.scenario(change.Key.Scenario)
	if change.Gone {
		j.byte(kindGone)
		j.uvarint(scenario)
		j.text(change.Key.Group)
		return
	}
	j.byte(kindBucket)
	j.uvarint(scenario)
	j.text(change.Key.Group)
	flags := flagsOf(change)
	j.uvarint(flags)
	j.time(change.First)
	j.time(change.Last)
	j.uvarint(uint64(change.Total)) //nolint:gosec // never negative
	if flags&flagDeadline != 0 {
		j.varint(change.Deadline)
	}
	if flags&flagTokens != 0 {
		j.float(change.Tokens)
	}
	j.uvarint(uint64(change.Kept)) //nolint:gosec // never negative
	writeList(j.sink, change.Added, func(evt event.Packed) { j.uvarint(j.events[evt]) })
	if flags&flagMore != 0 {
		writeList(j.sink, change.Evidence, j.bool)
		writeList(j.sink, change.Seen, j.text)
	}
}

func flagsOf(change *bucket.Change) uint64 {
	var flags uint64
	for _, one := range [...]struct {
		flag uint64
		set  bool
	}{
		{flagNew, change.New},
		{flagLive, change.Clock == event.Live},
		{flagDeadline, change.Deadline != 0},
		{flagTokens, change.Tokens != 0},
		{flagMore, len(change.Evidence)+len(change.Seen) > 0},
	} {
		if one.set {
			flags |= one.flag
		}
	}
	return flags
}

// scenario returns the number of a scenario, which is told of first if it is new.
func (j *journal) scenario(identity string) uint64 {
	number, known := j.scenarios[identity]
	if !known {
		number = uint64(len(j.scenarios))
		j.scenarios[identity] = number
		j.byte(kindScenario)
		j.text(identity)
	}
	return number
}

// event writes an event that is not written yet.
func (j *journal) event(evt event.Packed) {
	if _, written := j.events[evt]; written {
		return
	}
	j.events[evt] = uint64(len(j.events))
	number := j.symbols(evt.Symbols())
	j.byte(kindEvent)
	j.uvarint(number)
	j.text(evt.Text())
}

// symbols returns the number of a table, after what the file does not have of it.
func (j *journal) symbols(symbols *event.Symbols) uint64 {
	known := j.tables[symbols]
	if known == nil {
		known = &table{number: uint64(len(j.tables)), written: -1}
		j.tables[symbols] = known
	}
	if texts := symbols.Texts(); len(texts) > known.written {
		j.byte(kindSymbols)
		j.uvarint(known.number)
		writeList(j.sink, texts[max(0, known.written):], j.text)
		known.written = len(texts)
	}
	return known.number
}

func (j *journal) silence(silence bucket.Silence) {
	scenario := j.scenario(silence.Key.Scenario)
	j.byte(kindSilence)
	j.uvarint(scenario)
	j.text(silence.Key.Group)
	j.bool(silence.Clock == event.Live)
	j.time(silence.Until)
}

// errJournal says that a file is none of ours, or one of another version.
var errJournal = errors.New("not a journal of buckets, or one of another version")

// readJournal returns a store in which everything has happened that a journal tells of.
func readJournal(from *source, now time.Time) (*bucket.Store, error) {
	if from.fixed(len(header())) != header() {
		return nil, errJournal
	}
	r := reader{source: from, store: bucket.NewStore(now)}
	for !r.ended() {
		r.record()
	}
	if r.err == nil && !r.complete {
		r.fail(errors.New("ends within a save point"))
	}
	if r.err != nil {
		return nil, fmt.Errorf("byte %d: %w", r.offset, r.err)
	}
	return r.store, nil
}

// reader reads a journal.
type reader struct {
	*source
	store     *bucket.Store
	scenarios []string
	tables    []*event.Symbols
	events    []event.Packed // of the save point that is being read
	complete  bool           // a save point has just ended
}

func (r *reader) record() {
	r.complete = false
	switch kind := r.byte(); kind {
	case kindScenario:
		r.scenarios = append(r.scenarios, r.text())
	case kindSymbols:
		r.symbols()
	case kindEvent:
		r.event()
	case kindBucket:
		r.apply(r.change())
	case kindGone:
		r.apply(bucket.Change{Key: r.key(), Gone: true})
	case kindSilence:
		silence := bucket.Silence{Key: r.key(), Clock: clockOf(r.bool()), Until: r.time()}
		if r.err == nil {
			r.store.Hush(silence)
		}
	case kindEnd:
		r.store.Turn(r.varint())
		r.events, r.complete = nil, true
	default:
		r.fail(fmt.Errorf("%w: record of kind %d", errJournal, kind))
	}
}

func (r *reader) symbols() {
	number, texts := r.uvarint(), readList(r.source, r.text)
	if number == uint64(len(r.tables)) {
		r.tables = append(r.tables, event.NewSymbols())
	}
	if table := elementOf(r, r.tables, number); r.err == nil {
		r.fail(table.Extend(texts))
	}
}

func (r *reader) event() {
	table, text := elementOf(r, r.tables, r.uvarint()), r.text()
	if r.err != nil {
		return
	}
	evt, err := event.Restore(text, table)
	r.fail(err)
	r.events = append(r.events, evt)
}

func (r *reader) key() bucket.Key {
	return bucket.Key{Scenario: elementOf(r, r.scenarios, r.uvarint()), Group: r.text()}
}

func (r *reader) change() bucket.Change {
	change := bucket.Change{Key: r.key()}
	flags := r.uvarint()
	change.New, change.Clock = flags&flagNew != 0, clockOf(flags&flagLive != 0)
	change.First, change.Last = r.time(), r.time()
	change.Total = r.int()
	if flags&flagDeadline != 0 {
		change.Deadline = r.varint()
	}
	if flags&flagTokens != 0 {
		change.Tokens = r.float()
	}
	change.Kept = r.int()
	change.Added = readList(r.source, func() event.Packed { return elementOf(r, r.events, r.uvarint()) })
	if flags&flagMore != 0 {
		change.Evidence, change.Seen = readList(r.source, r.bool), readList(r.source, r.text)
	}
	return change
}

func (r *reader) apply(change bucket.Change) {
	if r.err == nil {
		r.fail(r.store.Apply(change))
	}
}

func clockOf(live bool) event.Clock {
	if live {
		return event.Live
	}
	return event.TimeMachine
}

// elementOf returns what a number stands for. There may be nothing.
func elementOf[E any](r *reader, list []E, number uint64) E {
	if number >= uint64(len(list)) {
		r.fail(fmt.Errorf("number %d of %d", number, len(list)))
		var nothing E
		return nothing
	}
	return list[number]
}
