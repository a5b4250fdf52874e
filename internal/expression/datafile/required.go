package datafile

import "regexp/syntax"

// Required returns texts without capital letters of ASCII. Whatever expr matches contains at least one of them, once
// its own capital letters of ASCII are lowered. There are none when nothing is known.
func Required(expr string) []string {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	texts, _ := literalsOf(tree)
	required := make([]string, len(texts))
	for i, text := range texts {
		required[i] = lowerASCII(text)
	}
	return required
}
