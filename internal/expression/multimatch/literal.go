package multimatch

import "strings"

// literal is a text to search for.
type literal struct {
	text   string // in lower case when case is ignored
	number int    // by which the caller knows it
}

func newLiteral(number int, text string, fold bool) literal {
	if fold {
		text = lowerASCII(text)
	}
	return literal{text: text, number: number}
}

// lowerASCII lowers A to Z and leaves all else, invalid UTF-8 included, as it is.
func lowerASCII(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return 'A' <= r && r <= 'Z' }) < 0 {
		return text
	}
	lower := []byte(text)
	for i, b := range lower {
		lower[i] = lowerByte(b)
	}
	return string(lower)
}

func lowerByte(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}

// startsFolded reports whether text starts with lower, which is in lower case, whatever the case of text.
func startsFolded(text, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		if lowerByte(text[i]) != lower[i] {
			return false
		}
	}
	return true
}
