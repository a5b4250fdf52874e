package parser

import (
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
)

// worthSearching is how many patterns it takes to search what they need together rather than one after the other.
const worthSearching = 3

// siblings are children of a node that do nothing unless their pattern matches, all of one text. What the patterns
// need is searched once for all of them.
type siblings struct {
	patterns *grok.Set
	text     *grokStep // of one of them: where the text is
	numbers  []int     // of the pattern, by child; alone for a child that is none of them
}

// alone is the number of a child that has to be run.
const alone = -1

// newSiblings returns nil when it is not worth it. The text that most patterns are about is chosen.
func newSiblings(children []*node) *siblings {
	var chosen *grokStep
	most := worthSearching - 1
	count := map[string]int{}
	for _, child := range children {
		if child.onlyMatches() {
			if count[child.grok.applyOn]++; count[child.grok.applyOn] > most {
				chosen, most = child.grok, count[child.grok.applyOn]
			}
		}
	}
	if chosen == nil {
		return nil
	}
	s := &siblings{text: chosen, numbers: make([]int, len(children))}
	var patterns []*grok.Pattern
	for i, child := range children {
		s.numbers[i] = alone
		if child.onlyMatches() && child.grok.applyOn == chosen.applyOn {
			s.numbers[i] = len(patterns)
			patterns = append(patterns, child.grok.pattern)
		}
	}
	s.patterns = grok.NewSet(patterns)
	return s
}

// onlyMatches reports whether the node does nothing unless its pattern matches a text that can be found without it.
func (n *node) onlyMatches() bool {
	return n.grok != nil && n.grok.applyOn != "" && n.filter == nil && n.whitelist == nil && len(n.children) == 0 &&
		!n.remembers.inFilter && !n.remembers.inside
}

// prospect is what is known about the siblings while they run.
type prospect struct {
	of         *siblings // nil: there are none
	candidates grok.Candidates
	current    bool // candidates are those of the text as it is

	disappointed bool // one of them was run for nothing: for a text that the first one matches, no others are searched
}

// rulesOut reports whether a child would do nothing.
func (p *prospect) rulesOut(child int, evt *event.Event) bool {
	if !p.disappointed || p.of.numbers[child] == alone {
		return false
	}
	if !p.current {
		text, found := p.of.text.find(evt)
		if !found {
			return false
		}
		p.candidates, p.current = p.of.patterns.Candidates(text), true
	}
	return !p.candidates.Has(p.of.numbers[child])
}

// ran notes that a child was run, and may have changed the text.
func (p *prospect) ran(child int, succeeded bool) {
	if p.of == nil {
		return
	}
	if succeeded || p.of.numbers[child] == alone {
		p.current = false
		return
	}
	p.disappointed = true
}
