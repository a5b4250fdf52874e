package grok

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// simulation runs all ways through an expression side by side, as Pike's machine does: slower than trying one after
// the other, but in time linear in the subject and in memory that does not depend on it. It takes what the machine
// cannot bound. It works on the program of package syntax, which is by definition what Go's regexp means.
type simulation struct {
	program *syntax.Prog
	slots   int
}

func newSimulation(tree *syntax.Regexp, slots int) *simulation {
	program, _ := syntax.Compile(tree.Simplify()) // its error is always nil
	return &simulation{program: program, slots: slots}
}

// threadLists are the ways at the current position and at the next one.
type threadLists struct {
	now, next threads
	captures  []int // of the way at hand
}

// keptThreads is how many ways lists at rest may have room for.
const keptThreads = 1 << 12

func (t *threadLists) forget() {
	if cap(t.now.order) > keptThreads {
		*t = threadLists{}
	}
}

// threads are ways that wait at instructions, in the order of their priority, no two at the same one.
type threads struct {
	order    []uint32
	index    []uint32 // of an instruction in order, if order agrees
	captures []int    // of all, one after the other
	slots    int
}

func (t *threads) reset(instructions, slots int) {
	if len(t.index) < instructions {
		t.order, t.index = make([]uint32, 0, instructions), make([]uint32, instructions)
	}
	if len(t.captures) < instructions*slots {
		t.captures = make([]int, instructions*slots)
	}
	t.order, t.slots = t.order[:0], slots
}

// add reports false when somebody waits at pc already.
func (t *threads) add(pc uint32) bool {
	if i := t.index[pc]; int(i) < len(t.order) && t.order[i] == pc {
		return false
	}
	t.index[pc] = uint32(len(t.order)) //nolint:gosec // bounded by the program
	t.order = append(t.order, pc)
	return true
}

// of returns the captures of the way at place i of the order.
func (t *threads) of(i int) []int { return t.captures[i*t.slots : (i+1)*t.slots] }

// step is a rune of the subject and where it ends.
type step struct {
	r     rune // -1 at the end of the subject
	valid bool
	end   int
}

func stepAt(s string, position int) step {
	if position == len(s) {
		return step{r: -1, end: position + 1}
	}
	r, width := utf8.DecodeRuneInString(s[position:])
	return step{r: r, valid: r != utf8.RuneError || width > 1, end: position + width}
}

// search looks for the leftmost match that begins at from or after it, and leaves its captures in m.
func (p *simulation) search(m *machine, from int) bool {
	t := &m.lists
	t.now.reset(len(p.program.Inst), p.slots)
	t.next.reset(len(p.program.Inst), p.slots)
	t.captures = slices.Grow(t.captures[:0], p.slots)[:p.slots]
	before, _ := utf8.DecodeLastRuneInString(m.subject[:from])
	if from == 0 {
		before = -1
	}
	found := false
	for position, here := from, stepAt(m.subject, from); position <= len(m.subject); {
		if !found {
			for i := range t.captures {
				t.captures[i] = -1
			}
			p.follow(m, &t.now, uint32(p.program.Start), position, syntax.EmptyOpContext(before, here.r)) //nolint:gosec // an index
		}
		if found && len(t.now.order) == 0 {
			break
		}
		var after step
		if here.r >= 0 {
			after = stepAt(m.subject, here.end)
		}
		found = p.advance(m, here, after.r) || found
		t.now, t.next = t.next, t.now
		t.next.order = t.next.order[:0]
		before, position, here = here.r, here.end, after
	}
	return found
}

// advance takes all ways over one rune, up to the first that has matched: those after it have lost.
func (p *simulation) advance(m *machine, here step, after rune) (found bool) {
	t := &m.lists
	context := syntax.EmptyOpContext(here.r, after)
	for i, pc := range t.now.order {
		m.steps++
		in := &p.program.Inst[pc]
		switch in.Op {
		case syntax.InstMatch:
			copy(m.captures, t.now.of(i))
			return true
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			if here.valid && in.MatchRune(here.r) {
				copy(t.captures, t.now.of(i))
				p.follow(m, &t.next, in.Out, here.end, context)
			}
		default: // follow has gone through all others
		}
	}
	return false
}

// follow adds the ways that lead on from pc without taking a rune.
func (p *simulation) follow(m *machine, to *threads, pc uint32, position int, context syntax.EmptyOp) {
	captures := m.lists.captures
	for to.add(pc) {
		m.steps++
		in := &p.program.Inst[pc]
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			p.follow(m, to, in.Out, position, context)
			pc = in.Arg
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^context != 0 { //nolint:gosec // a set of flags
				return
			}
			pc = in.Out
		case syntax.InstCapture:
			if int(in.Arg) >= len(captures) {
				pc = in.Out
				continue
			}
			old := captures[in.Arg]
			captures[in.Arg] = position
			p.follow(m, to, in.Out, position, context)
			captures[in.Arg] = old
			return
		case syntax.InstNop:
			pc = in.Out
		case syntax.InstFail:
			return
		default:
			copy(to.of(len(to.order)-1), captures)
			return
		}
	}
}
