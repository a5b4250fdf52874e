package wire

import (
	"fmt"
	"io"
)

// StreamVisitor takes the decisions of a stream one by one, in the order in which they come. A decision is the
// visitor's for the call only, and has no ID and no UUID.
type StreamVisitor interface {
	// Begin takes one of "new".
	Begin(decision *Decision)
	// Cease takes one of "deleted".
	Cease(decision *Decision)
}

// VisitStream reads an answer of /v1/decisions/stream to its end and shows its decisions to visitor, while it holds no
// more of them than one. It insists on both lists and on nothing behind them: an answer of something else that
// happens to be JSON must not look like "nothing to enforce". After an error the visitor has seen a part, which
// proves nothing. The caller bounds r.
func VisitStream(r io.Reader, visitor StreamVisitor) error {
	d := streamDecoder{scanner: newScanner(r)}
	seen := map[string]bool{}
	d.object(func(name string) {
		if seen[name] {
			d.fail(fmt.Errorf("%q appears twice", name))
			return
		}
		seen[name] = true
		switch name {
		case "new":
			d.list(visitor.Begin)
		case "deleted":
			d.list(visitor.Cease)
		default:
			d.skip()
		}
	})
	for _, name := range []string{"new", "deleted"} {
		if d.err == nil && !seen[name] {
			d.fail(fmt.Errorf("no %q in the stream", name))
		}
	}
	return d.atEnd()
}

// streamDecoder reads decisions as bouncers are told them.
type streamDecoder struct {
	*scanner

	decision Decision // that is read now
}

// list reads an array, or the null that some servers write for an empty one.
func (d *streamDecoder) list(visit func(*Decision)) {
	if d.null() {
		return
	}
	d.array(func(int) {
		d.decision = Decision{}
		if !d.null() {
			d.object(d.member)
		}
		if d.err == nil {
			visit(&d.decision)
		}
	})
}

func (d *streamDecoder) member(name string) {
	if d.null() {
		return
	}
	if target, _ := decisionField(&d.decision, name); target != nil {
		*target = d.text()
		return
	}
	if d.next() == '"' {
		d.quoted() // a UUID: nothing to keep
		return
	}
	d.skip()
}
