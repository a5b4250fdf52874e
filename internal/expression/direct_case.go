package expression

import (
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/multimatch"
)

// inAnyCase tests the text behind one in lower or upper case, without writing it that way: where all is ASCII, such a
// text is or has one of some literals of that case exactly if the one behind does in any case. nil when that is not so.
func inAnyCase(operator string, cased *subject, literals ...string) func(text string) bool {
	if cased.cased() == nil {
		return nil
	}
	for _, literal := range literals {
		if literal == "" || !isASCII(literal) || !isIn(cased.in, literal) {
			return nil
		}
	}
	switch operator {
	case "==":
		return multimatch.NewWhole(literals, true).Any
	case "startsWith":
		return multimatch.NewPrefixes(literals, true).Any
	case "endsWith":
		return multimatch.NewSuffixes(literals, true).Any
	}
	return multimatch.New(literals, true).Any
}

// isIn reports whether a text has no letters of ASCII in the other case.
func isIn(wanted datafile.Case, text string) bool {
	first, last := byte('A'), byte('Z')
	if wanted == datafile.Upper {
		first, last = 'a', 'z'
	}
	for i := range len(text) {
		if first <= text[i] && text[i] <= last {
			return false
		}
	}
	return true
}

// testedInCase is a test of a text in lower or upper case, nil when it has to be written that way anyway.
func testedInCase(operator string, left form, written func(any, *locals) bool, literals ...string) func(any, *locals) bool {
	test := inAnyCase(operator, left.subject, literals...)
	if test == nil || left.isLocal {
		return nil
	}
	behind := left.subject.of
	return func(env any, l *locals) bool {
		if text := behind.text(env, l); isASCII(text) {
			return test(text)
		}
		return written(env, l)
	}
}
