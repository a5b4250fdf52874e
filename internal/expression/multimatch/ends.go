package multimatch

import (
	"slices"
	"strings"
)

// Ends is a set of literals that a text may begin with, or end with, or be. It is read-only and safe for concurrent
// use.
type Ends struct {
	sorted   []string // in reading order, unless whole without those that begin with another one
	from     [257]int // where in sorted those begin that have this first byte
	backward bool     // texts are read from their end, and sorted is written so
	whole    bool     // texts end where the literal ends
	fold     bool
	empty    bool // the empty literal is there
}

// NewPrefixes returns a set of literals that a text may begin with; fold ignores the case of ASCII letters.
func NewPrefixes(literals []string, fold bool) *Ends {
	e := &Ends{fold: fold}
	e.fill(literals)
	return e
}

// NewSuffixes returns a set of literals that a text may end with; fold ignores the case of ASCII letters.
func NewSuffixes(literals []string, fold bool) *Ends {
	e := &Ends{fold: fold, backward: true}
	e.fill(literals)
	return e
}

// NewWhole returns a set of literals that a text may be; fold ignores the case of ASCII letters.
func NewWhole(literals []string, fold bool) *Ends {
	e := &Ends{fold: fold, whole: true}
	e.fill(literals)
	return e
}

func (e *Ends) fill(literals []string) {
	for _, literal := range literals {
		if literal == "" {
			e.empty = true
			continue
		}
		e.sorted = append(e.sorted, e.written(literal))
	}
	slices.Sort(e.sorted)
	if e.whole {
		e.sorted = slices.Compact(e.sorted)
	} else {
		e.sorted = withoutLonger(e.sorted)
	}
	for _, literal := range e.sorted {
		e.from[int(literal[0])+1]++
	}
	for b := range 256 {
		e.from[b+1] += e.from[b]
	}
}

// written returns a literal as texts are read.
func (e *Ends) written(literal string) string {
	if e.fold {
		literal = lowerASCII(literal)
	}
	if e.backward {
		literal = reversed(literal)
	}
	return literal
}

// withoutLonger returns the texts that do not begin with another one. What begins with a text follows it in order.
func withoutLonger(sorted []string) []string {
	kept := sorted[:0]
	for _, text := range sorted {
		if len(kept) == 0 || !strings.HasPrefix(text, kept[len(kept)-1]) {
			kept = append(kept, text)
		}
	}
	return kept
}

// Any reports whether text begins with, ends with, or is at least one literal.
func (e *Ends) Any(text string) bool {
	if text == "" || e.empty && !e.whole {
		return e.empty
	}
	first := e.byteAt(text, 0)
	low, high := e.from[first], e.from[int(first)+1]
	for low < high {
		middle := (low + high) / 2
		switch order := e.compare(e.sorted[middle], text); {
		case order == 0:
			return true
		case order < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return false
}

// compare returns 0 if literal is what text begins with, or is, in reading order; otherwise which of them sorts first.
// Where beginnings count no literal begins with another one, so those before the right one are less than text and those
// behind it are greater.
func (e *Ends) compare(literal, text string) int {
	for i := range len(literal) {
		if i == len(text) {
			return 1
		}
		if b := e.byteAt(text, i); b != literal[i] {
			return int(literal[i]) - int(b)
		}
	}
	if e.whole {
		return len(literal) - len(text)
	}
	return 0
}

func (e *Ends) byteAt(text string, i int) byte {
	if e.backward {
		i = len(text) - 1 - i
	}
	if e.fold {
		return lowerByte(text[i])
	}
	return text[i]
}

func reversed(text string) string {
	bytes := []byte(text)
	slices.Reverse(bytes)
	return string(bytes)
}
