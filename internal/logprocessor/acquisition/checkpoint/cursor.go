package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrTaken says that another source holds the cursor.
var ErrTaken = errors.New("already read by another source")

// Cursor is the place of one source in one sequence. P is encoded as JSON; its values must not be changed
// after they have been issued. One goroutine issues; acknowledgements may come from any.
type Cursor[P any] struct {
	store *Store
	slot  *slot

	committed      *P        // guarded by store.mu, as is all below
	oldest, newest *Lease[P] // issued and not committed: a list that never holds two acknowledged neighbours
}

// Stop is where reading stopped, and when.
type Stop[P any] struct {
	Position P
	// At is when the position was issued or last confirmed, in a process before this one up to some
	// seconds earlier. Nobody is known to have read behind the position since.
	At time.Time
}

// Lease is one issued position. Exactly one of its methods is called, once.
type Lease[P any] struct {
	cursor       *Cursor[P]
	position     P
	at           time.Time // when it was issued or last confirmed
	acked        bool
	older, newer *Lease[P]
}

// Take returns the cursor of a key for exclusive use until Release; ErrTaken while another holds it. A
// saved position that is not a P is dropped with a warning.
func Take[P any](store *Store, key string) (*Cursor[P], error) {
	store.mu.Lock()
	defer store.mu.Unlock()
	place := store.slots[key]
	if place == nil {
		place = &slot{updated: store.now()}
		store.slots[key] = place
	}
	if place.taken {
		return nil, fmt.Errorf("cursor %s: %w", key, ErrTaken)
	}
	place.taken = true
	if cursor, ok := place.cursor.(*Cursor[P]); ok {
		return cursor, nil
	}
	cursor := &Cursor[P]{store: store, slot: place, committed: decode[P](store, key, place.saved)}
	place.cursor = cursor
	return cursor, nil
}

// Stops returns where reading would continue for every key with the prefix. Positions that are not a P are
// left out.
func Stops[P any](store *Store, prefix string) map[string]Stop[P] {
	store.mu.Lock()
	defer store.mu.Unlock()
	stops := map[string]Stop[P]{}
	for _, key := range store.withPrefix(prefix) {
		slot := store.slots[key]
		if cursor, ok := slot.cursor.(*Cursor[P]); ok {
			if last, ok := cursor.last(); ok {
				stops[key] = last
			}
			continue
		}
		if saved := decode[P](store, key, slot.saved); saved != nil {
			stops[key] = Stop[P]{*saved, slot.updated}
		}
	}
	return stops
}

// Last returns where reading continues: the newest issued position, or the saved one; false when there is
// none.
func (c *Cursor[P]) Last() (Stop[P], bool) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	return c.last()
}

// Issue hands out a position, to be acknowledged when nothing can lose what lies before it.
func (c *Cursor[P]) Issue(position P) *Lease[P] {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	lease := &Lease[P]{cursor: c, position: position, at: c.store.now(), older: c.newest}
	if c.newest == nil {
		c.oldest = lease
	} else {
		c.newest.newer = lease
	}
	c.newest = lease
	return lease
}

// Set issues and acknowledges a position that has no lines before it that matter.
func (c *Cursor[P]) Set(position P) { c.Issue(position).Ack() }

// Confirm says that nothing lies behind the newest issued position now. A source that has read everything
// says so every few seconds, so that a later one can tell a quiet log from one that nobody read.
func (c *Cursor[P]) Confirm() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	now := c.store.now()
	switch {
	case c.newest != nil:
		c.newest.at = now
	case c.committed != nil:
		c.slot.updated = now
		c.store.confirmed(now)
	}
}

// Save writes what is committed now, with the positions of all other cursors.
func (c *Cursor[P]) Save() error { return c.store.Flush() }

// Release lets another source take the cursor. Leases stay valid.
func (c *Cursor[P]) Release() {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.slot.taken = false
}

// Ack says that nothing can lose what lies before the position any more.
func (l *Lease[P]) Ack() {
	c := l.cursor
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	l.acked = true
	if l.older != nil && l.older.acked {
		l.older.unlink() // its position says less than this one
	}
	if l.newer != nil && l.newer.acked {
		l.unlink()
	}
	if first := c.oldest; first.acked {
		first.unlink()
		c.committed = &first.position
		c.slot.updated = first.at
		c.store.dirty = true
	}
}

// Withdraw takes the newest issued position back, because nobody took its lines.
func (l *Lease[P]) Withdraw() {
	c := l.cursor
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.newest == l {
		l.unlink()
	}
}

func (l *Lease[P]) unlink() {
	if l.older == nil {
		l.cursor.oldest = l.newer
	} else {
		l.older.newer = l.newer
	}
	if l.newer == nil {
		l.cursor.newest = l.older
	} else {
		l.newer.older = l.older
	}
}

func (c *Cursor[P]) last() (Stop[P], bool) {
	if c.newest != nil {
		return Stop[P]{c.newest.position, c.newest.at}, true
	}
	if c.committed != nil {
		return Stop[P]{*c.committed, c.slot.updated}, true
	}
	return Stop[P]{}, false
}

func (c *Cursor[P]) committedPosition() (any, bool) {
	if c.committed == nil {
		return nil, false
	}
	return *c.committed, true
}

func decode[P any](store *Store, key string, saved json.RawMessage) *P {
	if saved == nil {
		return nil
	}
	position := new(P)
	if err := json.Unmarshal(saved, position); err != nil {
		store.log.Warn("checkpoint not understood, ignored", "key", key, "error", err)
		return nil
	}
	return position
}
