package grok

import (
	"fmt"
	"regexp/syntax"
	"sync"
)

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	fields   []string
	workshop *workshop
	tree     func() *syntax.Regexp
	plain    bool

	building sync.Once // the matcher is made when the first subject comes: most patterns of a hub never see one
	matcher  *matcher
}

// Compile expands and checks a pattern. The kind of the error is NotFound when a reference has no definition (the
// message names it), TooLarge when the expansion passes the bound, and Invalid for a reference cycle or a malformed
// regular expression.
func (l *Library) Compile(pattern string) (*Pattern, error) {
	f, err := parseFragment(pattern)
	if err != nil {
		return nil, fmt.Errorf("compiling %q: %w", pattern, err)
	}
	x, err := l.expandForUse(f)
	if err != nil {
		return nil, fmt.Errorf("compiling %q: %w", pattern, err)
	}
	slots := make(map[string]int, len(x.fields))
	for slot, field := range x.fields {
		slots[field] = slot
	}
	return &Pattern{
		fields:   x.fields,
		workshop: l.workshop,
		plain:    l.plain,
		tree:     func() *syntax.Regexp { return x.compose(syntax.Perl, slots) },
	}, nil
}

func (l *Library) expandForUse(f *fragment) (*expansion, error) {
	l.compiling.Lock()
	defer l.compiling.Unlock()
	return l.expander().expand(f)
}

// Fields returns the distinct field names, in the order in which the occurrences that count stand in the text.
// The slice belongs to the pattern: read only.
func (p *Pattern) Fields() []string {
	return p.fields
}

// Match reports whether the pattern occurs in subject and stores what its leftmost occurrence captured in
// values, one for each of Fields and "" where a field took no part. It panics when values is shorter, and
// leaves values alone when it returns false. A pattern without fields never matches: it could say nothing.
func (p *Pattern) Match(subject string, values []string) bool {
	if len(p.fields) == 0 {
		return false
	}
	p.building.Do(p.build)
	from, ok := p.matcher.prospect(subject)
	if !ok {
		return false
	}
	m := p.workshop.borrow()
	defer p.workshop.giveBack(m)
	if !p.matcher.find(m, subject, from) {
		return false
	}
	values = values[:len(p.fields)]
	for i := range values {
		values[i] = ""
		if start, end := m.captures[2*i], m.captures[2*i+1]; end >= 0 {
			values[i] = subject[start:end]
		}
	}
	return true
}

func (p *Pattern) build() {
	if p.plain {
		p.matcher = newPlainMatcher(p.tree, len(p.fields))
		return
	}
	p.matcher = newMatcher(p.tree, len(p.fields), p.workshop)
}
