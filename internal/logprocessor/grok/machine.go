package grok

import (
	"strings"
	"unicode/utf8"
)

// machine is the state of one search. It is used again for the next one, so that searching allocates nothing.
type machine struct {
	subject  string
	captures []int // start and end of each capture, -1 where there is none
	stack    []frame
	memo     memo
	lists    threadLists

	// steps counts what the search has cost so far: instructions, and bytes by the sixteen. Past the budget the
	// memo is switched on.
	steps  int
	budget int

	text    extent // which is UTF-8
	line    extent
	checked bool // whether all of subject is
}

// frame is a way that has not been tried yet: the other targets of a choice, or the other ends of a run. That of an
// opUndo is a capture that has to be taken back.
type frame struct {
	in    *instruction
	at    int // choice: the position; run: the end tried last; capture: the old value
	limit int // choice: the targets left; run: the last end to try
}

// extent is a stretch of the subject whose end is known, wherever in it the question is asked. It is empty when
// from is beyond to.
type extent struct{ from, to int }

func (e extent) knows(position int) bool { return e.from <= position && position <= e.to }

// start prepares for a search in subject.
func (m *machine) start(subject string, slots int) {
	m.subject = subject
	m.text, m.line, m.checked = extent{from: 1}, extent{from: 1}, false
	m.steps = 0
	m.budget = firstSteps + stepsPerByte*len(subject)
	m.memo.on = false
	m.stack = m.stack[:0]
	if cap(m.captures) < slots {
		m.captures = make([]int, slots)
	}
	m.captures = m.captures[:slots]
}

const (
	// A match of a published pattern takes about a step per byte. What takes much more is going in circles.
	firstSteps   = 1024
	stepsPerByte = 16
	stepsAtOnce  = 256
	// maxFrames bounds the ways that are left to be tried.
	maxFrames = 1 << 18
	// keptFrames and keptWords are what a machine at rest may hold on to.
	keptFrames = 1 << 12
	keptWords  = 1 << 14
)

// forget lets go of the subject and of unusually much memory.
func (m *machine) forget() {
	m.subject = ""
	if cap(m.stack) > keptFrames {
		m.stack = nil
	}
	if cap(m.memo.bits) > keptWords {
		m.memo.bits = nil
	}
	m.lists.forget()
}

// allowance is how many instructions may run before watch is asked again. They are paid for in advance.
func (m *machine) allowance() int {
	if m.steps > m.budget {
		return 0
	}
	m.steps += stepsAtOnce
	return stepsAtOnce
}

// watch is asked when the allowance is used up. Past the budget it switches the memo on and allows nothing any more:
// so it is asked before every single instruction, and says what to do instead of one that has been tried at position
// before. It also looks after the stack, to which an instruction adds one frame at most.
func (m *machine) watch(p *program, in *instruction, position int) (op opcode, left int) {
	m.steps++
	if len(m.stack) > maxFrames {
		return opGiveUp, 0
	}
	if m.steps <= m.budget {
		return in.op, m.allowance()
	}
	switch {
	case !m.memo.on && !m.memo.switchOn(p.rows, len(m.subject)):
		return opGiveUp, 0
	case in.row != none && !m.memo.first(in.row, position):
		return opFail, 0
	case in.op == opQuick:
		return opSpan, 0
	case in.op == opEnds:
		return opDetour, 0 // the automaton remembers no places
	default:
		return in.op, 0
	}
}

// textEnd returns the end of the UTF-8 text in which position is.
func (m *machine) textEnd(position int) int {
	if !m.text.knows(position) {
		m.text = m.textAround(position)
	}
	return m.text.to
}

func (m *machine) textAround(position int) extent {
	if !m.checked {
		m.checked = true
		if utf8.ValidString(m.subject) {
			return extent{0, len(m.subject)}
		}
	}
	end := position
	for end < len(m.subject) {
		r, width := utf8.DecodeRuneInString(m.subject[end:])
		if r == utf8.RuneError && width == 1 {
			break
		}
		end += width
	}
	m.steps += end - position
	return extent{position, end}
}

// lineEnd returns the end of the line in which position is, or of the text if that comes first.
func (m *machine) lineEnd(position int) int {
	if !m.line.knows(position) {
		m.line = extent{position, m.find('\n', position, m.textEnd(position))}
	}
	return m.line.to
}

// find returns the position of c, or limit.
func (m *machine) find(c byte, from, limit int) int {
	if i := strings.IndexByte(m.subject[from:limit], c); i >= 0 {
		limit = from + i
	}
	m.steps += (limit - from) >> 4
	return limit
}

// span returns the places at which a run of c from position can stop: from low to high, none when high is less.
func (m *machine) span(c *class, r *run, position int) (low, high int) {
	if c.scan == scanASCII {
		return m.spanASCII(c, r, position)
	}
	if r.max >= 0 || r.min > 1 {
		return m.spanCounted(c, r, position)
	}
	switch high = position; c.scan {
	case scanBytes:
		table, s := &c.table, m.subject[:m.textEnd(position)]
		for high < len(s) && table[s[high]] {
			high++
		}
		m.steps += (high - position) >> 4
	case scanTo:
		high = m.find(c.stop, position, m.textEnd(position))
	case scanLine:
		high = m.lineEnd(position)
	case scanAll:
		high = m.textEnd(position)
	default:
		return m.spanCounted(c, r, position)
	}
	switch {
	case r.min == 0:
		return position, high
	case high == position:
		return position + 1, high
	}
	return position + width(m.subject[position:]), high
}

func (m *machine) spanASCII(c *class, r *run, position int) (low, high int) {
	table, s := &c.table, m.subject
	if r.max >= 0 && r.max < len(s)-position {
		s = s[:position+r.max]
	}
	high = position
	for high < len(s) && table[s[high]] {
		high++
	}
	m.steps += (high - position) >> 4
	return position + r.min, high
}

// spanCounted goes rune by rune.
func (m *machine) spanCounted(c *class, r *run, position int) (low, high int) {
	low, high = len(m.subject)+1, position
	for count := 0; ; count++ {
		if count == r.min {
			low = high
		}
		if count == r.max {
			break
		}
		width := c.width(m.subject[high:])
		if width == 0 {
			break
		}
		high += width
	}
	m.steps += high - position
	return low, high
}

// stopBelow returns the last place before high, and not before low, at which a run can stop so that the text goes
// on; -1 when there is none.
func (m *machine) stopBelow(r *run, low, high int) int {
	s, after := m.subject, r.after
	at := high - 1
	for ; at >= low; at-- {
		if c := s[at]; after[c] && !continues(c) {
			break
		}
	}
	m.steps += (high - at) >> 4
	if at < low {
		return -1
	}
	return at
}

// stopFrom returns the first place from low to high at which a run can stop so that the text goes on; -1 when there
// is none.
func (m *machine) stopFrom(r *run, low, high int) int {
	s := m.subject
	if r.text.text != "" {
		i := r.text.find(s[low:min(high+len(r.text.text), len(s))])
		if i < 0 {
			m.steps += (high - low) >> 4
			return -1
		}
		m.steps += i >> 4
		return low + i
	}
	at := low
	for at < high && (!r.after[s[at]] || continues(s[at])) {
		at++
	}
	m.steps += (at - low) >> 4
	if at == high && !r.follows(s, at) {
		return -1
	}
	return at
}

// width returns the bytes of the rune, or of the byte that is not UTF-8, at the start of s.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// continues reports whether c, in a text, is inside a rune.
func continues(c byte) bool { return c&0xC0 == 0x80 }
