package expression

import "shieldwall/internal/expression/datafile"

// subject is a text that nothing but the environment decides: what it says, or what is computed from that. In one
// dialect there is one subject of a name.
type subject struct {
	dialect *dialect
	name    string // as in an expression
	number  int    // from 0, in the dialect
	read    func(env any, l *locals) string
	member  func(env any) string // the same; nil: it is computed

	of     *subject      // what this one is computed from, if it often is the same but for its case; nil: it is no such thing
	in     datafile.Case // the case in which it is written
	made   bool          // the above is settled
	unless doubts        // where these are in the text behind, it may be another text
}

// doubts are bytes that some function makes something else of.
type doubts uint8

const (
	beyondASCII doubts = 1 << iota
	percent
	plus
)

// madeOf says what a function makes of another subject. Once said it stays: expressions may be evaluating it.
func (s *subject) madeOf(function string, of *subject) {
	if s.made {
		return
	}
	s.made = true
	switch function {
	case "Lower", "lower":
		s.of, s.in, s.unless = of, datafile.Lower, beyondASCII
	case "Upper", "upper":
		s.of, s.in, s.unless = of, datafile.Upper, beyondASCII
	case "PathUnescape":
		s.of, s.unless = of, percent
	case "QueryUnescape":
		s.of, s.unless = of, percent|plus
	}
}

// cased returns the text behind one in lower or upper case, nil when it is no such thing.
func (s *subject) cased() *subject {
	if s == nil || s.in == datafile.AsWritten {
		return nil
	}
	return s.of
}

// subject returns the subject of a name, which make makes if it is new.
func (d *dialect) subject(name string, read func(env any, l *locals) string) *subject {
	if known := d.subjects[name]; known != nil {
		return known
	}
	fresh := &subject{dialect: d, name: name, number: len(d.subjects), read: read}
	d.subjects[name] = fresh
	return fresh
}

// memberSubject returns the subject that a member is. Once made it stays as it is: expressions may be evaluating it.
func (d *dialect) memberSubject(name string, member func(env any) string) *subject {
	if known := d.subjects[name]; known != nil {
		return known
	}
	fresh := d.subject(name, ofEnv(member))
	fresh.member = member
	return fresh
}

// form reads the subject, or remembers it.
func (s *subject) form(safe bool) form {
	f := form{text: s.text, subject: s, safe: safe}
	if s.member != nil {
		f.text = s.read // without asking first what s is
	}
	return f
}

func (s *subject) text(env any, l *locals) string {
	if s.member != nil { // faster read than remembered
		return s.member(env)
	}
	if l != nil && l.memo != nil && l.memo.dialect == s.dialect && s.number < len(l.memo.texts) {
		return l.memo.text(env, l, s)
	}
	return s.read(env, l)
}

// memo remembers the texts of subjects for one environment that many expressions are asked of.
type memo struct {
	dialect *dialect
	texts   []remembered // by number; younger subjects are not remembered
	used    []int        // numbers of those that are known
}

// remembered is the text of a subject, if it is known.
type remembered struct {
	text  string
	known bool
}

func newMemo(of *dialect) *memo {
	of.mu.Lock()
	defer of.mu.Unlock()
	return &memo{dialect: of, texts: make([]remembered, len(of.subjects))}
}

func (m *memo) text(env any, l *locals, of *subject) string {
	kept := &m.texts[of.number]
	if !kept.known {
		kept.text = of.read(env, l)
		kept.known = true
		m.used = append(m.used, of.number)
	}
	return kept.text
}

// forget lets go of the environment.
func (m *memo) forget() {
	for _, number := range m.used {
		m.texts[number] = remembered{}
	}
	m.used = m.used[:0]
}
