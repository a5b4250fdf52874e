package grok

import (
	"iter"
	"math/bits"
)

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(c byte) { s[c>>6] |= 1 << (c & 63) }

// addRange adds the bytes from one to the other, both included.
func (s *byteSet) addRange(from, to byte) {
	for c := from; c < to; c++ {
		s.add(c)
	}
	s.add(to)
}

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

func (s byteSet) union(t byteSet) byteSet {
	for i := range s {
		s[i] |= t[i]
	}
	return s
}

func (s byteSet) intersection(t byteSet) byteSet {
	for i := range s {
		s[i] &= t[i]
	}
	return s
}

func (s byteSet) complement() byteSet {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}

func (s byteSet) empty() bool { return s == byteSet{} }

// all returns the members in their order.
func (s byteSet) all() iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(byte(i<<6 | bits.TrailingZeros64(word))) { //nolint:gosec // below 256
					return
				}
			}
		}
	}
}

// table spreads the set out, for loops that test one byte after the other.
func (s *byteSet) table() *byteTable {
	t := new(byteTable)
	for c := range s.all() {
		t[c] = true
	}
	return t
}

// byteTable is a byteSet that answers with one load.
type byteTable [256]bool

// ahead is what can stand at a position from which an expression goes on to a match: one of these bytes, or the
// end of the subject. It may be too large, never too small.
type ahead struct {
	bytes byteSet
	end   bool
}

// anything excludes nothing.
func anything() ahead { return ahead{bytes: byteSet{}.complement(), end: true} }

func (a ahead) union(b ahead) ahead {
	return ahead{bytes: a.bytes.union(b.bytes), end: a.end || b.end}
}

// words are the bytes that \w matches.
func words() byteSet {
	var s byteSet
	for c := range 256 {
		if isWord(byte(c)) {
			s.add(byte(c))
		}
	}
	return s
}
