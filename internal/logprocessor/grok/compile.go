package grok

import (
	"regexp/syntax"
	"slices"
)

// maxProgram bounds the instructions of a program. What is larger is left to the simulation.
const maxProgram = 1 << 16

// point is a place in a program, and what can stand where it is tried.
type point struct {
	in     *instruction
	ahead  ahead
	number int32 // among all points
}

// compiler turns nodes into instructions, from the end to the beginning: so what follows is known, and every step
// can look ahead.
type compiler struct {
	workshop *workshop
	words    byteSet
	all      []point
	done     map[emission]int32 // where in all
	optional int                // how many choices the node at hand is inside of
	detour   bool               // the node at hand is what an automaton leaves to the machine
}

// emission is what the instructions of a node depend on. Alternatives that end alike, as addresses do, share the
// instructions of their ends.
type emission struct {
	node   *node
	next   *instruction
	undo   bool
	detour bool
}

// compile returns nil when the program would be too large.
func compile(n *node, slots int, w *workshop) *program {
	c := &compiler{workshop: w, words: words(), done: make(map[emission]int32, 1<<8)}
	start := c.emit(n, c.add(instruction{op: opMatch}, anything()))
	if len(c.all) > maxProgram {
		return nil
	}
	return &program{
		start: start.in,
		size:  len(c.all),
		rows:  assignRows(c.all),
		loose: looseSlots(c.all, slots),
	}
}

func (c *compiler) add(in instruction, before ahead) point {
	in.row, in.field = none, none
	p := point{&in, before, int32(len(c.all))} //nolint:gosec // bounded by maxProgram, see emit
	c.all = append(c.all, p)
	return p
}

// emit compiles n so that it goes on at next, and returns where it begins.
func (c *compiler) emit(n *node, next point) point {
	if len(c.all) > maxProgram {
		return next
	}
	what := emission{node: n, next: next.in, undo: c.optional > 0, detour: c.detour}
	if i, done := c.done[what]; done {
		return c.all[i]
	}
	at := c.make(n, next)
	c.done[what] = at.number
	return at
}

func (c *compiler) make(n *node, next point) point {
	if n.kind != nodeCat && c.isCertain(next) && branches(n) && isFit(n) {
		return c.emitEnds(n, next)
	}
	switch n.kind {
	case nodeFail:
		return c.add(instruction{op: opFail}, ahead{})
	case nodeText:
		return c.emitText(n, next)
	case nodeClass:
		return c.add(instruction{op: opOne, class: n.class, next: next.in}, n.before(ahead{}))
	case nodeRun:
		if n.min == 0 && n.max == 1 {
			return c.emitOption(&node{kind: nodeClass, class: n.class}, n.lazy, next)
		}
		return c.emitRun(n, next)
	case nodeAssert:
		return c.emitAssert(n, next)
	case nodeGroup:
		return c.emitGroup(n, next)
	case nodeCat:
		return c.emitSequence(n.subs, next)
	case nodeAlt:
		return c.emitAlternatives(n.subs, next)
	case nodeOption:
		return c.emitOption(n.subs[0], n.lazy, next)
	case nodeStar, nodePlus:
		return c.emitLoop(n, next)
	default: // nodeEmpty
		return next
	}
}

// emitSequence leaves to automata what it can.
func (c *compiler) emitSequence(subs []*node, next point) point {
	for fit := (stretch{first: len(subs)}); len(subs) > 0; {
		last := len(subs) - 1
		if last < fit.first {
			fit = lastStretch(subs)
		}
		if fit.isWorth(subs) && c.isCertain(next) {
			next = c.emitEnds(cat(subs[fit.first:]), next)
			subs = subs[:fit.first]
			continue
		}
		next = c.emit(subs[last], next)
		subs = subs[:last]
	}
	return next
}

// stretch is a part of a sequence that is fit for an automaton.
type stretch struct{ first, choice int } // where it begins, and where it gets interesting

// lastStretch returns the one at the end of a sequence, without texts that it begins with: comparing them is faster.
func lastStretch(subs []*node) stretch {
	first := len(subs)
	for first > 0 && isFit(subs[first-1]) {
		first--
	}
	for first < len(subs) && subs[first].kind == nodeText {
		first++
	}
	choice := first
	for choice < len(subs) && subs[choice].kind != nodeAssert && !branches(subs[choice]) {
		choice++
	}
	return stretch{first, choice}
}

