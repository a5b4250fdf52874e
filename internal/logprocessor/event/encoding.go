package event

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// The forms of a text, in the last two bits of the number that it begins with; the other bits are its length,
// its number among the symbols, or a date and time of day to the second, after which a text with the rest
// (fraction and zone) follows.
const (
	literal = iota
	symbol
	date
)

// maxDepth bounds how deep unpacked values may nest: as deep as package encoding/json reads them.
const maxDepth = 10_000

// writer packs.
type writer struct {
	bytes    []byte
	symbols  *Symbols
	table    *table   // of the symbols, as of now
	common   []string // texts that the table is to learn
	seen     sightings
	pointers map[any]uint64 // of an overflow that are written, by their order

	recent        [recentSymbols]uint16 // by a hash of the text
	latestDate    []byte                // without what followed it; none: there was none yet
	latestSeconds uint64                // as cutDate counts them
}

// recentSymbols are most of those that lines use.
const recentSymbols = 4096

// largeEvent is more room than is kept for the next one.
const largeEvent = 64 << 10

// reset makes a writer new, in the memory that it has.
func (w *writer) reset() {
	if cap(w.bytes) > largeEvent {
		w.bytes = nil
	}
	clear(w.common)
	w.bytes, w.common, w.pointers = w.bytes[:0], w.common[:0], nil
}

func (w *writer) byte(value byte) { w.bytes = append(w.bytes, value) }

func (w *writer) uvarint(value uint64) { w.bytes = binary.AppendUvarint(w.bytes, value) }

func (w *writer) varint(value int64) { w.bytes = binary.AppendVarint(w.bytes, value) }

func (w *writer) float(value float64) {
	w.bytes = binary.LittleEndian.AppendUint64(w.bytes, math.Float64bits(value))
}

