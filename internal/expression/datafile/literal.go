package datafile

import (
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// requiredLiteral returns a text, in ASCII lower case, that lowerASCII of everything expr matches contains;
// "" when none is known. Skipping an expression whose literal is absent cannot change a result.
func requiredLiteral(expr string) string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return ""
	}
	return literalOf(tree)
}

func literalOf(tree *syntax.Regexp) string {
	switch tree.Op { //nolint:exhaustive // all other operators promise no text
	case syntax.OpLiteral:
		return longestRun(tree.Rune, tree.Flags&syntax.FoldCase != 0)
	case syntax.OpCapture, syntax.OpPlus:
		return literalOf(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return literalOf(tree.Sub[0])
		}
	case syntax.OpConcat:
		return longestLiteral(tree.Sub)
	}
	return ""
}

func longestLiteral(trees []*syntax.Regexp) string {
	longest := ""
	for _, tree := range trees {
		if found := literalOf(tree); len(found) > len(longest) {
			longest = found
		}
	}
	return longest
}

// longestRun returns the longest part of a literal whose bytes are certain in a match.
func longestRun(runes []rune, fold bool) string {
	longest, start := "", 0
	for i := 0; i <= len(runes); i++ {
		if i < len(runes) && isCertain(runes[i], fold) {
			continue
		}
		if run := string(runes[start:i]); len(run) > len(longest) {
			longest = run
		}
		start = i + 1
	}
	return lowerASCII(longest)
}

// isCertain reports whether matching r always consumes the same bytes but for ASCII case. U+FFFD does not:
// it matches any invalid byte. Folded letters do not when a relative is outside ASCII: k matches U+212A.
func isCertain(r rune, fold bool) bool {
	if r == utf8.RuneError || !utf8.ValidRune(r) {
		return false
	}
	if !fold {
		return true
	}
	if r >= utf8.RuneSelf {
		return false
	}
	for relative := unicode.SimpleFold(r); relative != r; relative = unicode.SimpleFold(relative) {
		if relative >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lowerASCII lowers A to Z byte by byte and leaves all else, invalid UTF-8 included, as it is.
func lowerASCII(text string) string {
	isUpper := func(b byte) bool { return 'A' <= b && b <= 'Z' }
	first := 0
	for first < len(text) && !isUpper(text[first]) {
		first++
	}
	if first == len(text) {
		return text
	}
	var lower strings.Builder
	lower.Grow(len(text))
	lower.WriteString(text[:first])
	for i := first; i < len(text); i++ {
		b := text[i]
		if isUpper(b) {
			b += 'a' - 'A'
		}
		lower.WriteByte(b)
	}
	return lower.String()
}
