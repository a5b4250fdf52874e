package bucket

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Changes are what happened in a store, told so that Apply, Hush and Turn make another store like it.
type Changes struct {
	Buckets  iter.Seq[Change] // to be gone through once, to the end, and before anything else happens
	Silences []Silence
	Turned   int64 // the last second that expired
}

// Change is what happened to one bucket. Of one that is gone only the key is set.
type Change struct {
	Key         Key
	Gone        bool
	New         bool // it begins here, whatever was told of the key before
	Clock       event.Clock
	First, Last time.Time
	Deadline    int64 // in seconds since 1970; 0: none
	Total       int
	Tokens      float64
	Evidence    []bool
	Kept        int            // so many of the newest events told before are still there
	Added       []event.Packed // after those; they belong to the bucket: read only, until the next change
	Seen        []string       // distinct values besides those told before; as above
}

// Silence is a time during which overflows of a key are not to be heard of. Without Until it has ended.
type Silence struct {
	Key   Key
	Clock event.Clock
	Until time.Time // by that clock
}

// changes are notes of what there is to tell. The zero value takes none.
type changes struct {
	on       bool
	notes    []ref // of buckets that were poured into, some of which are gone
	noted    int   // buckets with a note
	gone     []Key
	silences map[Key]silence
}

func (c *changes) pour(e *entry) {
	if !c.on || e.noted {
		return
	}
	e.noted = true
	c.notes = append(c.notes, e.ref)
	c.noted++
}

func (c *changes) end(e *entry, of *Family) {
	if e.noted {
		c.noted--
	}
	if c.on && e.told > 0 {
		c.gone = append(c.gone, of.key(e))
	}
}

func (c *changes) hush(key Key, s silence) {
	if c.on {
		c.silences[key] = s
	}
}

// Watch makes the store take notes for Changes.
func (s *Store) Watch() { s.untold = changes{on: true, silences: map[Key]silence{}} }

// Everything returns what makes an empty store like this one. From then on the store takes notes for Changes.
func (s *Store) Everything() Changes {
	s.Watch()
	return Changes{Buckets: s.tellAll, Silences: silences(s.silence), Turned: s.wheel.turned}
}

func (s *Store) tellAll(yield func(Change) bool) {
	more := true
	s.entries.all(func(e *entry) {
		e.told = 0
		if e.more != nil {
			e.more.distinct.told = 0
		}
		change := e.tell(s.byNumber[e.family].key(e))
		more = more && yield(change)
	})
}

func silences(of map[Key]silence) []Silence {
	list := make([]Silence, 0, len(of))
	for key, silence := range of {
		list = append(list, Silence{Key: key, Clock: silence.clock, Until: silence.until})
	}
	return list
}

// Changed reports whether Changes has anything to tell.
func (s *Store) Changed() bool {
	return s.untold.noted+len(s.untold.gone)+len(s.untold.silences) > 0
}

// Changes returns what happened since the last call of Changes or Everything; nothing before the first call
// of Watch or Everything.
func (s *Store) Changes() Changes {
	told := Changes{Buckets: s.tellNotes(s.untold.notes, s.untold.gone), Silences: silences(s.untold.silences), Turned: s.wheel.turned}
	s.untold.forget()
	return told
}

func (s *Store) tellNotes(notes []ref, gone []Key) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		for _, key := range gone {
			if !yield(Change{Key: key, Gone: true}) {
				return
			}
		}
		for _, ref := range notes {
			if e := s.entries.find(ref); e != nil && !yield(e.tell(s.byNumber[e.family].key(e))) {
				return
			}
		}
	}
}

// forget begins anew. The notes were handed out.
func (c *changes) forget() {
	*c = changes{on: c.on, silences: c.silences}
	clear(c.silences)
}

// tell returns what happened to a bucket since it was told of.
func (e *entry) tell(key Key) Change {
	kept := max(0, len(e.queue)-int(e.total-e.told))
	change := Change{
		Key: key, New: e.told == 0, Clock: e.clock(), First: e.first.time(), Last: e.last.time(),
		Total: int(e.total), Tokens: e.tokens, Kept: kept, Added: e.queue[kept:],
	}
	if e.deadline != never {
		change.Deadline = e.deadline
	}
	if e.more != nil {
		change.Seen = e.more.distinct.tell()
		if e.more.evidence != nil {
			change.Evidence = *e.more.evidence
		}
	}
	e.told, e.noted = e.total, false
	return change
}

// Apply repeats what another store told of a bucket. It comes to life with Retain. After an error, which says
// that the change makes no sense, the store must not be used.
func (s *Store) Apply(told Change) error {
	if err := s.apply(&told); err != nil {
		return fmt.Errorf("bucket of %s, group %q: %w", told.Key.Scenario, told.Key.Group, err)
	}
	return nil
}

// Hush repeats what another store told of a silence.
func (s *Store) Hush(told Silence) {
	s.setSilence(told.Key, silence{until: told.Until, clock: told.Clock})
}

// Turn makes the wheel go on after that second.
func (s *Store) Turn(second int64) { s.wheel.turned = second }

func (s *Store) apply(told *Change) error {
	family := s.Family(told.Key.Scenario, nil)
	e := family.find(told.Key.Group)
	if e != nil && (told.Gone || told.New) {
		s.forget(e)
		e = nil
	}
	switch {
	case told.Gone:
		return nil
	case told.New:
		e = family.add(told.Key.Group, told.Clock)
	}
	switch {
	case e == nil:
		return errors.New("changed before it began")
	case told.Kept < 0 || told.Kept > len(e.queue):
		return fmt.Errorf("keeps %d of %d events", told.Kept, len(e.queue))
	case told.Total < told.Kept+len(told.Added) || told.Total == 0 || told.Total > math.MaxInt32:
		return fmt.Errorf("holds %d events of %d", told.Kept+len(told.Added), told.Total)
	}
	if told.Deadline != 0 {
		e.deadline = told.Deadline
	}
	e.recall(told)
	return nil
}

func (s *state) recall(told *Change) {
	s.first, s.last, s.live = momentOf(told.First), momentOf(told.Last), told.Clock == event.Live
	s.total, s.tokens = uint32(told.Total), told.Tokens //nolint:gosec // checked
	s.queue = slices.Concat(s.queue[len(s.queue)-told.Kept:], told.Added)
	if told.Evidence != nil {
		s.remember(told.Evidence)
	}
	for _, value := range told.Seen {
		s.isNew(value)
	}
}
