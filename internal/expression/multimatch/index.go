package multimatch

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

const (
	widest = 4                  // bytes of a window
	stride = 8                  // the longest step; longer ones save little and need more windows
	few    = 64                 // literals that have rare windows even if these are narrow
	crowd  = 1 << 15            // windows of one index, roughly
	spread = 0x9E3779B97F4A7C15 // multiplies windows that look alike into numbers that do not (Knuth, 6.4)
	spare  = 40                 // bits of such a number that are not used: the lower ones know only a part of the window
)

// index finds literals by their windows.
type index struct {
	literals []literal
	fold     bool
	width    int    // of a window, in bytes
	step     int    // from one window of a text that is looked at to the next
	mask     uint64 // of the bytes of a window
	blur     uint64 // what is set in each window, so that letters look the same in both cases

	table   []uint64 // a bit is set for every window of a literal
	limit   uint64   // the last bit of the table
	coarse  uint     // of a bit number, so that a bucket number is left
	buckets []uint32 // where the places of a bucket begin; the end is where the next ones begin
	places  []place
}

// place is a window of a literal.
type place struct {
	window  uint64
	literal int32 // in literals
	offset  int32 // of the window in it
}

// newIndex returns an index of literals, of which there are some and none is empty.
func newIndex(literals []literal, fold bool) *index {
	x := &index{literals: literals, fold: fold}
	x.size()
	x.fill(x.choose())
	return x
}

// size decides on width and step. The shortest literal has step windows of that width.
func (x *index) size() {
	shortest := len(slices.MinFunc(x.literals, func(a, b literal) int { return cmp.Compare(len(a.text), len(b.text)) }).text)
	x.width = widthOf(len(x.literals), shortest)
	x.step = max(1, min(shortest-x.width+1, stride, crowd/len(x.literals)))
	x.mask = 1<<(8*x.width) - 1
	if x.fold {
		x.blur = 0x20202020 & x.mask
	}
}

// widthOf returns the width of windows of count literals, the shortest of which has so many bytes. Wide windows are
// rare, narrow ones make long steps: where there are few literals, narrow ones are rare enough.
func widthOf(count, shortest int) int {
	if count <= few {
		return min(shortest, max(2, min(shortest-1, widest-1)))
	}
	if shortest <= widest {
		return min(shortest, widest-1)
	}
	return widest
}

// fill spreads places over bits and buckets: some dozens of bits for each, lest a window that belongs to no literal
// falls on one, and about one bucket.
func (x *index) fill(places []place) {
	const sparse, fewest, most = 5, 12, 19
	wanted := min(uint(bits.Len(uint(len(places)-1))), most)
	size := max(fewest, wanted+sparse)
	x.limit = 1<<size - 1
	x.coarse = size - wanted
	x.table = make([]uint64, 1<<size/64)
	x.buckets = make([]uint32, 1<<wanted+1)
	for _, p := range places {
		bit := x.bit(p.window)
		x.table[bit/64] |= 1 << (bit % 64)
		x.buckets[bit>>x.coarse+1]++
	}
	for i := range x.buckets[1:] {
		x.buckets[i+1] += x.buckets[i]
	}
	next := slices.Clone(x.buckets)
	x.places = make([]place, len(places))
	for _, p := range places {
		bucket := x.bit(p.window) >> x.coarse
		x.places[next[bucket]] = p
		next[bucket]++
	}
}

// bit returns the number of the bit of a window.
func (x *index) bit(window uint64) uint64 { return bitOf(window, x.limit) }

func bitOf(window, limit uint64) uint64 { return window * spread >> spare & limit }

func marked(table []uint64, bit uint64) bool { return table[bit/64]&(1<<(bit%64)) != 0 }

// each calls found for the literals in text and reports whether it may go on. A literal has as many windows side by side
// as a step is long, so wherever it occurs the search sees one of them, and only one.
func (x *index) each(text string, found func(i, at int) bool) bool {
	for at := x.prospect(text, 0); at+x.width <= len(text); at = x.prospect(text, at+x.step) {
		if !x.compare(text, at, found) {
			return false
		}
	}
	return true
}

// prospect returns the first place, of those that steps from at on lead to, whose window may be one of a literal; one
// too close to the end of text for a window when there is none.
func (x *index) prospect(text string, at int) int {
	table, limit, mask, blur, step := x.table, x.limit, x.mask, x.blur, x.step
	if step == 1 {
		at = x.sweep(text, at)
	}
	for ; at+widest <= len(text); at += step {
		four := text[at : at+widest]
		window := uint64(uint32(four[0])|uint32(four[1])<<8|uint32(four[2])<<16|uint32(four[3])<<24)&mask | blur
		if marked(table, bitOf(window, limit)) {
			return at
		}
	}
	for ; at+x.width <= len(text); at += step {
		if marked(table, x.bit(x.window(text, at))) {
			return at
		}
	}
	return at
}

// sweep is prospect for steps of one byte: it goes on by four as long as none of their windows is one of a literal.
func (x *index) sweep(text string, at int) int {
	if len(text) < 8 {
		return at
	}
	table, limit, mask, blur := x.table, x.limit, x.mask, x.blur
	for ; at+x.width <= len(text); at += 4 {
		from := min(at, len(text)-8)
		b := text[from : from+8]
		eight := (uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56) >> (8 * uint(at-from) % 64)
		if marked(table, bitOf(eight&mask|blur, limit)) || marked(table, bitOf(eight>>8&mask|blur, limit)) ||
			marked(table, bitOf(eight>>16&mask|blur, limit)) || marked(table, bitOf(eight>>24&mask|blur, limit)) {
			return at
		}
	}
	return at
}

// window returns the one of text that begins at a place.
func (x *index) window(text string, at int) uint64 {
	window := uint64(0)
	for i := range x.width {
		window |= uint64(text[at+i]) << (8 * i)
	}
	return window | x.blur
}

// compare calls found for the literals that have a window where text has it too.
func (x *index) compare(text string, at int, found func(i, at int) bool) bool {
	window := x.window(text, at)
	bucket := x.bit(window) >> x.coarse
	for _, place := range x.places[x.buckets[bucket]:x.buckets[bucket+1]] {
		start := at - int(place.offset)
		if place.window != window || start < 0 {
			continue
		}
		literal := &x.literals[place.literal]
		if x.starts(text[start:], literal.text) && !found(literal.number, start) {
			return false
		}
	}
	return true
}

func (x *index) starts(text, literal string) bool {
	if x.fold {
		return startsFolded(text, literal)
	}
	return strings.HasPrefix(text, literal)
}
