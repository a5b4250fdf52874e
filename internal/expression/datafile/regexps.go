package datafile

import (
	"regexp"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression/cache"
)

// Regexps is a list of regular expressions. It is safe for concurrent use.
type Regexps struct {
	patterns []pattern
	results  *cache.Cache[string, bool] // nil: not cached
}

type pattern struct {
	literal string // in lower case; every match contains it in some case; "" when unknown
	re      *regexp.Regexp
}

func newPattern(expr string) (pattern, error) {
	re, err := regexp.Compile(expr)
	return pattern{literal: requiredLiteral(expr), re: re}, err
}

// match wants text and lowerASCII of it, which callers with many patterns compute once.
func (p *pattern) match(text, lower string) bool {
	return strings.Contains(lower, p.literal) && p.re.MatchString(text)
}

func newRegexps(lines []line, results *cache.Cache[string, bool]) (*Regexps, error) {
	list := &Regexps{patterns: make([]pattern, 0, len(lines)), results: results}
	for _, line := range lines {
		p, err := newPattern(line.text)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "line %d: %w", line.number, err)
		}
		list.patterns = append(list.patterns, p)
	}
	return list, nil
}

// Match reports whether any of the expressions matches somewhere in text.
func (r *Regexps) Match(text string) bool {
	if r.results == nil {
		return r.search(text)
	}
	if result, ok := r.results.Get(text); ok {
		return result
	}
	result := r.search(text)
	r.results.Put(strings.Clone(text), result)
	return result
}

func (r *Regexps) search(text string) bool {
	lower := lowerASCII(text)
	for i := range r.patterns {
		if r.patterns[i].match(text, lower) {
			return true
		}
	}
	return false
}
