package grok

import (
	"slices"
	"unicode/utf8"
)

// class is a set of runes, prepared for testing and for running over text.
type class struct {
	members byteSet   // ASCII members; and all bytes above when every rune above ASCII is a member
	first   byteSet   // bytes with which a member begins
	table   byteTable // members
	ranges  []rune    // members above ASCII as sorted pairs of bounds, unless all or none of them are
	scan    scan
	stop    byte // for scanTo
}

// scan is the fastest way to find the end of a run of members.
type scan uint8

const (
	scanASCII  scan = iota // by the table: no member is above ASCII
	scanBytes              // by the table: all runes above ASCII are members
	scanTo                 // to the only byte that is none
	scanLine               // to the end of the line
	scanAll                // to the end of the subject
	scanRanges             // rune by rune above ASCII
)

// newClass makes a class of sorted pairs of bounds, as package syntax has them.
func newClass(runes []rune) *class {
	c := &class{}
	for bounds := range slices.Chunk(runes, 2) {
		c.addRange(bounds[0], bounds[1])
	}
	switch {
	case len(c.ranges) == 0:
		c.scan = scanASCII
	case coversAllAboveASCII(c.ranges):
		c.ranges = nil
		c.members.addRange(utf8.RuneSelf, 0xFF)
		c.scan, c.stop = scanOf(c.members)
	default:
		c.scan = scanRanges
	}
	c.table = *c.members.table()
	return c
}

func (c *class) addRange(from, to rune) {
	for r := from; r <= min(to, utf8.RuneSelf-1); r++ {
		c.members.add(byte(r)) //nolint:gosec // ASCII
		c.first.add(byte(r))   //nolint:gosec // ASCII
	}
	if to < utf8.RuneSelf {
		return
	}
	from = max(from, utf8.RuneSelf)
	c.ranges = append(c.ranges, from, to)
	c.first.addRange(leadByte(from), leadByte(to))
}

// leadByte returns the first byte of a rune above ASCII. It grows with the rune.
func leadByte(r rune) byte {
	switch {
	case r < 1<<11:
		return 0xC0 | byte(r>>6) //nolint:gosec // five bits are left
	case r < 1<<16:
		return 0xE0 | byte(r>>12)
	}
	return 0xF0 | byte(r>>18) //nolint:gosec // three bits are left
}

// coversAllAboveASCII looks at the runes that text can hold: surrogates are none.
func coversAllAboveASCII(ranges []rune) bool {
	const firstSurrogate, lastSurrogate = 0xD800, 0xDFFF
	return covers(ranges, utf8.RuneSelf, firstSurrogate-1) && covers(ranges, lastSurrogate+1, utf8.MaxRune)
}

// covers reports whether one of the pairs holds all runes from one to the other.
func covers(ranges []rune, from, to rune) bool {
	for bounds := range slices.Chunk(ranges, 2) {
		if bounds[0] <= from && to <= bounds[1] {
			return true
		}
	}
	return false
}

// scanOf chooses the scan of a class to which all runes above ASCII belong.
func scanOf(members byteSet) (how scan, stop byte) {
	var missing []byte
	for c := range byte(utf8.RuneSelf) {
		if !members.has(c) {
			missing = append(missing, c)
		}
	}
	switch {
	case len(missing) == 0:
		return scanAll, 0
	case len(missing) > 1:
		return scanBytes, 0
	case missing[0] == '\n':
		return scanLine, '\n'
	}
	return scanTo, missing[0]
}

// width returns the bytes of the member at the start of s, 0 when there is none. A byte that is not UTF-8 is no
// member of any class.
func (c *class) width(s string) int {
	if s == "" {
		return 0
	}
	if s[0] < utf8.RuneSelf {
		if c.table[s[0]] {
			return 1
		}
		return 0
	}
	if c.scan == scanASCII {
		return 0
	}
	r, width := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && width == 1 {
		return 0
	}
	if c.scan == scanRanges && !within(c.ranges, r) {
		return 0
	}
	return width
}

// within searches sorted pairs of bounds.
func within(ranges []rune, r rune) bool {
	low, high := 0, len(ranges)/2
	for low < high {
		middle := int(uint(low+high) / 2)
		switch {
		case r < ranges[2*middle]:
			high = middle
		case r > ranges[2*middle+1]:
			low = middle + 1
		default:
			return true
		}
	}
	return false
}
