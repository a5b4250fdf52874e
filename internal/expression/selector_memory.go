package expression

import (
	"hash/maphash"
	"slices"
	"strings"
)

// findings remember what a scan found in the texts that come again and again, such as the names of browsers.
type findings struct {
	seed  maphash.Seed
	slots []finding // nil: nothing was worth it yet
}

// finding is what was found in one text.
type finding struct {
	text   string // "": none yet
	found  marks
	missed uint64 // the hash of the text that was looked for last, and was not there
}

const (
	memorable = 48 // bytes of a text that takes longer to scan than to remember
	kept      = 64 // findings; a power of two
)

func newFindings() findings { return findings{seed: maphash.MakeSeed()} }

// slot returns where what was found in a text is, or would be kept.
func (f *findings) slot(text string) (slot *finding, hash uint64) {
	if f.slots == nil {
		f.slots = make([]finding, kept)
	}
	hash = maphash.String(f.seed, text)
	return &f.slots[hash%kept], hash
}

// keep remembers a text that is missed for the second time: most texts do not come back.
func (f *finding) keep(text string, found marks, hash uint64) {
	if f.missed != hash {
		f.missed = hash
		return
	}
	f.text, f.found = strings.Clone(text), slices.Clone(found)
}
