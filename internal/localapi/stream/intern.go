package stream

import "shieldwall/internal/domain"

// maxNames bounds the interner; the texts in question are few, but they come from outside.
const maxNames = 4096

// interner makes equal texts share their memory: a blocklist repeats scenario, origin, type and scope a
// million times.
type interner struct {
	known map[string]string
}

func (n *interner) intern(text string) string {
	if shared, ok := n.known[text]; ok {
		return shared
	}
	if n.known == nil || len(n.known) >= maxNames {
		n.known = map[string]string{}
	}
	n.known[text] = text
	return text
}

func (n *interner) internAll(d domain.Decision) domain.Decision {
	d.Origin = n.intern(d.Origin)
	d.Type = n.intern(d.Type)
	d.Scenario = n.intern(d.Scenario)
	d.Scope = domain.Scope(n.intern(string(d.Scope)))
	return d
}
