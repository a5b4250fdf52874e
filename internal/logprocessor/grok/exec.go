package grok

import (
	"math/bits"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// outcome is how a search ended.
type outcome uint8

const (
	failed  outcome = iota
	matched         // captures are set
	gaveUp          // a bound on memory was reached
)

// search looks for the leftmost match that begins at from, which is a candidate, or after it. When it gives up, no
// match begins before the place it returns.
func (m *machine) search(p *program, o *outlook, from int) (result outcome, at int) {
	for at = from; at >= 0; at = o.candidate(m.subject, at+width(m.subject[at:])) {
		if result = m.run(p, at); result != failed || at == len(m.subject) {
			break
		}
	}
	return result, at
}

// run looks for a match that begins at start. Ways are tried in the order of Go's regexp, and the first one that
// leads to a match wins.
//
// It is one long loop because that is where the time goes. A step that succeeds continues with the next one; a step
// that fails leaves the switch, and the last choice is taken back.
func (m *machine) run(p *program, start int) outcome {
	s := m.subject
	in, position := p.start, start
	m.stack = m.stack[:0]
	left := m.allowance()
	result := failed
loop:
	for {
		op, end := in.op, nowhere
		if left--; left < 0 {
			op, left = m.watch(p, in, position)
		}
		switch op {
		case opMatch:
			result = matched
			break loop
		case opByte:
			if position < len(s) && s[position] == in.char {
				position++
				in = in.next
				continue
			}
		case opText:
			if position < len(s) && s[position] == in.char && strings.HasPrefix(s[position:], in.text) {
				position += len(in.text)
				in = in.next
				continue
			}
		case opOne:
			if position < len(s) && s[position] < utf8.RuneSelf {
				if in.class.table[s[position]] {
					position++
					in = in.next
					continue
				}
			} else if width := in.class.width(s[position:]); width > 0 {
				position += width
				in = in.next
				continue
			}
		case opQuick:
			table, high, limit := &in.class.table, position, len(s)
			if in.max >= 0 && int(in.max) < limit-position {
				limit = position + int(in.max)
			}
			for high < limit && table[s[high]] {
				high++
			}
			m.steps += (high - position) >> 4
			if high >= position+int(in.min) {
				end = high
			}
		case opSpan:
			low, high := m.stops(in, position)
			if low <= high && in.run.follows(s, high) {
				end = high
			}
		case opEnds:
			only, at := in.ends.ends(s, position)
			m.steps += (at - position) >> 1
			if only == uncertain {
				in = in.other
				continue
			}
			end = only
		case opDetour:
			in = in.other
			continue
		case opRun:
			low, high := m.stops(in, position)
			if high < low {
				break
			}
			if low < high {
				m.stack = append(m.stack, frame{in: in, at: high, limit: low})
			}
			if in.run.follows(s, high) {
				position = high
				in = in.next
				continue
			}
		case opLazy:
			at, last := m.firstStop(in, position)
			if at < 0 {
				break
			}
			if at < last {
				m.stack = append(m.stack, frame{in: in, at: at, limit: last})
			}
			position = at
			in = in.next
			continue
		case opPair:
			open := in.end
			if position < len(s) {
				open = in.ways[s[position]]
			}
			switch open {
			case 1:
				in = in.next
				continue
			case 2:
				in = in.other
				continue
			case 3:
				m.stack = append(m.stack, frame{in: in, at: position})
				in = in.next
				continue
			}
		case opChoice:
			open := in.end
			if position < len(s) {
				open = in.ways[s[position]]
			}
			if open == 0 {
				break
			}
			if rest := open & (open - 1); rest != 0 {
				m.stack = append(m.stack, frame{in: in, at: position, limit: int(rest)})
			}
			in = in.targets[bits.TrailingZeros16(open)%maxTargets]
			continue
		case opUndo:
			m.stack = append(m.stack, frame{in: in, at: m.captures[in.slot]})
			m.captures[in.slot] = position
			in = in.next
			continue
		case opSave:
			m.captures[in.slot] = position
			in = in.next
			continue
		case opWord:
			if atBoundary(s, position) {
				in = in.next
				continue
			}
		case opAssert:
			if holds(in.assert, s, position) {
				in = in.next
				continue
			}
		case opGiveUp:
			result = gaveUp
			break loop
		default: // opFail
		}
		if end >= 0 && strings.HasPrefix(s[end:], in.tail) {
			if in.field >= 0 {
				m.fill(in, position, end)
			}
			position = end + len(in.tail)
			in = in.next
			continue
		}
		if in, position = m.back(); in == nil {
			break
		}
	}
	m.steps -= left
	return result
}

// fill notes what the capture of in consists of.
func (m *machine) fill(in *instruction, start, end int) {
	capture := m.captures[in.field : in.field+2]
	if in.undo {
		m.stack = append(m.stack, frame{in: in, at: capture[0], limit: capture[1]})
	}
	capture[0], capture[1] = start, end
}

// back takes back the last choice and returns where its next way begins, nil when there is none.
func (m *machine) back() (next *instruction, at int) {
	for len(m.stack) > 0 {
		m.steps++
		last := len(m.stack) - 1
		f := &m.stack[last]
		in, more := f.in, false
		switch next, at = in.next, f.at; in.op {
		case opUndo:
			m.captures[in.slot] = at
			m.stack = m.stack[:last]
			continue
		case opQuick, opSpan, opEnds:
			m.captures[in.field], m.captures[in.field+1] = at, f.limit
			m.stack = m.stack[:last]
			continue
		case opPair:
			next = in.other
		case opChoice:
			open := uint16(f.limit) //nolint:gosec // it was one
			next = in.targets[bits.TrailingZeros16(open)%maxTargets]
			f.limit = int(open & (open - 1))
			more = f.limit != 0
		case opRun:
			at = m.stopBelow(in.run, f.limit, at)
			more = at > f.limit
		default: // opLazy
			at = m.nextStop(in, at, f.limit)
			more = at >= 0 && at < f.limit
		}
		if f.at = at; !more {
			m.stack = m.stack[:last]
		}
		if at >= 0 {
			return next, at
		}
	}
	return nil, 0
}

// atBoundary reports whether exactly one of the bytes around position is of a word.
func atBoundary(s string, position int) bool {
	before := position > 0 && isWord(s[position-1])
	after := position < len(s) && isWord(s[position])
	return before != after
}

// holds reports whether one of the rarer assertions is true.
func holds(assert syntax.EmptyOp, s string, position int) bool {
	switch assert {
	case syntax.EmptyBeginText:
		return position == 0
	case syntax.EmptyEndText:
		return position == len(s)
	case syntax.EmptyBeginLine:
		return position == 0 || s[position-1] == '\n'
	case syntax.EmptyEndLine:
		return position == len(s) || s[position] == '\n'
	default: // syntax.EmptyNoWordBoundary
		return !atBoundary(s, position)
	}
}
