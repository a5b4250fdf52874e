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
	key  key
	text string
}

// key is a name that was hashed beforehand. It is one and the same in memory however many rules say it, so that
// comparing two takes no look at their letters.
type key struct {
	name unique.Handle[string]
	hash uint32
}

func keyOf(name string) key { return key{unique.Make(name), hashOf(name)} }

// find returns the entry of a key, nil if there is none, and the place where it is or would be.
func (f *fields) find(key key) (found *entry, place uint32) {
	for place = key.hash % fieldPlaces; f.places[place] != 0; place = (place + 1) % fieldPlaces {
		if found = &f.entries[f.places[place]-1]; found.key.name == key.name {
			return found, place
		}
	}
	return nil, place
}

// lookUp is find for a name that no rule has said beforehand.
func (f *fields) lookUp(name string) *entry {
	for place := hashOf(name) % fieldPlaces; f.places[place] != 0; place = (place + 1) % fieldPlaces {
		if found := &f.entries[f.places[place]-1]; found.key.name.Value() == name {
			return found
		}
	}
	return nil
}

// set reports false if there is no more room.
func (f *fields) set(key key, text string) bool {
	known, place := f.find(key)
	switch {
	case known != nil:
		known.text = text
	case len(f.entries) == maxFields:
		return false
	default:
		f.entries = append(f.entries, entry{key, text})
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
		texts[f.entries[i].key.name.Value()] = f.entries[i].text
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
	in  group
	key key
}

// ParsedField returns the field of a name in Parsed.
func ParsedField(name string) Field { return Field{inParsed, keyOf(name)} }

// MetaField returns the field of a name in Meta.
func MetaField(name string) Field { return Field{inMeta, keyOf(name)} }

// EnrichedField returns the field of a name in Enriched.
func EnrichedField(name string) Field { return Field{inEnriched, keyOf(name)} }

// Name returns the name in the map.
func (f Field) Name() string { return f.key.name.Value() }

// Of returns the text in an event, "" if there is none.
func (f Field) Of(evt *Event) string {
	text, _ := f.Find(evt)
	return text
}

// Find returns the text in an event, and whether there is one.
func (f Field) Find(evt *Event) (text string, found bool) {
	if !evt.recorded {
		text, found = (*evt.mapOf(f.in))[f.Name()]
		return text, found
	}
	if known, _ := evt.record[f.in].find(f.key); known != nil {
		return known.text, true
	}
	return "", false
}

// Set sets the text in an event.
func (f Field) Set(evt *Event, text string) {
	if evt.recorded && evt.record[f.in].set(f.key, text) {
		return
	}
	evt.Maps()
	texts := evt.mapOf(f.in)
	if *texts == nil {
		*texts = map[string]string{}
	}
	(*texts)[f.Name()] = text
}

// find is Field.Find for a name that no rule has said beforehand.
func (e *Event) find(in group, name string) (text string, found bool) {
	if !e.recorded {
		text, found = (*e.mapOf(in))[name]
		return text, found
	}
	if known := e.record[in].lookUp(name); known != nil {
		return known.text, true
	}
	return "", false
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
