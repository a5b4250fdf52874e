package grok

import "regexp/syntax"

// opcode says what an instruction does.
type opcode uint8

const (
	opFail opcode = iota // never succeeds
	opMatch
	opGiveUp // never in a program: see machine.watch
	opByte   // one byte: char
	opText   // text
	opOne    // one rune of class
	opQuick  // opSpan of min to max bytes of class, which has no other members
	opSpan   // the longest run there is, with no way back: a shorter one could not lead to a match
	opRun    // a run, longest first
	opLazy   // a run, shortest first
	opPair   // next or other, the first that leads to a match
	opChoice // the first of targets that leads to a match
	opEnds   // to next at the only place where the expression of automaton ends; to other where that is not certain
	opDetour // opEnds, without asking the automaton
	opSave   // position into captures[slot]
	opUndo   // opSave, taken back when the way that led through it fails
	opWord   // nothing, at a word boundary
	opAssert // nothing, where assert holds
)

// instruction is a step of a program. Those without targets of their own go on at next.
//
// opQuick, opSpan and opEnds also do what stands beside them in nearly every pattern: they fill the capture that consists
// of what they take (field, which they take back when the way fails if undo is set), and take the text behind it (tail).
type instruction struct {
	op      opcode
	char    byte
	assert  syntax.EmptyOp
	end     uint16 // see ways
	slot    int32
	field   int32 // the slot where the capture begins, none when there is no such capture
	undo    bool
	tail    string
	min     int32 // of opQuick
	max     int32
	row     int32 // row of the memo for instructions that several ways lead to, none for others
	next    *instruction
	other   *instruction
	class   *class
	ways    *choiceTable // which targets are worth trying before a byte; end is the same for the end of the subject
	run     *run
	ends    *automaton
	targets *[maxTargets]*instruction
	text    string
}

// none stands for the absence of a row.
const none = -1

// maxTargets is how many alternatives one choice can have.
const maxTargets = 16

// choiceTable says which targets are worth trying before a byte: bit i stands for the i-th. Of opPair, the first is
// next and the second is other.
type choiceTable [256]uint16

// run describes repetitions of a rune of one class.
type run struct {
	min, max int        // max < 0: no bound
	after    *byteTable // where to go on: the bytes that can follow
	end      bool       // whether the end of the subject can follow
	text     needle     // what must follow, empty when that is not one text
	row      int32      // row of the memo for the positions at which the run could stop, none when it is bounded
}

// follows reports whether the text can go on at position.
func (r *run) follows(s string, position int) bool {
	if position == len(s) {
		return r.end
	}
	return r.after[s[position]]
}

// program is a compiled expression. It is immutable.
type program struct {
	start *instruction
	size  int   // instructions
	rows  int   // of the memo
	loose []int // slots that a match may leave alone
}
