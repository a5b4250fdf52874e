package datafile

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// spelling says what is known of the letters in a match.
type spelling uint8

const (
	exactly spelling = iota
	folded           // what is known is in lower case, and true of the match with A to Z lowered
)

// literals are texts of which every match of an expression contains at least one. There is none where nothing is known.
type literals struct {
	texts []string
	whole bool // every match is one of them
}

const (
	most = 16 // literals of an expression: each costs a little for every text
	few  = 4  // members of a class that are literals
)

// literalsOf returns what is known of the matches of tree, and in which spelling: the one that knows more.
func literalsOf(tree *syntax.Regexp) ([]string, spelling) {
	precise := exactly.of(tree)
	if ignoresCase(tree) {
		if loose := folded.of(tree); loose.shortest() > precise.shortest() {
			return loose.texts, folded
		}
	}
	if precise.shortest() == 0 {
		return nil, exactly
	}
	return precise.texts, exactly
}

// ignoresCase reports whether some literal of tree does.
func ignoresCase(tree *syntax.Regexp) bool {
	return tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase != 0 || slices.ContainsFunc(tree.Sub, ignoresCase)
}

func (s spelling) of(tree *syntax.Regexp) literals {
	switch tree.Op { //nolint:exhaustive // all other operators promise no text
	case syntax.OpLiteral:
		return s.ofRunes(tree.Rune, tree.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		return s.ofClass(tree.Rune)
	case syntax.OpCapture:
		return s.of(tree.Sub[0])
	case syntax.OpPlus:
		return literals{texts: s.of(tree.Sub[0]).texts}
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return literals{texts: s.of(tree.Sub[0]).texts}
		}
	case syntax.OpQuest:
		return union([]literals{s.of(tree.Sub[0]), nothing()})
	case syntax.OpAlternate:
		return union(s.each(tree.Sub))
	case syntax.OpConcat:
		return join(s.each(tree.Sub))
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return nothing()
	}
	return literals{}
}

func (s spelling) each(trees []*syntax.Regexp) []literals {
	list := make([]literals, len(trees))
	for i, tree := range trees {
		list[i] = s.of(tree)
	}
	return list
}

// ofRunes returns the text that runes match, or the longest part of it that is certain.
func (s spelling) ofRunes(runes []rune, fold bool) literals {
	parts := []literals{}
	for len(runes) > 0 {
		n := 0
		for n < len(runes) && s.isCertain(runes[n], fold) {
			n++
		}
		parts = append(parts, literals{texts: []string{s.write(runes[:n])}, whole: true})
		if n < len(runes) {
			parts = append(parts, literals{})
			n++
		}
		runes = runes[n:]
	}
	return join(parts)
}

// ofClass returns the runes of a class, if they are few.
func (s spelling) ofClass(ranges []rune) literals {
	found := literals{whole: true}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(found.texts) == few || !s.isCertain(r, false) {
				return literals{}
			}
			found.add(s.write([]rune{r}))
		}
	}
	return found
}

// isCertain reports whether matching r always consumes the same bytes, but for ASCII case where the spelling is folded.
// U+FFFD does not: it matches any invalid byte. Folded letters do not when a relative is outside ASCII: k matches
// U+212A.
func (s spelling) isCertain(r rune, fold bool) bool {
	if r == utf8.RuneError || !utf8.ValidRune(r) {
		return false
	}
	if !fold {
		return true
	}
	for relative := unicode.SimpleFold(r); relative != r; relative = unicode.SimpleFold(relative) {
		if s == exactly || r >= utf8.RuneSelf || relative >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (s spelling) write(runes []rune) string {
	if s == folded {
		return lowerASCII(string(runes))
	}
	return string(runes)
}

// nothing is what is known of matches of nothing.
func nothing() literals { return literals{texts: []string{""}, whole: true} }

// union returns what is known of matches of any of several expressions.
func union(list []literals) literals {
	all := literals{whole: true}
	for _, one := range list {
		if len(one.texts) == 0 || len(all.texts)+len(one.texts) > most {
			return literals{}
		}
		all.add(one.texts...)
		all.whole = all.whole && one.whole
	}
	return all
}

// join returns what is known of matches of several expressions one after the other: of runs of whole ones, and of
// those that are not, the best.
func join(list []literals) literals {
	best, run := literals{}, nothing()
	broken := false
	for _, next := range list {
		if product := run.times(next); len(product.texts) > 0 {
			run = product
			continue
		}
		best, run, broken = best.orBetter(run).orBetter(next), nothing(), true
		if next.whole {
			run = next
		}
	}
	if !broken {
		return run
	}
	best = best.orBetter(run)
	best.whole = false
	return best
}

// times returns each text of l with each of next behind it; nothing when they are not whole or too many.
func (l literals) times(next literals) literals {
	product := literals{whole: true}
	if !l.whole || !next.whole || len(l.texts)*len(next.texts) > most {
		return literals{}
	}
	for _, text := range l.texts {
		for _, behind := range next.texts {
			product.add(text + behind)
		}
	}
	return product
}

func (l *literals) add(texts ...string) {
	for _, text := range texts {
		if !slices.Contains(l.texts, text) {
			l.texts = append(l.texts, text)
		}
	}
}

// orBetter returns l or other: the one whose texts are all long, and of equal ones the one with fewer.
func (l literals) orBetter(other literals) literals {
	mine, others := l.shortest(), other.shortest()
	if others > mine || others == mine && len(other.texts) < len(l.texts) {
		return other
	}
	return l
}

// shortest returns the length of the shortest text, 0 when there is none.
func (l literals) shortest() int {
	if len(l.texts) == 0 {
		return 0
	}
	shortest := len(l.texts[0])
	for _, text := range l.texts {
		shortest = min(shortest, len(text))
	}
	return shortest
}

// lowerASCII lowers A to Z byte by byte and leaves all else, invalid UTF-8 included, as it is.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, b := range lower {
		if 'A' <= b && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	return string(lower)
}
