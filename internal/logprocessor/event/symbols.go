package event

import (
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"unique"
)

// The bounds of a table: one that attackers fill costs this much and no more.
const (
	maxSymbols      = 4096
	maxSymbolLength = 255
	learnAfter      = 8 // sightings before a text is worth a number
	sightingSlots   = 4096
	placesOfTexts   = 2 * maxSymbols
)

// Symbols are the texts that events have in common (the names of fields, "ssh", the browser of the day), by
// number. Numbers stay: a table grows, to some thousand texts, and never changes. It learns what it meets
// often, so what only one attacker says does not get in. It is safe for concurrent use.
type Symbols struct {
	seed maphash.Seed
	now  atomic.Pointer[table]

	mu sync.Mutex // held to put a larger table in the place of now
}

// table is what readers see, who need no lock: it never changes.
type table struct {
	texts  []string
	places [placesOfTexts]uint16 // numbers, from 1, at the hash of their text or behind it
}

// NewSymbols returns an empty table.
func NewSymbols() *Symbols {
	s := &Symbols{seed: maphash.MakeSeed()}
	s.now.Store(&table{})
	return s
}

// errSymbols says that texts are those of no table.
var errSymbols = errors.New("not a table of symbols")

// Extend adds the next texts of another table to one that began like that.
func (s *Symbols) Extend(texts []string) error {
	before := len(s.Texts())
	s.learn(texts)
	if len(s.Texts()) != before+len(texts) {
		return errSymbols
	}
	return nil
}

// Texts returns the texts by their number. The caller must not change them.
func (s *Symbols) Texts() []string {
	texts := s.now.Load().texts
	return texts[:len(texts):len(texts)]
}

// learn gives numbers to texts that have none, as long as there are any.
func (s *Symbols) learn(texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	larger := *s.now.Load() // the texts share their memory: nobody looks beyond those of an own table
	for _, text := range texts {
		_, place, known := larger.find(text, s.hash(text))
		if known || len(larger.texts) == maxSymbols {
			continue
		}
		larger.texts = append(larger.texts, unique.Make(text).Value()) // the names among them are compared with those of fields
		larger.places[place] = uint16(len(larger.texts))               //nolint:gosec // at most maxSymbols
	}
	s.now.Store(&larger)
}

func (s *Symbols) hash(text string) uint64 { return maphash.String(s.seed, text) }

// find returns the number of a text, or else the place for it.
func (t *table) find(text string, hash uint64) (number int, place uint64, known bool) {
	for place = hash % placesOfTexts; t.places[place] != 0; place = (place + 1) % placesOfTexts {
		number = int(t.places[place]) - 1
		if t.texts[number] == text {
			return number, place, true
		}
	}
	return 0, place, false
}

// sightings counts texts without a number, of each the latest few: 24 bits of hash, 8 of how often. Each writer has its
// own, since they are written to all the time.
type sightings [sightingSlots]uint32

// common reports whether a text without a number has been met often enough lately to deserve one.
func (s *sightings) common(text string, hash uint64) bool {
	if len(text) < 2 || len(text) > maxSymbolLength {
		return false
	}
	slot, tag := &s[hash%sightingSlots], uint32(hash>>40)<<8
	seen := *slot
	switch count := seen & 0xff; {
	case count == 0:
		*slot = tag | 1
	case seen&^0xff != tag:
		*slot = seen - 1 // what is met more often than others stays
	case count+1 >= learnAfter:
		*slot = 0
		return true
	default:
		*slot = seen + 1
	}
	return false
}
