package event

import (
	"errors"
	"fmt"
	"time"
)

// Packed is a copy of what matters of an event: immutable, a tenth of its size, and independent of the
// memory that the event shares with its batch. Two are equal when they are the same copy. The zero value is
// no event.
type Packed struct{ kept *kept }

// kept is apart from Packed, so that the buckets of one event share it for the price of a pointer.
type kept struct {
	symbols *Symbols
	text    string // flags, then parts, each after its number
}

// Packer packs events. One goroutine at a time may use it.
type Packer struct {
	footprint, whole Footprint
	writer           writer
}

// NewPacker returns a packer that keeps, of what is not an overflow, what the footprint says.
func NewPacker(footprint Footprint) *Packer {
	return &Packer{footprint: footprint, whole: Everything(), writer: writer{symbols: NewSymbols()}}
}

// Another returns a packer for another goroutine, which shares the symbols with this one.
func (p *Packer) Another() *Packer {
	return &Packer{footprint: p.footprint, whole: p.whole, writer: writer{symbols: p.writer.symbols}}
}

// Pack returns a copy of what is to be kept of an event.
func (p *Packer) Pack(evt *Event) Packed {
	footprint, w := &p.footprint, &p.writer
	if evt.Type == Overflow {
		footprint = &p.whole
	}
	w.table = w.symbols.now.Load()
	w.event(evt, footprint)
	if len(w.common) > 0 {
		w.symbols.learn(w.common)
	}
	packed := Packed{&kept{w.symbols, string(w.bytes)}}
	w.reset()
	return packed
}

// errPacked says that bytes from outside are no packed event.
var errPacked = errors.New("not a packed event")

// Restore returns the packed event that had this text, and a table of symbols that began with these. It refuses
// what Pack cannot have made.
func Restore(text string, symbols *Symbols) (Packed, error) {
	packed := Packed{&kept{symbols, text}}
	r := packed.reader()
	if r.event(New(Line{}, Live)); r.err != nil {
		return Packed{}, fmt.Errorf("%w: %w", errPacked, r.err)
	}
	return packed, nil
}

// IsZero reports whether there is no event.
func (p Packed) IsZero() bool { return p.kept == nil }

// Text returns what Restore makes a packed event of.
func (p Packed) Text() string { return p.kept.text }

// Symbols returns the table that the text refers to.
func (p Packed) Symbols() *Symbols { return p.kept.symbols }

// Unpack returns the event as far as it was kept, if there is one. It belongs to the caller.
func (p Packed) Unpack() *Event {
	evt, r := New(Line{}, Live), p.reader()
	r.event(evt)
	r.mustBeWhole()
	return evt
}

func (p Packed) reader() reader {
	return reader{rest: p.kept.text, symbols: p.kept.symbols.Texts()}
}

// mustBeWhole is for what Pack or Restore has seen to.
func (r *reader) mustBeWhole() {
	if r.err != nil {
		panic("event: packed by nobody: " + r.err.Error())
	}
}

// textParts are the texts of an event by their part, which is their place here.
func textParts(evt *Event) [partMeta]*string {
	return [...]*string{
		partMarshaledTime: &evt.MarshaledTime, partStage: &evt.Stage, partWhitelistReason: &evt.WhitelistReason, partStrTime: &evt.StrTime,
		partStrTimeFormat: &evt.StrTimeFormat, partRaw: &evt.Line.Raw, partSrc: &evt.Line.Src, partModule: &evt.Line.Module,
	}
}

// mapParts are the maps of texts, beginning with Meta; the first of them are the groups of a record.
func mapParts(evt *Event) [partTime - partMeta]*map[string]string {
	return [...]*map[string]string{&evt.Meta, &evt.Parsed, &evt.Enriched, &evt.Line.Labels, &evt.Appsec.Vars, &evt.Appsec.HookVars}
}

// flagParts are what is packed as one bit each.
func flagParts(evt *Event) [5]*bool {
	return [...]*bool{&evt.Whitelisted, &evt.Process, &evt.Line.Process, &evt.Appsec.HasInBandMatches, &evt.Appsec.HasOutBandMatches}
}

