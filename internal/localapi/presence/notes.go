package presence

import "maps"

// notes are changes by whom they are about.
type notes[ID comparable, Change any] struct {
	merge   func(older, newer Change) Change
	waiting map[ID]Change
	writing map[ID]Change // taken, and older than what waits
}

func (n *notes[ID, Change]) add(id ID, change Change) {
	if n.waiting == nil {
		n.waiting = map[ID]Change{}
	}
	if older, ok := n.waiting[id]; ok {
		change = n.merge(older, change)
	}
	n.waiting[id] = change
}

// about returns all that is noted about id, the zero Change without anything.
func (n *notes[ID, Change]) about(id ID) Change {
	return n.merge(n.writing[id], n.waiting[id])
}

// take returns what waits, until end is called. The caller only reads it.
func (n *notes[ID, Change]) take() map[ID]Change {
	n.writing, n.waiting = n.waiting, nil
	return n.writing
}

// end forgets what was taken when it is stored; otherwise it waits again.
func (n *notes[ID, Change]) end(stored bool) {
	taken := n.writing
	n.writing = nil
	if stored {
		return
	}
	again := maps.Clone(taken)
	for id, change := range n.waiting {
		if older, ok := again[id]; ok {
			change = n.merge(older, change)
		}
		again[id] = change
	}
	n.waiting = again
}
