package grok

import "slices"

// maxMemo bounds the memo, in bits: 32 MiB, which is a line of a mebibyte for the largest published patterns.
const maxMemo = 1 << 28

// memo remembers from where the search has gone on already. Having failed there once it would fail again, so every
// instruction is tried at most once at every position and a search takes time linear in the subject.
type memo struct {
	on     bool
	bits   []uint64
	stride int // bits of a row
}

// switchOn starts an empty memo. It reports false when that would be too large.
func (v *memo) switchOn(rows, length int) bool {
	v.stride = length + 1
	if rows > maxMemo/v.stride {
		return false
	}
	words := (rows*v.stride + 63) / 64
	v.bits = slices.Grow(v.bits[:0], words)[:words]
	clear(v.bits)
	v.on = true
	return true
}

// first notes that the search goes on from position in row, and reports whether it never did before.
func (v *memo) first(row int32, position int) bool {
	at := int(row)*v.stride + position
	bit := uint64(1) << (at & 63)
	if v.bits[at>>6]&bit != 0 {
		return false
	}
	v.bits[at>>6] |= bit
	return true
}

// stops is span, but without the places where the run has stopped before. Those further on have been tried with
// them; where there is a way back the run can still stop before them, otherwise it has failed already.
func (m *machine) stops(in *instruction, position int) (low, high int) {
	r := in.run
	if !m.memo.on || r.row == none {
		return m.span(in.class, r, position)
	}
	low = m.least(in, position)
	if low < 0 || !m.memo.first(r.row, low) {
		return 0, -1
	}
	for high = low; ; {
		width := in.class.width(m.subject[high:])
		if width == 0 {
			return low, high
		}
		m.steps++
		if !m.memo.first(r.row, high+width) {
			break
		}
		high += width
	}
	if in.op == opRun {
		return low, high
	}
	return 0, -1
}

// least returns where a run from position can stop at the earliest, -1 when it cannot.
func (m *machine) least(in *instruction, position int) int {
	for range in.run.min {
		width := in.class.width(m.subject[position:])
		if width == 0 {
			return -1
		}
		m.steps++
		position += width
	}
	return position
}

// firstStop returns the first place at which a shortest run from position can stop so that the text goes on, -1 when
// there is none, and the last place at which it can stop at all.
func (m *machine) firstStop(in *instruction, position int) (at, last int) {
	r := in.run
	if m.memo.on && r.row != none {
		low := m.least(in, position)
		if low < 0 || !m.memo.first(r.row, low) {
			return -1, 0
		}
		if last = len(m.subject); r.follows(m.subject, low) {
			return low, last
		}
		return m.nextStop(in, low, last), last
	}
	low, high := m.span(in.class, r, position)
	if high < low {
		return -1, 0
	}
	return m.stopFrom(r, low, high), high
}

// nextStop returns the next place after at, and not after last, at which a shortest run can stop so that the text
// goes on; -1 when there is none, or when the run has been there before.
func (m *machine) nextStop(in *instruction, at, last int) int {
	r := in.run
	if !m.memo.on || r.row == none {
		return m.stopFrom(r, at+width(m.subject[at:]), last)
	}
	for at < last {
		width := in.class.width(m.subject[at:])
		if width == 0 || !m.memo.first(r.row, at+width) {
			return -1
		}
		m.steps++
		if at += width; r.follows(m.subject, at) {
			return at
		}
	}
	return -1
}
