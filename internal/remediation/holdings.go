package remediation

import (
	"encoding/binary"
	"iter"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"
	"unique"

	"shieldwall/internal/domain"
)

// holdings are the decisions about the values of one set. There may be a million: they are kept without
// pointers, and single addresses of IPv4 in a quarter of the space.
type holdings struct {
	ipv6  bool
	small map[address4]instant
	large map[span]instant
	kinds []unique.Handle[kind] // all that occurred; a handful
}

// address4 is a decision about an IPv4 address.
type address4 struct {
	address uint32
	kind    uint32 // index of kinds
}

// span is a decision about any range.
type span struct {
	first, last [16]byte
	kind        uint32 // index of kinds
}

// instant is a time in Unix milliseconds.
type instant int64

const never instant = math.MaxInt64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return never
	}
	return instant(t.UnixMilli())
}

// time returns i; the zero time for never.
func (i instant) time() time.Time {
	if i == never {
		return time.Time{}
	}
	return time.UnixMilli(int64(i))
}

func newHoldings(set Set) *holdings {
	return &holdings{ipv6: set.IPv6, small: map[address4]instant{}, large: map[span]instant{}}
}

func (h *holdings) clone() *holdings {
	return &holdings{ipv6: h.ipv6, small: maps.Clone(h.small), large: maps.Clone(h.large), kinds: slices.Clone(h.kinds)}
}

func (h *holdings) get(value domain.IPRange, kind uint32) (instant, bool) {
	if small, ok := smallOf(value, kind); ok {
		until, held := h.small[small]
		return until, held
	}
	until, held := h.large[spanOf(value, kind)]
	return until, held
}

func (h *holdings) put(value domain.IPRange, kind uint32, until instant) {
	if small, ok := smallOf(value, kind); ok {
		h.small[small] = until
		return
	}
	h.large[spanOf(value, kind)] = until
}

func smallOf(value domain.IPRange, kind uint32) (address4, bool) {
	if value.First != value.Last || !value.First.Is4() {
		return address4{}, false
	}
	bytes := value.First.As4()
	return address4{binary.BigEndian.Uint32(bytes[:]), kind}, true
}

func spanOf(value domain.IPRange, kind uint32) span {
	return span{value.First.As16(), value.Last.As16(), kind}
}

func (a address4) value() domain.IPRange {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], a.address)
	address := netip.AddrFrom4(bytes)
	return domain.IPRange{First: address, Last: address}
}

func (h *holdings) valueOf(s span) domain.IPRange {
	first, last := netip.AddrFrom16(s.first), netip.AddrFrom16(s.last)
	if !h.ipv6 {
		first, last = first.Unmap(), last.Unmap()
	}
	return domain.IPRange{First: first, Last: last}
}

// add takes note of a decision. A later end replaces that of the same kind, unless the difference is not worth
// a change: then it must not add up unnoticed.
func (h *holdings) add(r ruling, until time.Time) {
	number := slices.Index(h.kinds, r.kind)
	if number < 0 {
		number = len(h.kinds)
		h.kinds = append(h.kinds, r.kind)
	}
	kind, end := uint32(number), instantOf(until) //nolint:gosec // a handful
	if held, ok := h.get(r.value, kind); !ok || held < end-instant(tolerance.Milliseconds()) {
		h.put(r.value, kind, end)
	}
}

func (h *holdings) remove(r ruling) {
	number := slices.Index(h.kinds, r.kind)
	if number < 0 {
		return
	}
	if small, ok := smallOf(r.value, uint32(number)); ok { //nolint:gosec // a handful
		delete(h.small, small)
		return
	}
	delete(h.large, spanOf(r.value, uint32(number))) //nolint:gosec // a handful
}

// expire forgets what has ended at now.
func (h *holdings) expire(now time.Time) {
	ended := instantOf(now)
	maps.DeleteFunc(h.small, func(_ address4, until instant) bool { return until <= ended })
	maps.DeleteFunc(h.large, func(_ span, until instant) bool { return until <= ended })
}

// longest returns the latest end among the decisions about value, and the kind of the first that has it; ok
// is false when there are none.
func (h *holdings) longest(value domain.IPRange) (until instant, winner uint32, ok bool) {
	for number := range h.kinds {
		kind := uint32(number)
		if candidate, held := h.get(value, kind); held && (!ok || candidate > until) {
			until, winner, ok = candidate, kind, true
		}
	}
	return until, winner, ok
}

// all yields every decision that is in force at now, with its kind.
func (h *holdings) all(now time.Time) iter.Seq2[Element, uint32] {
	at := instantOf(now)
	return func(yield func(Element, uint32) bool) {
		for key, until := range h.small {
			if until > at && !yield(Element{key.value(), until.time()}, key.kind) {
				return
			}
		}
		for key, until := range h.large {
			if until > at && !yield(Element{h.valueOf(key), until.time()}, key.kind) {
				return
			}
		}
	}
}

// live yields every decision that is in force at now; several may be about the same value.
func (h *holdings) live(now time.Time) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for element := range h.all(now) {
			if !yield(element) {
				return
			}
		}
	}
}

// addresses yields every value that is in force at now once, with its latest end.
func (h *holdings) addresses(now time.Time) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for element, kind := range h.all(now) {
			if len(h.kinds) > 1 {
				if _, winner, _ := h.longest(element.IPRange); winner != kind {
					continue
				}
			}
			if !yield(element) {
				return
			}
		}
	}
}

// count returns how many values addresses yields at most, without looking at each.
func (h *holdings) count() int { return len(h.small) + len(h.large) }