// isWorth reports whether an automaton spares much where the stretch goes on to the end of a sequence.
func (s stretch) isWorth(subs []*node) bool {
	last := len(subs) - 1
	return s.choice < last && subs[last].kind != nodeText || s.choice == last && branches(subs[last])
}

// isCertain reports whether what follows tells where an expression ends.
func (c *compiler) isCertain(next point) bool {
	return !c.detour && !next.ahead.bytes.has(continuation)
}

// emitEnds has an automaton look first.
func (c *compiler) emitEnds(n *node, next point) point {
	c.detour = true
	other := c.emit(n, next)
	c.detour = false
	ends := c.workshop.automaton(n, next.ahead)
	if ends == nil {
		return other
	}
	in := instruction{op: opEnds, ends: ends, next: next.in, other: other.in}
	return c.add(in.withTail(), other.ahead)
}

func (c *compiler) emitText(n *node, next point) point {
	in := instruction{op: opText, char: n.text[0], text: n.text, next: next.in}
	if len(n.text) == 1 {
		in.op = opByte
	}
	return c.add(in, n.before(ahead{}))
}

func (c *compiler) emitAssert(n *node, next point) point {
	in := instruction{op: opAssert, assert: n.assert, next: next.in}
	if n.assert == syntax.EmptyWordBoundary {
		in.op = opWord
	}
	return c.add(in, n.before(next.ahead))
}

func (c *compiler) emitGroup(n *node, next point) point {
	op, slot := opSave, int32(2*n.slot) //nolint:gosec // as many as fields
	if c.optional > 0 {
		op = opUndo
	}
	end := c.add(instruction{op: op, slot: slot + 1, next: next.in}, next.ahead)
	body := c.emit(n.subs[0], end)
	if body.in.next == end.in && body.in.isPlain() {
		return c.emitField(body, slot, next)
	}
	return c.add(instruction{op: op, slot: slot, next: body.in}, body.ahead)
}

// emitField makes one instruction of a capture and what it consists of.
func (c *compiler) emitField(body point, slot int32, next point) point {
	in := *body.in
	if in.op == opEnds {
		in.other = c.add(instruction{op: opSave, slot: slot, next: in.other}, body.ahead).in
		if c.optional > 0 {
			in.other.op = opUndo
		}
	}
	in.next = next.in
	field := c.add(in.withTail(), body.ahead)
	field.in.field, field.in.undo = slot, c.optional > 0
	return field
}

// emitRun chooses how a run of one rune is matched.
func (c *compiler) emitRun(n *node, next point) point {
	follow := c.aheadAfter(n, next)
	r := &run{min: n.min, max: n.max, row: none, after: c.workshop.table(follow.bytes), end: follow.end}
	op := opRun
	switch onlyOne := follow.bytes.intersection(n.class.first).empty(); {
	case onlyOne || n.min == n.max:
		op = opSpan
	case next.in.matches() && n.lazy:
		op, r.max = opSpan, r.min // the shortest is good enough
	case next.in.matches():
		op = opSpan // and so is the longest
	case n.lazy:
		op, r.text = opLazy, newNeedle(next.in.textHere())
	}
	in := instruction{op: op, class: n.class, run: r, next: next.in}
	if op == opSpan && n.class.scan == scanASCII {
		in.op, in.min, in.max = opQuick, int32(r.min), int32(r.max) //nolint:gosec // the parser bounds them
	}
	return c.add(in.withTail(), n.before(next.ahead))
}

// aheadAfter is what can stand at next inside or after a run of n. If the runes of n are all of words, or none of
// them is, a word boundary at next tells what must follow.
func (c *compiler) aheadAfter(n *node, next point) ahead {
	follow := next.ahead
	if n.min == 0 || next.in.pastSaves().op != opWord {
		return follow
	}
	switch others := c.words.complement(); {
	case n.class.first.intersection(others).empty():
		follow.bytes = follow.bytes.intersection(others)
	case n.class.first.intersection(c.words).empty():
		follow = ahead{bytes: follow.bytes.intersection(c.words)}
	}
	return follow
}

// isPlain reports whether in can take a capture or a text and has neither.
func (in *instruction) isPlain() bool { return in.takes() && in.field == none && in.tail == "" }

// takes reports whether in is of the kind that can fill a capture and take a text.
func (in *instruction) takes() bool { return in.op == opQuick || in.op == opSpan || in.op == opEnds }

// withTail returns in with the text that follows it, if it can take one.
func (in instruction) withTail() instruction {
	if next := in.next; in.takes() && (next.op == opByte || next.op == opText) {
		in.tail, in.next = next.text, next.next
	}
	return in
}

