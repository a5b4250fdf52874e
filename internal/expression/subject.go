package expression

import "shieldwall/internal/expression/datafile"

// subject is a text that nothing but the environment decides: what it says, or what is computed from that. In one
// dialect there is one subject of a name.
type subject struct {
	dialect *dialect
	name    string // as in an expression
	number  int    // from 0, in the dialect
	read    func(env any, l *locals) string

	of *subject      // what this one is in lower or upper case; nil: it is no such thing
	in datafile.Case // that case
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

// form reads the subject, or remembers it.
func (s *subject) form(safe bool) form {
	return form{text: s.text, subject: s, safe: safe}
}

func (s *subject) text(env any, l *locals) string {
	if l == nil || l.memo == nil || l.memo.dialect != s.dialect {
		return s.read(env, l)
	}
	return l.memo.text(env, l, s)
}

// memo remembers the texts of subjects for one environment that many expressions are asked of.
type memo struct {
	dialect *dialect
	texts   []string // by number
	known   []bool
	used    []int // numbers of those that are known
}

func newMemo(of *dialect) *memo {
	of.mu.Lock()
	defer of.mu.Unlock()
	return &memo{dialect: of, texts: make([]string, len(of.subjects)), known: make([]bool, len(of.subjects))}
}

func (m *memo) text(env any, l *locals, of *subject) string {
	number := of.number
	if number >= len(m.known) {
		return of.read(env, l) // younger than the memo
	}
	if !m.known[number] {
		m.texts[number] = of.read(env, l)
		m.known[number] = true
		m.used = append(m.used, number)
	}
	return m.texts[number]
}

// forget lets go of the environment.
func (m *memo) forget() {
	for _, number := range m.used {
		m.texts[number], m.known[number] = "", false
	}
	m.used = m.used[:0]
}
