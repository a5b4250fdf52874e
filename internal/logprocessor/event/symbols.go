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
	mu     sync.RWMutex
	texts  []string
	places [placesOfTexts]uint16 // numbers, from 1, at the hash of their text or behind it

	seed      maphash.Seed
	full      atomic.Bool
	sightings [sightingSlots]atomic.Uint32 // of texts without a number: 24 bits of hash, 8 of how often
}

// NewSymbols returns an empty table.
func NewSymbols() *Symbols {
	return &Symbols{seed: maphash.MakeSeed()}
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
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.texts[:len(s.texts):len(s.texts)]
}

// learn gives numbers to texts that have none, as long as there are any.
func (s *Symbols) learn(texts []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		_, place, known := s.find(text, s.hash(text))
		if known || len(s.texts) == maxSymbols {
			continue
		}
		s.texts = append(s.texts, unique.Make(text).Value()) // the names among them are compared with those of fields
		s.places[place] = uint16(len(s.texts))               //nolint:gosec // at most maxSymbols
	}
	s.full.Store(len(s.texts) == maxSymbols)
}

func (s *Symbols) hash(text string) uint64 { return maphash.String(s.seed, text) }

// find returns the number of a text, or else the place for it. It needs the lock.
func (s *Symbols) find(text string, hash uint64) (number int, place uint64, known bool) {
	for place = hash % placesOfTexts; s.places[place] != 0; place = (place + 1) % placesOfTexts {
		number = int(s.places[place]) - 1
		if s.texts[number] == text {
			return number, place, true
		}
	}
	return 0, place, false
}

// common reports whether a text without a number has been met often enough lately to deserve one. Two
// workers that meet it at once may count it once.
func (s *Symbols) common(text string, hash uint64) bool {
	if len(text) < 2 || len(text) > maxSymbolLength || s.full.Load() {
		return false
	}
	slot, tag := &s.sightings[hash%sightingSlots], uint32(hash>>40)<<8
	seen := slot.Load()
	switch count := seen & 0xff; {
	case count == 0:
		slot.Store(tag | 1)
	case seen&^0xff != tag:
		slot.Store(seen - 1) // what is met more often than others stays
	case count+1 >= learnAfter:
		slot.Store(0)
		return true
	default:
		slot.Store(seen + 1)
	}
	return false
}
