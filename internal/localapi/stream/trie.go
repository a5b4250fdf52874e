package stream

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"shieldwall/internal/domain"
)

// trie finds the groups whose range covers an address range or is inside it. It is a path-compressed
// binary tree over address prefixes: one root a family.
type trie struct {
	four, six *node
}

// node stands for a prefix. It holds groups, or branches, or both.
type node struct {
	prefix   prefix
	children [2]*node
	groups   *group // linked by nextInNode
}

// prefix is the first size bits of an address, left-aligned; the bits behind are zero.
type prefix struct {
	high, low uint64
	size      uint8
}

func (t *trie) root(r domain.IPRange) **node {
	if r.Is4() {
		return &t.four
	}
	return &t.six
}

// insert adds g, which covers r.
func (t *trie) insert(r domain.IPRange, g *group) {
	key := prefixOf(r)
	at := t.root(r)
	for {
		here := *at
		if here == nil {
			*at = &node{prefix: key, groups: g}
			return
		}
		common := min(key.commonWith(here.prefix), key.size, here.prefix.size)
		if common < here.prefix.size {
			*at = split(here, key.cut(common))
			continue
		}
		if common == key.size {
			g.nextInNode = here.groups
			here.groups = g
			return
		}
		at = &here.children[key.bit(common)]
	}
}

func split(below *node, key prefix) *node {
	above := &node{prefix: key}
	above.children[below.prefix.bit(key.size)] = below
	return above
}

// remove takes g, which covers r, out again, and every node that is of no more use.
func (t *trie) remove(r domain.IPRange, g *group) {
	key := prefixOf(r)
	path := [129]**node{}
	depth := 0
	at := t.root(r)
	for *at != nil && (*at).prefix.size <= key.size {
		path[depth] = at
		depth++
		if (*at).prefix.size == key.size {
			break
		}
		at = &(*at).children[key.bit((*at).prefix.size)]
	}
	if depth == 0 {
		return
	}
	(*path[depth-1]).unlink(g)
	for i := depth - 1; i >= 0; i-- {
		*path[i] = (*path[i]).pruned()
	}
}

func (n *node) unlink(g *group) {
	for at := &n.groups; *at != nil; at = &(*at).nextInNode {
		if *at == g {
			*at = g.nextInNode
			g.nextInNode = nil
			return
		}
	}
}

// pruned returns what should stand in the place of n: itself, its only child, or nothing.
func (n *node) pruned() *node {
	switch {
	case n.groups != nil || n.children[0] != nil && n.children[1] != nil:
		return n
	case n.children[0] != nil:
		return n.children[0]
	}
	return n.children[1]
}

// covering calls visit for every group whose range contains r.
func (t *trie) covering(r domain.IPRange, visit func(*group)) {
	key := prefixOf(r)
	here := *t.root(r)
	for here != nil && here.prefix.size <= key.size && key.cut(here.prefix.size) == here.prefix {
		here.visitGroups(visit)
		if here.prefix.size == key.size {
			return
		}
		here = here.children[key.bit(here.prefix.size)]
	}
}

// inside calls visit for every group whose range is contained in r.
func (t *trie) inside(r domain.IPRange, visit func(*group)) {
	key := prefixOf(r)
	here := *t.root(r)
	for here != nil && here.prefix.size < key.size {
		here = here.children[key.bit(here.prefix.size)]
	}
	if here != nil && here.prefix.cut(key.size) == key {
		here.visitAll(visit)
	}
}

func (n *node) visitGroups(visit func(*group)) {
	for g := n.groups; g != nil; g = g.nextInNode {
		visit(g)
	}
}

func (n *node) visitAll(visit func(*group)) {
	n.visitGroups(visit)
	for _, child := range n.children {
		if child != nil {
			child.visitAll(visit)
		}
	}
}

// prefixOf returns the smallest prefix around r, which is r itself for everything that ParseIPRange reads.
func prefixOf(r domain.IPRange) prefix {
	first, last := leftAligned(r.First), leftAligned(r.Last)
	return first.cut(min(first.commonWith(last), first.size))
}

func leftAligned(addr netip.Addr) prefix {
	if addr.Is4() {
		four := addr.As4()
		return prefix{high: uint64(binary.BigEndian.Uint32(four[:])) << 32, size: 32}
	}
	sixteen := addr.As16()
	return prefix{
		high: binary.BigEndian.Uint64(sixteen[:8]),
		low:  binary.BigEndian.Uint64(sixteen[8:]),
		size: 128,
	}
}

// commonWith returns how many leading bits are equal.
func (p prefix) commonWith(q prefix) uint8 {
	if different := p.high ^ q.high; different != 0 {
		return uint8(bits.LeadingZeros64(different)) //nolint:gosec // at most 64
	}
	return 64 + uint8(bits.LeadingZeros64(p.low^q.low)) //nolint:gosec // at most 64
}

// cut returns the first size bits of p.
func (p prefix) cut(size uint8) prefix {
	const all = ^uint64(0)
	if size <= 64 {
		return prefix{high: p.high &^ (all >> size), size: size}
	}
	return prefix{high: p.high, low: p.low &^ (all >> (size - 64)), size: size}
}

// bit returns bit i, counted from the left.
func (p prefix) bit(i uint8) int {
	if i < 64 {
		return int(p.high >> (63 - i) & 1)
	}
	return int(p.low >> (127 - i) & 1)
}
