package sql

import (
	"sort"
	"sync"

	"shieldwall/internal/localapi/store"
)

// maxTail is how many changes wait for their reader at most, the decisions of an import or two.
const maxTail = 200_000

// tail is the end of the change log, as far as this process has written it itself and not read it yet: who adds decisions
// asks for the changes at once, and would be told by the database what it has just told the database.
type tail struct {
	mu      sync.Mutex // guards changes
	changes []store.Change
}

// add appends changes that were committed, whose numbers follow each other.
func (t *tail) add(changes []store.Change) {
	if len(changes) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := len(t.changes) - 1; last >= 0 && t.changes[last].Seq+1 != changes[0].Seq || len(t.changes)+len(changes) > maxTail {
		t.changes = nil // somebody else has written in between, or nobody reads
	}
	t.changes = append(t.changes, changes...)
}

// after returns up to limit changes that follow seq without a gap, none when it does not know of them. What comes before
// them is forgotten.
func (t *tail) after(seq int64, limit int) []store.Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := sort.Search(len(t.changes), func(i int) bool { return t.changes[i].Seq > seq })
	if t.changes = t.changes[next:]; len(t.changes) == 0 {
		t.changes = nil
		return nil
	}
	if t.changes[0].Seq != seq+1 {
		return nil
	}
	count := min(limit, len(t.changes))
	return t.changes[:count:count]
}

// forget is for who ends or removes decisions: what waits tells of them as they were.
func (t *tail) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes = nil
}
