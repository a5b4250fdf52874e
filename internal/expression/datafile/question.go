package datafile

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"shieldwall/internal/expression/multimatch"
)

// ErrNotLoaded is what a question about a file that is not loaded comes to.
var ErrNotLoaded = errors.New("data file is not loaded")

// Relation is what a text may be to a line, as the operators of expressions define it.
type Relation uint8

// The relations.
const (
	Contains Relation = iota
	StartsWith
	EndsWith
	Equals
	Matches // the line is a regular expression
	Within  // the line is a range of addresses, as Question.Ranges reads it
)

// Case says how the letters of a text are written before it is compared.
type Case uint8

// The cases.
const (
	AsWritten Case = iota
	Lower          // as strings.ToLower writes it
	Upper          // as strings.ToUpper writes it
)

// Question asks of a text whether it relates to at least one line of a file.
type Question struct {
	File     string // of type string
	Relation Relation
	Text     Case
	Line     func(line string) string // what of a line to compare with, asked once; nil: all of it
	Filled   bool                     // empty lines relate to nothing

	// Ranges returns what reports whether an address is in one of the ranges that lines are.
	Ranges func(lines []string) func(address string) bool
}

// Lines returns what texts are compared with, of the lines of the file.
func (q *Question) Lines(lines []string) []string {
	if q.Filled {
		lines = slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return line == "" })
	}
	if q.Line == nil {
		return lines
	}
	derived := make([]string, len(lines))
	for i, line := range lines {
		derived[i] = q.Line(line)
	}
	return derived
}

// Matcher answers one question for many texts. It is safe for concurrent use.
type Matcher struct {
	set      *Set
	question Question
	prepared atomic.Pointer[answer]
}

// answer is a question with its file. A file, once loaded, stays as it is.
type answer struct {
	relates func(text string) bool
	err     error // when no line that could be read relates
}

// Matcher returns a matcher of question. Its file may be loaded later.
func (s *Set) Matcher(question Question) *Matcher { return &Matcher{set: s, question: question} }

// Match reports whether a line relates to text. The error is ErrNotLoaded or, when the lines are regular expressions,
// that of the first line that is none, if no line before it matches.
func (m *Matcher) Match(text string) (bool, error) {
	prepared := m.prepared.Load()
	if prepared == nil {
		lines, ok := m.set.Strings(m.question.File)
		if !ok {
			return false, ErrNotLoaded
		}
		prepared = m.question.prepare(lines)
		m.prepared.Store(prepared)
	}
	if prepared.relates(text) {
		return true, nil
	}
	return false, prepared.err
}

func (q *Question) prepare(lines []string) *answer {
	lines = q.Lines(lines)
	switch q.Relation { //nolint:exhaustive // the others compare texts
	case Within:
		return &answer{relates: q.Ranges(lines)}
	case Matches:
		regexps := &draft{}
		var err error
		for i := 0; i < len(lines) && err == nil; i++ {
			err = regexps.add(lines[i])
		}
		list := regexps.finish()
		return &answer{relates: q.written(func(text string) bool { return list.first(text) >= 0 }), err: err}
	}
	if q.Text == AsWritten {
		return &answer{relates: literally(q.Relation, lines, false)}
	}
	// Where case is changed there are letters of one case only. Lines with others relate to nothing, and the rest do to
	// exactly those texts of ASCII that they relate to when case is ignored.
	lines = slices.DeleteFunc(slices.Clone(lines), q.isForeign)
	relates := literally(q.Relation, lines, true)
	written := q.written(relates)
	return &answer{relates: func(text string) bool {
		if isASCII(text) {
			return relates(text)
		}
		return written(text)
	}}
}

// isForeign reports whether a line has a letter of ASCII that no text has once its case is changed.
func (q *Question) isForeign(line string) bool {
	first, last := byte('A'), byte('Z')
	if q.Text == Upper {
		first, last = 'a', 'z'
	}
	for i := range len(line) {
		if first <= line[i] && line[i] <= last {
			return true
		}
	}
	return false
}

// written puts the question's change of case before relates.
func (q *Question) written(relates func(text string) bool) func(text string) bool {
	switch q.Text {
	case AsWritten:
	case Lower:
		return func(text string) bool { return relates(strings.ToLower(text)) }
	case Upper:
		return func(text string) bool { return relates(strings.ToUpper(text)) }
	}
	return relates
}

// literally returns the function that reports whether a text relates to any of the lines; fold ignores the case of
// ASCII letters.
func literally(relation Relation, lines []string, fold bool) func(text string) bool {
	switch relation {
	case Contains:
		return multimatch.New(lines, fold).Any
	case StartsWith:
		return multimatch.NewPrefixes(lines, fold).Any
	case EndsWith:
		return multimatch.NewSuffixes(lines, fold).Any
	case Equals:
		return multimatch.NewWhole(lines, fold).Any
	case Matches, Within:
	}
	return func(string) bool { return false }
}

func isASCII(text string) bool {
	for ; len(text) >= 8; text = text[8:] {
		if (text[0]|text[1]|text[2]|text[3]|text[4]|text[5]|text[6]|text[7])&utf8.RuneSelf != 0 {
			return false
		}
	}
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
