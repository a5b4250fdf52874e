package event

import "unique"

// record holds the texts of an event that came from a line, by name and in the order in which they were set. It
// takes the place of the maps until somebody asks for one: reading and writing a text costs a tenth there.
type record [groups]fields

// group is one of the maps of texts of an event.
type group uint8

const (
	inMeta group = iota
	inParsed
	inEnriched

	groups
)

// The bounds of a record. What has more texts goes on in maps.
const (
	fieldPlaces = 64 // a power of two
	maxFields   = 40
)

// fields is a small hash table that remembers the order.
type fields struct {
	places  [fieldPlaces]uint8 // at the hash of a name or behind it: which entry it is, from 1
	entries []entry
}

type entry struct {
	name, text string
	hash       uint32
}

// find returns the entry of a name, nil if there is none, and the place where it is or would be.
func (f *fields) find(name string, hash uint32) (found *entry, place uint32) {
	for place = hash % fieldPlaces; f.places[place] != 0; place = (place + 1) % fieldPlaces {
		found = &f.entries[f.places[place]-1]
		if found.hash == hash && found.name == name {
			return found, place
		}
	}
	return nil, place
}

// set reports false if there is no more room.
func (f *fields) set(name string, hash uint32, text string) bool {
	known, place := f.find(name, hash)
	switch {
	case known != nil:
		known.text = text
	case len(f.entries) == maxFields:
		return false
	default:
		f.entries = append(f.entries, entry{name, text, hash})
		f.places[place] = uint8(len(f.entries)) //nolint:gosec // at most maxFields
	}
	return true
}

func (f *fields) clear() {
	if len(f.entries) > 0 {
		clear(f.entries) // the texts belong to a batch
		f.entries = f.entries[:0]
		f.places = [fieldPlaces]uint8{}
	}
}

func (f *fields) moveTo(texts map[string]string) {
	for i := range f.entries {
		texts[f.entries[i].name] = f.entries[i].text
	}
	f.clear()
}

// hashOf is FNV-1a: names are short, and those of rules are hashed when the rules are loaded.
func hashOf(name string) uint32 {
	hash := uint32(2166136261)
	for i := range len(name) {
		hash = (hash ^ uint32(name[i])) * 16777619
	}
	return hash ^ hash>>15
}

// Field is one text of events, by the map where it is and its name there. It is a value, to be made once and
// used with many events.
type Field struct {
	in   group
	name string
	hash uint32
}

// ParsedField returns the field of a name in Parsed.
func ParsedField(name string) Field { return fieldOf(inParsed, name) }

// MetaField returns the field of a name in Meta.
func MetaField(name string) Field { return fieldOf(inMeta, name) }

// EnrichedField returns the field of a name in Enriched.
func EnrichedField(name string) Field { return fieldOf(inEnriched, name) }

// fieldOf makes the names of rules one and the same in memory: comparing those takes no look at their letters.
func fieldOf(in group, name string) Field {
	return Field{in, unique.Make(name).Value(), hashOf(name)}
}

// Name returns the name in the map.
func (f Field) Name() string { return f.name }

// Of returns the text in an event, "" if there is none.
func (f Field) Of(evt *Event) string {
	text, _ := f.Find(evt)
	return text
}

// Find returns the text in an event, and whether there is one.
func (f Field) Find(evt *Event) (text string, found bool) {
	if !evt.recorded {
		text, found = (*evt.mapOf(f.in))[f.name]
		return text, found
	}
	if known, _ := evt.record[f.in].find(f.name, f.hash); known != nil {
		return known.text, true
	}
	return "", false
}

// Set sets the text in an event.
func (f Field) Set(evt *Event, text string) {
	if evt.recorded && evt.record[f.in].set(f.name, f.hash, text) {
		return
	}
	evt.Maps()
	texts := evt.mapOf(f.in)
	if *texts == nil {
		*texts = map[string]string{}
	}
	(*texts)[f.name] = text
}

// Maps makes the maps of the event say what its fields say, and from now on hold them. Whoever reads a map of an
// event that came from a line, or has it read by reflection, calls this first.
func (e *Event) Maps() {
	if !e.recorded {
		return
	}
	e.recorded = false
	for in := range groups {
		e.record[in].moveTo(*e.mapOf(in))
	}
}

func (e *Event) mapOf(in group) *map[string]string {
	switch in {
	case inMeta:
		return &e.Meta
	case inParsed:
		return &e.Parsed
	default:
		return &e.Enriched
	}
}