// pastSaves returns the first instruction from in on that does more than note the position.
func (in *instruction) pastSaves() *instruction {
	for in.op == opSave || in.op == opUndo {
		in = in.next
	}
	return in
}

// matches reports whether reaching in is a match.
func (in *instruction) matches() bool { return in.pastSaves().op == opMatch }

// textHere returns the text that must stand where in is tried, "" when there is not just one.
func (in *instruction) textHere() string { return in.pastSaves().text }

// emitAlternatives emits a choice, or a choice of choices when there are too many for one.
func (c *compiler) emitAlternatives(nodes []*node, next point) point {
	c.optional++
	defer func() { c.optional-- }()
	points := make([]point, len(nodes))
	for i, n := range nodes {
		points[i] = c.emit(n, next)
	}
	for len(points) > maxTargets {
		last := len(points) - maxTargets
		points = append(points[:last], c.choose(slices.Clone(points[last:])))
	}
	return c.choose(points)
}

func (c *compiler) emitOption(n *node, lazy bool, next point) point {
	c.optional++
	body := c.emit(n, next)
	c.optional--
	return c.choose(order(body, next, lazy))
}

// emitLoop emits a choice between another round and going on. The body comes back to the choice, which therefore
// exists before it knows its targets; that it is a choice is known from the beginning, because what comes before it
// looks ahead.
func (c *compiler) emitLoop(n *node, next point) point {
	loop := c.add(instruction{op: opPair}, n.subs[0].before(ahead{}).union(next.ahead))
	c.optional++
	body := c.emit(n.subs[0], loop)
	c.optional--
	*loop.in = c.choice(order(body, next, n.lazy))
	if n.kind == nodePlus {
		return body
	}
	return loop
}

func order(body, next point, lazy bool) []point {
	if lazy {
		return []point{next, body}
	}
	return []point{body, next}
}

// choose emits a choice between points.
func (c *compiler) choose(points []point) point {
	before := ahead{}
	for _, p := range points {
		before = before.union(p.ahead)
	}
	return c.add(c.choice(points), before)
}

// choice builds the instruction of a choice and its look-ahead.
func (c *compiler) choice(points []point) instruction {
	in := instruction{op: opPair, row: none, field: none}
	table := new(choiceTable)
	for i, p := range points {
		bit := uint16(1) << i
		for c := range p.ahead.bytes.all() {
			table[c] |= bit
		}
		if p.ahead.end {
			in.end |= bit
		}
	}
	in.ways = c.workshop.choice(table)
	if len(points) == 2 {
		in.next, in.other = points[0].in, points[1].in
		return in
	}
	in.op, in.targets = opChoice, new([maxTargets]*instruction)
	for i, p := range points {
		in.targets[i] = p.in
	}
	return in
}

// looseSlots returns the slots that a match may leave as they were. An opSave is on the way to every match.
func looseSlots(all []point, slots int) []int {
	set := make([]bool, slots)
	for _, p := range all {
		if p.in.field != none && !p.in.undo {
			set[p.in.field], set[p.in.field+1] = true, true
		}
		if p.in.op == opSave {
			set[p.in.slot] = true
		}
	}
	var loose []int
	for slot := range slots {
		if !set[slot] {
			loose = append(loose, slot)
		}
	}
	return loose
}

// assignRows gives a row of the memo to every instruction that can be reached at the same position in several ways:
// those that several instructions lead to, and those that follow a bounded run which can stop in several places. An
// unbounded run remembers the places where it could stop instead.
func assignRows(all []point) (rows int) {
	newRow := func() int32 {
		rows++
		return int32(rows - 1) //nolint:gosec // bounded by maxProgram
	}
	ways := make(map[*instruction]int, len(all))
	for _, p := range all {
		p.in.eachNext(func(next *instruction) { ways[next]++ })
		switch run := p.in.run; {
		case run == nil:
		case run.max < 0:
			run.row = newRow()
		case p.in.op == opRun || p.in.op == opLazy:
			ways[p.in.next]++
		}
	}
	for _, p := range all {
		if ways[p.in] > 1 {
			p.in.row = newRow()
		}
	}
	return rows
}

// eachNext visits the instructions at which in can go on.
func (in *instruction) eachNext(visit func(*instruction)) {
	if in.next != nil {
		visit(in.next)
	}
	if in.other != nil {
		visit(in.other)
	}
	if in.targets != nil {
		for _, target := range in.targets {
			if target != nil {
				visit(target)
			}
		}
	}
}
