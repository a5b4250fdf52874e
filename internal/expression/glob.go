package expression

import "unicode/utf8"

// matchGlob reports whether the whole of text matches pattern, in which "*" stands for any number of
// characters and "?" for one. When a part fails, only the last star is given one more character: earlier
// ones could not do better, so the time is bounded by the product of both lengths.
func matchGlob(pattern, text string) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, resume = p, t
			p++
			continue
		}
		if width, ok := matchOne(pattern[p:], text[t:]); ok {
			p++
			t += width
			continue
		}
		if star < 0 {
			return false
		}
		_, width := utf8.DecodeRuneInString(text[resume:])
		resume += width
		p, t = star+1, resume
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches the first byte of pattern and returns how much of text it takes.
func matchOne(pattern, text string) (int, bool) {
	if pattern == "" {
		return 0, false
	}
	if pattern[0] == '?' {
		_, width := utf8.DecodeRuneInString(text)
		return width, true
	}
	return 1, pattern[0] == text[0]
}
