package grok

import (
	"sync"

	"shieldwall/internal/expression/multimatch"
)

// Set is what several patterns have in common when they are tried on one subject: the texts that they need are searched
// in one pass. It is safe for concurrent use.
type Set struct {
	patterns []*Pattern

	building sync.Once // as with a pattern, when the first subject comes
	texts    *multimatch.Set
	wanting  []Candidates // the patterns that need each text
	always   Candidates   // those that need none
}

// maxSet is how many patterns of a set are told apart.
const maxSet = 64

// Candidates are patterns of a set that may match. The zero value has none of the first 64.
type Candidates uint64

// Has reports whether the pattern at index i of the set may match. One from the 65th on always may.
func (c Candidates) Has(i int) bool { return i >= maxSet || c>>i&1 != 0 }

// NewSet returns the set of patterns, which it keeps.
func NewSet(patterns []*Pattern) *Set {
	return &Set{patterns: patterns[:min(len(patterns), maxSet)]}
}

// Candidates returns the patterns that may match subject. Match of all others would return false.
func (s *Set) Candidates(subject string) Candidates {
	s.building.Do(s.build)
	found := s.always
	s.texts.Each(subject, func(i int) bool {
		found |= s.wanting[i]
		return true
	})
	return found
}

func (s *Set) build() {
	var texts []string
	numbers := map[string]int{}
	for i, p := range s.patterns {
		text := p.neededText()
		if text == "" {
			s.always |= 1 << i
			continue
		}
		number, known := numbers[text]
		if !known {
			number = len(texts)
			numbers[text] = number
			texts, s.wanting = append(texts, text), append(s.wanting, 0)
		}
		s.wanting[number] |= 1 << i
	}
	s.texts = multimatch.New(texts, false)
}

// neededText returns a text without which the pattern does not match, "" when it knows of none.
func (p *Pattern) neededText() string {
	p.building.Do(p.build)
	return p.matcher.text()
}
