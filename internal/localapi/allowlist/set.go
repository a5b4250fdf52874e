package allowlist

import (
	"cmp"
	"iter"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/domain"
)

// Set is the items of all allowlists at one moment. It does not change, so that any number of goroutines
// may look things up in it. The zero value is empty.
type Set struct {
	items   []item // by first address; of those the wider ones first
	exactly map[netip.Prefix][]int
	lengths []int // those that occur in exactly, each with the family's: see lengthOf
}

type item struct {
	Match

	addresses domain.IPRange
	expiresAt time.Time
	order     int // of insertion, over all lists
}

// Match is an item that concerns an address or a range.
type Match struct {
	List    string // name of the allowlist
	Value   string // the item as given
	Comment string
}

// Reason returns the published text for a match: "<item> from <allowlist> (<comment>)".
func (m Match) Reason() string {
	if m.Comment == "" {
		return m.Value + " from " + m.List
	}
	return m.Value + " from " + m.List + " (" + m.Comment + ")"
}

// Reasons joins the texts of several matches as published.
func Reasons(matches []Match) string {
	texts := make([]string, len(matches))
	for i, match := range matches {
		texts[i] = match.Reason()
	}
	return strings.Join(texts, ", ")
}

// NewSet returns the items of lists. Items that are no address and no prefix concern nothing.
func NewSet(lists []domain.Allowlist) *Set {
	s := &Set{exactly: map[netip.Prefix][]int{}}
	for _, list := range lists {
		for _, entry := range list.Items {
			addresses, err := domain.ParseIPRange(entry.Value)
			if err != nil {
				continue
			}
			s.items = append(s.items, item{
				Match:     Match{List: list.Name, Value: entry.Value, Comment: entry.Comment},
				addresses: addresses, expiresAt: entry.ExpiresAt, order: len(s.items),
			})
		}
	}
	s.index()
	return s
}

func (s *Set) index() {
	slices.SortStableFunc(s.items, func(a, b item) int {
		return cmp.Or(a.addresses.First.Compare(b.addresses.First), b.addresses.Last.Compare(a.addresses.Last))
	})
	for i := range s.items {
		prefix := prefixOf(s.items[i].addresses)
		s.exactly[prefix] = append(s.exactly[prefix], i)
		s.lengths = append(s.lengths, lengthOf(prefix))
	}
	slices.Sort(s.lengths)
	s.lengths = slices.Compact(s.lengths)
}

// Len returns the number of items.
func (s *Set) Len() int { return len(s.items) }

// Concerning returns the items that concern addresses and have not expired at now, by the name of their
// list, then in the order of insertion.
func (s *Set) Concerning(addresses domain.IPRange, now time.Time) []Match {
	var found []*item
	for i := range s.concerning(addresses, now) {
		found = append(found, &s.items[i])
	}
	slices.SortFunc(found, func(a, b *item) int { return cmp.Or(cmp.Compare(a.List, b.List), a.order-b.order) })
	matches := make([]Match, len(found))
	for i, item := range found {
		matches[i] = item.Match
	}
	return matches
}

// Concerns reports whether Concerning would return anything.
func (s *Set) Concerns(addresses domain.IPRange, now time.Time) bool {
	for range s.concerning(addresses, now) {
		return true
	}
	return false
}

// concerning yields the place of every item around addresses, and then of those inside. Prefixes never
// overlap in part: what begins in a range lies in it, begins where it begins and is wider, or is it.
func (s *Set) concerning(addresses domain.IPRange, now time.Time) iter.Seq[int] {
	return func(yield func(int) bool) {
		prefix := prefixOf(addresses)
		for _, length := range s.lengths {
			around, ok := widened(prefix, length)
			if !ok {
				continue
			}
			for _, i := range s.exactly[around] {
				if s.items[i].isValid(now) && !yield(i) {
					return
				}
			}
		}
		first, _ := slices.BinarySearchFunc(s.items, addresses.First, func(i item, first netip.Addr) int {
			return i.addresses.First.Compare(first)
		})
		for i := first; i < len(s.items) && s.items[i].addresses.First.Compare(addresses.Last) <= 0; i++ {
			inside := addresses.Contains(s.items[i].addresses) && s.items[i].addresses != addresses
			if inside && s.items[i].isValid(now) && !yield(i) {
				return
			}
		}
	}
}

func (i *item) isValid(now time.Time) bool { return i.expiresAt.IsZero() || i.expiresAt.After(now) }

// prefixOf returns the prefix that an address or prefix was read from.
func prefixOf(addresses domain.IPRange) netip.Prefix {
	first, last := addresses.First.AsSlice(), addresses.Last.AsSlice()
	same := 0
	for i := range first {
		equal := bits.LeadingZeros8(first[i] ^ last[i])
		same += equal
		if equal < 8 {
			break
		}
	}
	return netip.PrefixFrom(addresses.First, same)
}

// lengthOf is the length of a prefix, moved out of the way of IPv4 for IPv6.
func lengthOf(prefix netip.Prefix) int {
	if prefix.Addr().Is4() {
		return prefix.Bits()
	}
	return prefix.Bits() + ipv6
}

const ipv6 = 64 // anything above 32

// widened returns the prefix of the given length (see lengthOf) around prefix, if there is one.
func widened(prefix netip.Prefix, length int) (netip.Prefix, bool) {
	if (length >= ipv6) == prefix.Addr().Is4() {
		return netip.Prefix{}, false
	}
	if length >= ipv6 {
		length -= ipv6
	}
	if length > prefix.Bits() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(prefix.Addr(), length).Masked(), true
}
