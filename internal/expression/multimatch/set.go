package multimatch

// Set is a set of literals to search for. It is read-only and safe for concurrent use.
type Set struct {
	empty   []int // literals that occur everywhere
	indexes []*index
}

// New returns a set of literals; fold ignores the case of ASCII letters. An empty literal occurs in every text.
func New(literals []string, fold bool) *Set {
	set := &Set{}
	var short, long []literal
	handy := handiest(len(literals))
	for i, text := range literals {
		switch {
		case text == "":
			set.empty = append(set.empty, i)
		case len(text) < handy:
			short = append(short, newLiteral(i, text, fold))
		default:
			long = append(long, newLiteral(i, text, fold))
		}
	}
	// Short literals would force short windows on all, and most texts contain some of those when there are many.
	for _, group := range [][]literal{short, long} {
		if len(group) > 0 {
			set.indexes = append(set.indexes, newIndex(group, fold))
		}
	}
	return set
}

// handiest returns the length of literals that are searched apart from shorter ones: windows of two bytes are rare only
// as long as there are few.
func handiest(count int) int {
	if count <= few {
		return 2
	}
	return 3
}

// Each calls found with the index of every literal that occurs in text, once for each place where it does and in no
// certain order, until found returns false.
func (s *Set) Each(text string, found func(i int) bool) {
	s.EachPlace(text, func(i, _ int) bool { return found(i) })
}

// EachPlace calls found with the index of every literal that occurs in text and the place, in bytes, where it begins,
// once for each and in no certain order, until found returns false. An empty literal is found at 0 only.
func (s *Set) EachPlace(text string, found func(i, at int) bool) {
	for _, i := range s.empty {
		if !found(i, 0) {
			return
		}
	}
	for _, index := range s.indexes {
		if !index.each(text, found) {
			return
		}
	}
}

// Any reports whether at least one literal occurs in text.
func (s *Set) Any(text string) bool {
	some := false
	s.EachPlace(text, func(int, int) bool {
		some = true
		return false
	})
	return some
}
