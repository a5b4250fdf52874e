package grok

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// way is a step through an expression, as an automaton knows it.
type way struct {
	kind        wayKind
	bytes       byteSet // of wayByte
	next, other uint16  // in ways
}

type wayKind uint8

const (
	wayEnd        wayKind = iota
	wayByte               // takes one of bytes
	wayChoice             // next and other
	wayBoundary           // next, at a word boundary
	wayNoBoundary         // next, anywhere else
)

// ways are the steps of an expression, of which the last is the first to go.
type ways []way

// maxWays bounds the steps. What is larger has no automaton.
const maxWays = 1 << 11

// newWays returns the steps of an expression that is fit for an automaton, more than maxWays when it has too many.
func newWays(n *node) ways {
	w := ways{{kind: wayEnd}}
	first := w.lead(n, 0)
	w.add(w[first])
	return w
}

// isFit reports whether there are automata for n: it has no captures, and its runes are bytes.
func isFit(n *node) bool {
	switch n.kind {
	case nodeText:
		return isASCII(n.text)
	case nodeClass, nodeRun:
		return n.class.scan == scanASCII
	case nodeAssert:
		return n.assert == syntax.EmptyWordBoundary || n.assert == syntax.EmptyNoWordBoundary
	case nodeEmpty, nodeCat, nodeAlt, nodeOption, nodeStar, nodePlus:
		return !slices.ContainsFunc(n.subs, func(sub *node) bool { return !isFit(sub) })
	default: // nodeGroup, nodeFail
		return false
	}
}

// branches reports whether there are choices in n: what has none needs no automaton.
func branches(n *node) bool {
	switch n.kind {
	case nodeAlt, nodeOption, nodeStar, nodePlus:
		return true
	default:
		return slices.ContainsFunc(n.subs, branches)
	}
}

// lead appends the ways through n that go on at next, and returns the first.
func (w *ways) lead(n *node, next uint16) uint16 {
	if len(*w) > maxWays {
		return next
	}
	switch n.kind {
	case nodeText:
		for _, c := range slices.Backward([]byte(n.text)) {
			taking := way{kind: wayByte, next: next}
			taking.bytes.add(c)
			next = w.add(taking)
		}
		return next
	case nodeClass:
		return w.add(way{kind: wayByte, bytes: n.class.members, next: next})
	case nodeRun:
		return w.leadRun(n, next)
	case nodeAssert:
		kind := wayBoundary
		if n.assert == syntax.EmptyNoWordBoundary {
			kind = wayNoBoundary
		}
		return w.add(way{kind: kind, next: next})
	case nodeCat:
		for _, sub := range slices.Backward(n.subs) {
			next = w.lead(sub, next)
		}
		return next
	case nodeAlt:
		last := len(n.subs) - 1
		first := w.lead(n.subs[last], next)
		for _, sub := range n.subs[:last] {
			first = w.add(way{kind: wayChoice, next: w.lead(sub, next), other: first})
		}
		return first
	case nodeOption:
		return w.add(way{kind: wayChoice, next: w.lead(n.subs[0], next), other: next})
	case nodeStar, nodePlus:
		return w.leadLoop(n, next)
	default: // nodeEmpty
		return next
	}
}

func (w *ways) add(step way) uint16 {
	*w = append(*w, step)
	return uint16(len(*w) - 1) //nolint:gosec // bounded by maxWays and the bounds of one run
}

func (w *ways) leadRun(n *node, next uint16) uint16 {
	one := way{kind: wayByte, bytes: n.class.members}
	if n.max < 0 {
		next = w.add(way{kind: wayChoice, other: next})
		one.next = next
		body := w.add(one)
		(*w)[next].next = body
	}
	behind := next
	for range n.max - n.min {
		one.next = next
		next = w.add(way{kind: wayChoice, next: w.add(one), other: behind})
	}
	for range n.min {
		one.next = next
		next = w.add(one)
	}
	return next
}

func (w *ways) leadLoop(n *node, next uint16) uint16 {
	loop := w.add(way{kind: wayChoice, other: next})
	body := w.lead(n.subs[0], loop)
	(*w)[loop].next = body
	if n.kind == nodePlus {
		return body
	}
	return loop
}

// sets returns the sets of bytes that make a difference: those given and those of the steps.
func (w ways) sets(given ...byteSet) []byteSet {
	known := map[byteSet]bool{}
	for _, step := range w {
		if step.kind == wayByte && !known[step.bytes] {
			known[step.bytes] = true
			given = append(given, step.bytes)
		}
	}
	return given
}

// open returns the steps that take the next byte, and whether the expression can end, on ways that go on at from; at
// a word boundary or not. It notes in seen where it has been.
func (w ways) open(from []uint16, boundary bool, seen []bool) (taking []uint16, ends bool) {
	todo := slices.Clone(from)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		switch step := &w[i]; step.kind {
		case wayEnd:
			ends = true
		case wayByte:
			taking = append(taking, i)
		case wayChoice:
			todo = append(todo, step.next, step.other)
		case wayBoundary, wayNoBoundary:
			if boundary == (step.kind == wayBoundary) {
				todo = append(todo, step.next)
			}
		}
	}
	return taking, ends
}

// behind returns where the steps from go on that take c.
func (w ways) behind(from []uint16, c byte) (to []uint16) {
	for _, i := range from {
		if step := &w[i]; step.bytes.has(c) {
			to = append(to, step.next)
		}
	}
	return to
}

func isASCII(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= utf8.RuneSelf })
}
