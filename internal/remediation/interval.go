package remediation

import (
	"container/heap"
	"net/netip"
	"slices"

	"shieldwall/internal/domain"
)

// Disjoint cuts ranges of one family, which may overlap, into the fewest disjoint ranges that cover the same
// addresses, in ascending order: every address keeps the latest Until of the ranges that cover it. Cutting
// is stable in time: when some of the ranges have expired, the rest is cut as before. The argument is not
// changed.
func Disjoint(ranges []Element) []Element {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Element) int { return a.First.Compare(b.First) })
	s := sweep{waiting: sorted}
	for at := s.next(); at.IsValid(); {
		s.begin(at)
		s.end(at)
		if len(s.covering) == 0 {
			at = s.next()
			continue
		}
		piece := s.piece(at)
		s.emit(piece)
		at = piece.Last.Next()
	}
	return s.pieces
}

// sweep walks over the addresses from the lowest to the highest.
type sweep struct {
	waiting  []Element // begin later, in order of First
	covering longest   // cover the current address; the ones that ended may linger below the top
	pieces   []Element
}

// next returns the first address of the range that begins next; the zero Addr when there is none.
func (s *sweep) next() netip.Addr {
	if len(s.waiting) == 0 {
		return netip.Addr{}
	}
	return s.waiting[0].First
}

func (s *sweep) begin(at netip.Addr) {
	for len(s.waiting) > 0 && s.waiting[0].First.Compare(at) <= 0 {
		heap.Push(&s.covering, s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

func (s *sweep) end(at netip.Addr) {
	for len(s.covering) > 0 && s.covering[0].Last.Less(at) {
		heap.Pop(&s.covering)
	}
}

// piece reaches from at to the end of the longest-lived range, or to the address before the next range,
// which may live longer.
func (s *sweep) piece(at netip.Addr) Element {
	top := s.covering[0]
	last := top.Last
	if next := s.next(); next.IsValid() && next.Compare(last) <= 0 {
		last = next.Prev()
	}
	return Element{IPRange: domain.IPRange{First: at, Last: last}, Until: top.Until}
}

// emit appends piece, or lengthens the previous one when there is no difference between them.
func (s *sweep) emit(piece Element) {
	if n := len(s.pieces); n > 0 {
		previous := &s.pieces[n-1]
		if previous.Last.Next() == piece.First && previous.Until.Equal(piece.Until) {
			previous.Last = piece.Last
			return
		}
	}
	s.pieces = append(s.pieces, piece)
}

// longest is a heap with the range of the latest Until on top.
type longest []Element

func (l longest) Len() int           { return len(l) }
func (l longest) Less(i, j int) bool { return outlives(l[i].Until, l[j].Until) }
func (l longest) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push appends what container/heap hands over, always an Element.
func (l *longest) Push(x any) {
	if element, ok := x.(Element); ok {
		*l = append(*l, element)
	}
}

// Pop removes the last element.
func (l *longest) Pop() any {
	last := len(*l) - 1
	popped := (*l)[last]
	*l = (*l)[:last]
	return popped
}

// prefixOf returns the prefix that covers exactly r; ok is false when there is none.
func prefixOf(r domain.IPRange) (prefix netip.Prefix, ok bool) {
	prefix = widestPrefix(r, 0)
	return prefix, lastOf(prefix) == r.Last
}

// prefixes cuts r into the fewest prefixes that cover the same addresses, in ascending order. None has no
// bits at all: that is what most backends do not take.
func prefixes(r domain.IPRange) []domain.IPRange {
	var parts []domain.IPRange
	for {
		last := lastOf(widestPrefix(r, 1))
		parts = append(parts, domain.IPRange{First: r.First, Last: last})
		if last == r.Last {
			return parts
		}
		r.First = last.Next()
	}
}

// widestPrefix returns the widest prefix of so many bits or more that begins where r does and reaches no
// further.
func widestPrefix(r domain.IPRange, least int) netip.Prefix {
	bits := r.First.BitLen()
	prefix := netip.PrefixFrom(r.First, bits)
	for bits > least {
		bits--
		wider := netip.PrefixFrom(r.First, bits)
		if wider.Masked() != wider || r.Last.Less(lastOf(wider)) {
			break
		}
		prefix = wider
	}
	return prefix
}

// lastOf returns the last address of prefix.
func lastOf(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for i := prefix.Bits() / bitsOfByte; i < len(bytes); i++ {
		host := bitsOfByte
		if within := prefix.Bits() - i*bitsOfByte; within > 0 {
			host -= within
		}
		bytes[i] |= byte(1<<host - 1)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

const bitsOfByte = 8
