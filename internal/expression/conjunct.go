package expression

// conjunct is one of the conditions of a && b && c.
type conjunct struct {
	holds func(env any, l *locals) bool // nil: only the machine can tell
	lets  []*declaration                // what it needs to be computed before
	safe  bool                          // it cannot go wrong and changes nothing
	facts facts
	exact bool // it holds exactly if its only clause does
}

// declaration computes a variable.
type declaration struct{ compute func(env any, l *locals) }

// conjuncts returns the conditions that a flag is made of, in their order.
func (f *form) conjuncts() []conjunct {
	if f.ahead.all != nil {
		return f.ahead.all
	}
	return []conjunct{{holds: f.asFlag(), safe: f.isSafeFlag(), facts: f.ahead.facts, exact: f.ahead.exact}}
}

// below returns conjuncts that need a variable to be computed.
func (d *declaration) below(conjuncts []conjunct) []conjunct {
	all := make([]conjunct, len(conjuncts))
	for i, c := range conjuncts {
		c.lets = append([]*declaration{d}, c.lets...)
		all[i] = c
	}
	return all
}

// isClause reports whether a conjunct holds exactly if a clause does.
func (c *conjunct) isClause(asked clause) bool {
	return c.exact && len(c.facts) == 1 && &c.facts[0][0] == &asked[0]
}

// together returns the flag of conjuncts that all have a function: true if all of them are.
func together(conjuncts []conjunct) func(env any, l *locals) bool {
	lets := declarations(conjuncts)
	switch {
	case len(lets) > 0:
		return allInOrder(lets, conjuncts)
	case len(conjuncts) == 1:
		return conjuncts[0].holds
	case len(conjuncts) == 2:
		a, b := conjuncts[0].holds, conjuncts[1].holds
		return func(env any, l *locals) bool { return a(env, l) && b(env, l) }
	}
	return allInOrder(nil, conjuncts)
}

func allInOrder(lets []*declaration, conjuncts []conjunct) func(env any, l *locals) bool {
	return func(env any, l *locals) bool {
		for _, let := range lets {
			let.compute(env, l)
		}
		for i := range conjuncts {
			if !conjuncts[i].holds(env, l) {
				return false
			}
		}
		return true
	}
}

// declarations returns what conjuncts need, outermost first and each once.
func declarations(conjuncts []conjunct) []*declaration {
	var all []*declaration
	known := map[*declaration]bool{}
	for i := range conjuncts {
		for _, let := range conjuncts[i].lets {
			if !known[let] {
				known[let] = true
				all = append(all, let)
			}
		}
	}
	return all
}