func (w *writer) bool(value bool) {
	if value {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

// text writes a text, and returns its number if it is a symbol.
func (w *writer) text(text string) (number uint16, known bool) {
	if len(text) < 2 { // no longer than a symbol
		w.literal(text)
		return 0, false
	}
	if seconds, rest, ok := w.date(text); ok { // never a symbol: the table would be full of seconds that are over
		w.head(seconds, date)
		w.text(rest)
		return 0, false
	}
	if number, known = w.symbol(text); known {
		w.head(uint64(number), symbol)
	} else {
		w.literal(text)
	}
	return number, known
}

// date is cutDate, which lines that follow each other mostly ask about the same second.
func (w *writer) date(text string) (seconds uint64, rest string, ok bool) {
	if len(text) >= len(dateShape) && len(text) <= maxDateLength && text[:len(dateShape)] == string(w.latestDate) {
		return w.latestSeconds, text[len(dateShape):], true
	}
	if seconds, rest, ok = cutDate(text); ok {
		w.latestDate, w.latestSeconds = append(w.latestDate[:0], text[:len(dateShape)]...), seconds
	}
	return seconds, rest, ok
}

// symbol returns the number of a text. One that has none yet, and comes often, is to get one.
func (w *writer) symbol(text string) (number uint16, known bool) {
	hash := w.symbols.hash(text)
	if number, _, known := w.table.find(text, hash); known {
		return uint16(number), true //nolint:gosec // below maxSymbols
	}
	if len(w.table.texts) < maxSymbols && w.seen.common(text, hash) {
		w.common = append(w.common, text)
	}
	return 0, false
}

func (w *writer) literal(text string) {
	w.head(uint64(len(text)), literal)
	w.bytes = append(w.bytes, text...)
}

// head begins a text.
func (w *writer) head(number, form uint64) {
	number = number<<2 | form
	if number < 1<<7 {
		w.bytes = append(w.bytes, byte(number))
		return
	}
	if number < 1<<14 {
		w.bytes = append(w.bytes, byte(number&0x7f)|0x80, byte(number>>7))
		return
	}
	w.uvarint(number)
}

func (w *writer) texts(texts map[string]string) {
	w.uvarint(uint64(len(texts)))
	for key, text := range texts {
		w.text(key)
		w.text(text)
	}
}

func (w *writer) entries(entries []entry) {
	w.uvarint(uint64(len(entries)))
	for i := range entries {
		w.entry(&entries[i])
	}
}

// chosenFields is chosen for fields.
func (w *writer) chosenFields(of *fields, keys []key) {
	begin, count := len(w.bytes), byte(0)
	w.byte(count)
	for _, key := range keys {
		if known, _ := of.find(key); known != nil {
			w.entry(known)
			count++
		}
	}
	w.bytes[begin] = count // at most maxFields
}

// entry writes a name and its text. Mostly both are symbols, and were written not long ago.
func (w *writer) entry(entry *entry) {
	w.recentText(entry.key.name.Value(), entry.key.hash)
	w.recentText(entry.text, entry.key.hash^cheapHash(entry.text))
}

// recentText is text for what comes again and again, with a hash of any quality.
func (w *writer) recentText(text string, hash uint32) {
	recent := &w.recent[hash%recentSymbols]
	if number := int(*recent); number < len(w.table.texts) && w.table.texts[number] == text {
		w.head(uint64(number), symbol) //nolint:gosec // never negative
		return
	}
	if number, known := w.text(text); known {
		*recent = number
	}
}

// cheapHash tells texts apart that stand in the same field of different lines, mostly.
func cheapHash(text string) uint32 {
	if len(text) < 2 {
		return 0
	}
	const spread = 0x9e3779b1
	first, last := uint32(text[0])|uint32(text[1])<<8, uint32(text[len(text)-1])|uint32(text[len(text)-2])<<8
	return (first|last<<16)*spread>>20 + uint32(len(text)) //nolint:gosec // any number will do
}

// chosen writes the part of a map that has these keys.
func chosen[V any](w *writer, values map[string]V, keys []key, write func(*writer, V)) {
	count := uint64(0)
	for _, key := range keys {
		if _, there := values[key.name.Value()]; there {
			count++
		}
	}
	w.uvarint(count)
	for _, key := range keys {
		if value, there := values[key.name.Value()]; there {
			w.text(key.name.Value())
			write(w, value)
		}
	}
}

// time writes a time with its zone: seconds and nanoseconds since 1970, the zone's name and, unless that is
// UTC, its offset.
func (w *writer) time(t time.Time) {
	w.varint(t.Unix())
	w.uvarint(uint64(t.Nanosecond())) //nolint:gosec // never negative
	if t.Location() == time.UTC {
		w.byte(0)
		return
	}
	name, offset := t.Zone()
	w.byte(1)
	w.text(name)
	w.varint(int64(offset))
}

// reader unpacks. After the first error it yields zero values; its texts are parts of what it reads.
type reader struct {
	rest     string
	symbols  []string
	memory   *Unpacker // nil: there is none
	pointers []any     // of an overflow, in order
	err      error
}

// fail ends the reading.
func (r *reader) fail(reason string) {
	if r.err == nil {
		r.err, r.rest = errors.New(reason), ""
	}
}

const endsEarly = "ends early"

func (r *reader) byte() byte {
	if r.rest == "" {
		r.fail(endsEarly)
		return 0
	}
	first := r.rest[0]
	r.rest = r.rest[1:]
	return first
}

func (r *reader) uvarint() uint64 {
	if r.rest != "" && r.rest[0] < 0x80 {
		return uint64(r.byte())
	}
	var value uint64
	for shift := 0; shift < 64; shift += 7 {
		next := r.byte()
		value |= uint64(next&0x7f) << shift
		if next < 0x80 {
			return value
		}
	}
	r.fail("number is too long")
	return 0
}

func (r *reader) varint() int64 {
	value := r.uvarint()
	return int64(value>>1) ^ -int64(value&1)
}

// count is the length of what takes a byte an element at least.
func (r *reader) count() int {
	count := r.uvarint()
	if count > uint64(len(r.rest)) {
		r.fail(endsEarly)
		return 0
	}
	return int(count) //nolint:gosec // at most len
}

func (r *reader) take(length int) string {
	if length > len(r.rest) {
		r.fail(endsEarly)
		return ""
	}
	taken := r.rest[:length]
	r.rest = r.rest[length:]
	return taken
}

func (r *reader) float() float64 {
	bytes := r.take(8)
	if bytes == "" {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64([]byte(bytes)))
}

func (r *reader) bool() bool { return r.byte() != 0 }

func (r *reader) text() string {
	number := r.uvarint()
	switch number & 3 {
	case literal:
		if number>>2 > uint64(len(r.rest)) {
			r.fail(endsEarly)
			return ""
		}
		return r.take(int(number >> 2))
	case symbol:
		if number>>2 >= uint64(len(r.symbols)) {
			r.fail("unknown symbol")
			return ""
		}
		return r.symbols[number>>2]
	case date:
		return r.date(number >> 2)
	}
	r.fail("text of no known form")
	return ""
}

// date reads the rest of a text that begins with a date. It is no date itself: that bounds the depth.
func (r *reader) date(seconds uint64) string {
	if seconds >= maxDate {
		r.fail("date after the year 9999")
		return ""
	}
	if r.rest != "" && r.rest[0]&3 == date {
		r.fail("date after date")
		return ""
	}
	if r.memory != nil {
		return r.memory.joinDate(seconds, r.text())
	}
	return joinDate(seconds, r.text())
}

func (r *reader) texts() map[string]string {
	texts := map[string]string{}
	for range r.count() {
		key := r.text()
		texts[key] = r.text()
	}
	return texts
}

func (r *reader) time() time.Time {
	seconds, nanoseconds := r.varint(), r.uvarint()
	if nanoseconds >= uint64(time.Second) {
		r.fail("time of no second")
		return time.Time{}
	}
	t := time.Unix(seconds, int64(nanoseconds))
	if r.byte() == 0 {
		return t.UTC()
	}
	name, offset := r.text(), r.varint()
	if offset <= -24*60*60 || offset >= 24*60*60 {
		r.fail("zone of another planet")
		return time.Time{}
	}
	return t.In(time.FixedZone(name, int(offset)))
}
