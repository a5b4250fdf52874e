package expression

import "slices"

// IsFalseWithout reports whether the expression is false, cannot fail and changes nothing wherever certain members are
// empty texts: those that empty confirms, which is asked for names like evt.Meta.user. It may report false although
// that is so.
func (b *Bool) IsFalseWithout(empty func(member string) bool) bool {
	return slices.ContainsFunc(b.facts, func(c clause) bool {
		return !slices.ContainsFunc(c, func(f fact) bool { return !f.isFalseWithout(empty) })
	})
}

func (f *fact) isFalseWithout(empty func(member string) bool) bool {
	return f.lines == nil && f.literal != "" && f.about.member != nil && empty(f.about.name)
}
