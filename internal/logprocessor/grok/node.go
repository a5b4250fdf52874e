package grok

import (
	"regexp/syntax"
	"slices"
)

// nodeKind says what a node of the tree matches.
type nodeKind uint8

const (
	nodeEmpty  nodeKind = iota
	nodeFail            // nothing, not even the empty text
	nodeText            // exactly text
	nodeClass           // one rune of class
	nodeRun             // min to max runes of class; max < 0 is no bound
	nodeAssert          // the empty text where assert holds
	nodeGroup           // subs[0], captured in slot
	nodeCat             // subs, one after the other
	nodeAlt             // the first of subs that leads to a match
	nodeOption          // subs[0] or nothing
	nodeStar            // subs[0] any number of times; it never matches the empty text
	nodePlus            // likewise, at least once
)

// node is our own tree of an expression, between the parse tree and the program: counted repetitions are written
// out except those of single runes, and neighbours are joined. Nodes are immutable and may be shared.
type node struct {
	kind     nodeKind
	lazy     bool // nodeRun, nodeOption, nodeStar, nodePlus: shortest first
	nullable bool // can match the empty text
	assert   syntax.EmptyOp
	slot     int
	min, max int
	class    *class
	text     string
	subs     []*node
}

// before returns what can stand at a position where n is tried and then goes on to next.
func (n *node) before(next ahead) ahead {
	switch n.kind {
	case nodeFail:
		return ahead{}
	case nodeText:
		a := ahead{}
		a.bytes.add(n.text[0])
		return a
	case nodeClass, nodeRun:
		a := ahead{bytes: n.class.first}
		if n.nullable {
			a = a.union(next)
		}
		return a
	case nodeAssert:
		return beforeAssert(n.assert, next)
	case nodeGroup, nodePlus:
		return n.subs[0].before(next)
	case nodeCat:
		for _, sub := range slices.Backward(n.subs) {
			next = sub.before(next)
		}
		return next
	case nodeAlt:
		a := ahead{}
		for _, sub := range n.subs {
			a = a.union(sub.before(next))
		}
		return a
	case nodeOption, nodeStar:
		return n.subs[0].before(next).union(next)
	default: // nodeEmpty
		return next
	}
}

// beforeAssert knows nothing of the byte before the position: a word boundary excludes nothing.
func beforeAssert(assert syntax.EmptyOp, next ahead) ahead {
	switch assert {
	case syntax.EmptyEndText:
		return ahead{end: next.end}
	case syntax.EmptyEndLine:
		a := ahead{end: next.end}
		if next.bytes.has('\n') {
			a.bytes.add('\n')
		}
		return a
	default:
		return next
	}
}

// anchored reports whether n can only match at the start of the subject.
func (n *node) anchored() bool {
	switch n.kind {
	case nodeAssert:
		return n.assert == syntax.EmptyBeginText
	case nodeGroup, nodePlus:
		return n.subs[0].anchored()
	case nodeCat:
		return slices.ContainsFunc(n.subs, (*node).anchored)
	case nodeAlt:
		return !slices.ContainsFunc(n.subs, func(sub *node) bool { return !sub.anchored() })
	default:
		return false
	}
}

// equal reports whether two nodes without children match the same.
func equal(a, b *node) bool {
	return a.kind == b.kind && a.lazy == b.lazy && a.assert == b.assert &&
		a.min == b.min && a.max == b.max && a.class == b.class && a.text == b.text &&
		len(a.subs) == 0 && len(b.subs) == 0
}
