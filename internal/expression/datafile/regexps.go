package datafile

import (
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/cache"
)

// Regexps is a list of regular expressions. It is safe for concurrent use.
type Regexps struct {
	patterns *patterns
	results  *cache.Cache[string, bool] // nil: not cached
}

func newRegexps(lines []line, results *cache.Cache[string, bool]) (*Regexps, error) {
	draft := &draft{}
	for _, line := range lines {
		if err := draft.add(line.text); err != nil {
			return nil, fault.Errorf(fault.Invalid, "line %d: %w", line.number, err)
		}
	}
	return &Regexps{patterns: draft.finish(), results: results}, nil
}

// Required returns texts without capital letters of ASCII. Whatever any of the expressions matches contains at least one
// of them, once its own capital letters of ASCII are lowered. known is false when nothing is known of some expression.
func (r *Regexps) Required() (texts []string, known bool) {
	if r.patterns.always != nil {
		return nil, false
	}
	texts = make([]string, len(r.patterns.texts))
	for i, text := range r.patterns.texts {
		texts[i] = lowerASCII(text)
	}
	return texts, true
}

// Match reports whether any of the expressions matches somewhere in text.
func (r *Regexps) Match(text string) bool {
	candidates := r.patterns.candidates(text)
	if candidates == nil {
		return false // the cache would take longer to say so
	}
	defer r.patterns.giveBack(candidates)
	if r.results == nil {
		return r.patterns.firstOf(*candidates, text) >= 0
	}
	if result, ok := r.results.Get(text); ok {
		return result
	}
	result := r.patterns.firstOf(*candidates, text) >= 0
	r.results.Put(strings.Clone(text), result)
	return result
}
