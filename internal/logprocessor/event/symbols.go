package event

import (
	"errors"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// The bounds of a table: one that attackers fill costs this much and no more.
const (
	maxSymbols      = 4096
	maxSymbolLength = 255
	learnAfter      = 8 // sightings before a text is worth a number
	sightingSlots   = 4096
)

// Symbols are the texts that events have in common (the names of fields, "ssh", the browser of the day), by
// number. Numbers stay: a table grows, to some thousand texts, and never changes. It learns what it meets
// often, so what only one attacker says does not get in. It is safe for concurrent use.
type Symbols struct {
	mu      sync.RWMutex
	numbers map[string]int
	texts   []string

	seed      maphash.Seed
	full      atomic.Bool
	sightings [sightingSlots]atomic.Uint32 // of texts without a number: 24 bits of hash, 8 of how often
}

// NewSymbols returns an empty table.
func NewSymbols() *Symbols {
	return &Symbols{numbers: map[string]int{}, seed: maphash.MakeSeed()}
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
		if _, known := s.numbers[text]; known || len(s.texts) == maxSymbols {
			continue
		}
		text = strings.Clone(text)
		s.numbers[text] = len(s.texts)
		s.texts = append(s.texts, text)
	}
	s.full.Store(len(s.texts) == maxSymbols)
}

// common reports whether a text without a number has been met often enough lately to deserve one. Two
// workers that meet it at once may count it once.
func (s *Symbols) common(text string) bool {
	if len(text) < 2 || len(text) > maxSymbolLength || s.full.Load() {
		return false
	}
	hash := maphash.String(s.seed, text)
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
