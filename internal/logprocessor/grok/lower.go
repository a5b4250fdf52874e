package grok

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// lowerer turns a parse tree into nodes.
type lowerer struct {
	workshop *workshop
	done     map[*syntax.Regexp]*node // a definition that is used twice is the same node
	// loopsOverEmpty says that a repetition can go round without progress. What that means for captures depends
	// on the last detail of the program; such a tree, which no published pattern has, is left to the simulation.
	loopsOverEmpty bool
}

func newLowerer(w *workshop) *lowerer {
	return &lowerer{workshop: w, done: map[*syntax.Regexp]*node{}}
}

func (l *lowerer) lower(re *syntax.Regexp) *node {
	n := l.done[re]
	if n == nil {
		n = l.make(re)
		l.done[re] = n
	}
	return n
}

func (l *lowerer) make(re *syntax.Regexp) *node {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return empty()
	case syntax.OpLiteral:
		return l.literal(re)
	case syntax.OpCharClass:
		return l.oneOf(re.Rune)
	case syntax.OpAnyChar:
		return l.oneOf([]rune{0, utf8.MaxRune})
	case syntax.OpAnyCharNotNL:
		return l.oneOf([]rune{0, '\n' - 1, '\n' + 1, utf8.MaxRune})
	case syntax.OpBeginLine:
		return assertion(syntax.EmptyBeginLine)
	case syntax.OpEndLine:
		return assertion(syntax.EmptyEndLine)
	case syntax.OpBeginText:
		return assertion(syntax.EmptyBeginText)
	case syntax.OpEndText:
		return assertion(syntax.EmptyEndText)
	case syntax.OpWordBoundary:
		return assertion(syntax.EmptyWordBoundary)
	case syntax.OpNoWordBoundary:
		return assertion(syntax.EmptyNoWordBoundary)
	case syntax.OpCapture:
		return group(l.lower(re.Sub[0]), re.Cap)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return l.repeat(re)
	case syntax.OpConcat:
		return cat(l.lowerAll(re.Sub))
	case syntax.OpAlternate:
		return alternatives(l.lowerAll(re.Sub))
	default: // syntax.OpNoMatch
		return fail()
	}
}

func (l *lowerer) lowerAll(res []*syntax.Regexp) []*node {
	nodes := make([]*node, len(res))
	for i, re := range res {
		nodes[i] = l.lower(re)
	}
	return nodes
}

func (l *lowerer) literal(re *syntax.Regexp) *node {
	nodes := make([]*node, len(re.Rune))
	for i, r := range re.Rune {
		switch {
		case re.Flags&syntax.FoldCase != 0 && unicode.SimpleFold(r) != r:
			nodes[i] = l.oneOf(folded(r))
		case utf8.ValidRune(r):
			nodes[i] = &node{kind: nodeText, text: string(r)}
		default:
			nodes[i] = fail() // half a surrogate pair is in no text
		}
	}
	return cat(nodes)
}

// folded returns r and what equals it when case does not matter, as sorted pairs of bounds.
func folded(r rune) []rune {
	pairs := []rune{r, r}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		pairs = append(pairs, f, f)
	}
	slices.Sort(pairs)
	return pairs
}

func (l *lowerer) oneOf(runes []rune) *node {
	if len(runes) == 0 {
		return fail()
	}
	return &node{kind: nodeClass, class: l.workshop.class(runes)}
}

func (l *lowerer) repeat(re *syntax.Regexp) *node {
	least, most := re.Min, re.Max
	switch re.Op {
	case syntax.OpStar:
		least, most = 0, -1
	case syntax.OpPlus:
		least, most = 1, -1
	case syntax.OpQuest:
		least, most = 0, 1
	default: // syntax.OpRepeat has its bounds
	}
	lazy := re.Flags&syntax.NonGreedy != 0
	sub := l.lower(re.Sub[0])
	switch {
	case sub.kind == nodeEmpty || most == 0:
		return empty()
	case least == 1 && most == 1:
		return sub
	}
	if c := l.single(sub); c != nil {
		return &node{kind: nodeRun, class: c, min: least, max: most, lazy: lazy, nullable: least == 0}
	}
	if most < 0 {
		return l.loop(sub, least, lazy)
	}
	return counted(sub, least, most, lazy)
}

// single returns the class of a node that matches exactly one rune and captures nothing, nil for all others.
func (l *lowerer) single(n *node) *class {
	switch n.kind {
	case nodeClass:
		return n.class
	case nodeText:
		if r, width := utf8.DecodeRuneInString(n.text); width == len(n.text) {
			return l.workshop.class([]rune{r, r})
		}
		return nil
	default:
		return nil
	}
}

func (l *lowerer) loop(sub *node, least int, lazy bool) *node {
	l.loopsOverEmpty = l.loopsOverEmpty || sub.nullable
	if least == 0 {
		return &node{kind: nodeStar, lazy: lazy, nullable: true, subs: []*node{sub}}
	}
	plus := &node{kind: nodePlus, lazy: lazy, nullable: sub.nullable, subs: []*node{sub}}
	return cat(append(slices.Repeat([]*node{sub}, least-1), plus))
}

// counted writes x{2,4} as xx(x(x)?)?.
func counted(sub *node, least, most int, lazy bool) *node {
	tail := empty()
	for range most - least {
		tail = &node{kind: nodeOption, lazy: lazy, nullable: true, subs: []*node{cat([]*node{sub, tail})}}
	}
	return cat(append(slices.Repeat([]*node{sub}, least), tail))
}

func empty() *node { return &node{kind: nodeEmpty, nullable: true} }

func fail() *node { return &node{kind: nodeFail} }

func assertion(what syntax.EmptyOp) *node {
	return &node{kind: nodeAssert, assert: what, nullable: true}
}

func group(sub *node, slot int) *node {
	return &node{kind: nodeGroup, slot: slot, nullable: sub.nullable, subs: []*node{sub}}
}

// cat joins nodes: sequences in sequences are opened, neighbouring texts become one.
func cat(nodes []*node) *node {
	n := &node{kind: nodeCat, nullable: true}
	for _, sub := range nodes {
		switch sub.kind {
		case nodeFail:
			return sub
		case nodeCat:
			for _, inner := range sub.subs {
				n.append(inner)
			}
		default:
			n.append(sub)
		}
	}
	switch len(n.subs) {
	case 0:
		return empty()
	case 1:
		return n.subs[0]
	}
	return n
}

// append adds to a sequence that nobody has seen yet.
func (n *node) append(sub *node) {
	last := len(n.subs) - 1
	switch {
	case sub.kind == nodeEmpty:
		return
	case sub.kind == nodeText && last >= 0 && n.subs[last].kind == nodeText:
		n.subs[last] = &node{kind: nodeText, text: n.subs[last].text + sub.text}
	default:
		n.subs = append(n.subs, sub)
	}
	n.nullable = n.nullable && sub.nullable
}

// alternatives tries nodes in their order.
func alternatives(nodes []*node) *node {
	nodes = factored(flattened(nodes))
	switch len(nodes) {
	case 0:
		return fail()
	case 1:
		return nodes[0]
	}
	n := &node{kind: nodeAlt, subs: nodes}
	n.nullable = slices.ContainsFunc(nodes, func(sub *node) bool { return sub.nullable })
	return n
}

// flattened opens alternatives of alternatives and drops those that never match.
func flattened(nodes []*node) []*node {
	var flat []*node
	for _, n := range nodes {
		switch n.kind {
		case nodeFail:
		case nodeAlt:
			flat = append(flat, n.subs...)
		default:
			flat = append(flat, n)
		}
	}
	return flat
}
