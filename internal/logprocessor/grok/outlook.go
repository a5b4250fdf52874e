package grok

// outlook is what the texts tell that every match contains, and the bytes it can begin with. The zero outlook
// excludes nothing.
type outlook struct {
	literal  needle     // every match contains it
	prefix   needle     // every match begins with it
	anchored bool       // can only match at the start of the subject
	first    *byteTable // bytes at which a match can begin, nil when the table would exclude nothing
	firstEnd bool       // whether a match can begin, and end, at the end of the subject
}

func newOutlook(n *node, w *workshop) outlook {
	before := n.before(anything())
	o := outlook{
		literal:  newNeedle(requiredText(n)),
		prefix:   newNeedle(leadingText(n)),
		anchored: n.anchored(),
		firstEnd: before.end,
	}
	if o.prefix == o.literal {
		o.literal = needle{} // the search begins by looking for it
	}
	if !before.bytes.has(continuation) {
		o.first = w.table(before.bytes)
	}
	return o
}

// continuation is a byte that begins no rune: only a set that excludes nothing has it.
const continuation = 0x80

// prospect returns the first place at which a match of subject could begin, and false when there can be none.
func (o *outlook) prospect(subject string) (from int, ok bool) {
	if from = o.candidate(subject, 0); from < 0 {
		return 0, false
	}
	return from, o.literal.find(subject[from:]) >= 0
}

// candidate returns the first place from position on at which a match can begin, -1 when there is none.
func (o *outlook) candidate(s string, position int) int {
	switch {
	case o.anchored:
		if position == 0 {
			return 0
		}
		return -1
	case o.prefix.text != "":
		if i := o.prefix.find(s[position:]); i >= 0 {
			return position + i
		}
		return -1
	case o.first == nil:
		return position
	}
	for position < len(s) && !o.first[s[position]] {
		position++
	}
	if position == len(s) && !o.firstEnd {
		return -1
	}
	return position
}

// text returns the text that tells the most about whether a subject can match, "" when there is none.
func (o *outlook) text() string {
	if len(o.prefix.text) > len(o.literal.text) {
		return o.prefix.text
	}
	return o.literal.text
}