func (w *writer) event(evt *Event, footprint *Footprint) {
	w.flags(evt)
	for i, text := range textParts(evt) {
		if field := part(i); *text != "" && (field == partMarshaledTime || footprint.whole[field]) {
			w.begin(field)
			w.text(*text)
		}
	}
	for i, texts := range mapParts(evt) {
		if evt.recorded && i < int(groups) {
			w.fieldsOf(partMeta+part(i), &evt.record[i], footprint)
		} else {
			w.textsOf(partMeta+part(i), *texts, footprint)
		}
	}
	if footprint.whole[partTime] || evt.MarshaledTime == "" {
		w.timeOf(partTime, evt.Time)
	}
	if footprint.whole[partLineTime] {
		w.timeOf(partLineTime, evt.Line.Time)
	}
	w.unmarshaled(evt.Unmarshaled, footprint)
	if footprint.whole[partRules] && evt.Appsec.MatchedRules != nil {
		w.begin(partRules)
		w.rules(evt.Appsec.MatchedRules)
	}
	if evt.Type == Overflow {
		w.begin(partOverflow)
		w.overflow(&evt.Overflow)
	}
}

func (w *writer) begin(field part) { w.bytes = append(w.bytes, byte(field)) }

func (w *writer) flags(evt *Event) {
	bits := uint64(evt.Type)&1 | uint64(evt.ExpectMode)&1<<1 //nolint:gosec // 0 or 1
	for i, flag := range flagParts(evt) {
		if *flag {
			bits |= 4 << i
		}
	}
	w.uvarint(bits)
}

func (w *writer) textsOf(field part, texts map[string]string, footprint *Footprint) {
	switch {
	case len(texts) == 0:
	case field == partMeta || footprint.whole[field]:
		w.begin(field)
		w.texts(texts)
	case footprint.keys[field] != nil:
		w.begin(field)
		chosen(w, texts, footprint.keys[field], func(w *writer, text string) { w.text(text) })
	}
}

// fieldsOf is textsOf for a group of a record.
func (w *writer) fieldsOf(field part, fields *fields, footprint *Footprint) {
	switch {
	case len(fields.entries) == 0:
	case field == partMeta || footprint.whole[field]:
		w.begin(field)
		w.entries(fields.entries)
	case footprint.keys[field] != nil:
		w.begin(field)
		w.chosenFields(fields, footprint.keys[field])
	}
}

func (w *writer) timeOf(field part, t time.Time) {
	if !t.IsZero() {
		w.begin(field)
		w.time(t)
	}
}

func (w *writer) unmarshaled(values map[string]any, footprint *Footprint) {
	switch {
	case len(values) == 0:
	case footprint.whole[partUnmarshaled]:
		w.begin(partUnmarshaled)
		w.values(values, maxDepth)
	case footprint.keys[partUnmarshaled] != nil:
		w.begin(partUnmarshaled)
		chosen(w, values, footprint.keys[partUnmarshaled], func(w *writer, value any) { w.value(value, maxDepth) })
	}
}

// event reads into one that is new.
func (r *reader) event(evt *Event) {
	r.flags(evt)
	for r.err == nil && r.rest != "" {
		r.part(evt)
	}
}

func (r *reader) flags(evt *Event) {
	bits := r.uvarint()
	evt.Type, evt.ExpectMode = Type(bits&1), Clock(bits>>1&1)
	for i, flag := range flagParts(evt) {
		*flag = bits>>(2+i)&1 == 1
	}
	if bits >= 4<<len(flagParts(evt)) {
		r.fail("flags of a later version")
	}
}

func (r *reader) part(evt *Event) {
	switch field := part(r.byte()); {
	case field < partMeta:
		*textParts(evt)[field] = r.text()
	case evt.recorded && field < partMeta+part(groups):
		r.fields(evt, group(field-partMeta))
	case field < partTime:
		*mapParts(evt)[field-partMeta] = r.texts()
	case field == partTime:
		evt.Time = r.time()
	case field == partLineTime:
		evt.Line.Time = r.time()
	case field == partUnmarshaled:
		evt.Unmarshaled = r.values(maxDepth)
	case field == partRules:
		evt.Appsec.MatchedRules = r.rules()
	case field == partOverflow:
		r.overflow(&evt.Overflow)
	default:
		r.fail("part of a later version")
	}
}
