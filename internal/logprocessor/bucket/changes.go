package bucket

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Changes are what happened in a store, told so that Apply makes another store like it.
type Changes struct {
	Turned   int64 // the last second that expired
	Buckets  []Change
	Silences []Silence
}

// Change is what happened to one bucket. Of one that is gone only the key is set.
type Change struct {
	Key                   Key
	Gone                  bool
	New                   bool // it begins here, whatever was told of the key before
	Clock                 event.Clock
	First, Last, LeakedAt time.Time
	Deadline              time.Time
	Total                 int
	Tokens                float64
	Evidence              []bool
	Kept                  int            // so many of the newest events told before are still there
	Added                 []*event.Event // after those; they belong to the bucket: read only, until the next pour
	Seen                  []string       // distinct values besides those told before
}

// Silence is a time during which overflows of a key are not to be heard of. Without Until it has ended.
type Silence struct {
	Key   Key
	Clock event.Clock
	Until time.Time // by that clock
}

// changes are the keys that have news. The zero value takes no notes.
type changes struct {
	on       bool
	buckets  map[Key]*entry
	gone     map[Key]struct{}
	silences map[Key]silence
}

func (c *changes) pour(e *entry) {
	if c.on {
		c.buckets[e.key] = e
	}
}

func (c *changes) end(e *entry) {
	if !c.on {
		return
	}
	delete(c.buckets, e.key)
	if e.told > 0 {
		c.gone[e.key] = struct{}{}
	}
}

func (c *changes) hush(key Key, s silence) {
	if c.on {
		c.silences[key] = s
	}
}

// Everything returns what makes an empty store like this one. From then on the store takes notes for Changes.
func (s *Store) Everything() Changes {
	s.untold = changes{on: true, buckets: map[Key]*entry{}, gone: map[Key]struct{}{}, silences: map[Key]silence{}}
	for _, e := range s.buckets {
		e.told, e.state.fresh = 0, slices.Collect(maps.Keys(e.state.seen))
		s.untold.pour(e)
	}
	for key, silence := range s.silence {
		s.untold.hush(key, silence)
	}
	return s.Changes()
}

// Changed reports whether Changes has anything to tell.
func (s *Store) Changed() bool {
	return len(s.untold.buckets)+len(s.untold.gone)+len(s.untold.silences) > 0
}

// Changes returns what happened since the last call of Changes or Everything; nothing before the first call
// of Everything.
func (s *Store) Changes() Changes {
	told := Changes{Turned: s.turned}
	for key := range s.untold.gone {
		told.Buckets = append(told.Buckets, Change{Key: key, Gone: true})
	}
	for _, e := range s.untold.buckets {
		told.Buckets = append(told.Buckets, e.tell())
	}
	for key, silence := range s.untold.silences {
		told.Silences = append(told.Silences, Silence{Key: key, Clock: silence.clock, Until: silence.until})
	}
	clear(s.untold.gone)
	clear(s.untold.buckets)
	clear(s.untold.silences)
	return told
}

// tell returns what happened to a bucket since it was told of.
func (e *entry) tell() Change {
	state := e.state
	kept := max(0, len(state.Queue)-(state.Total-e.told))
	change := Change{
		Key: e.key, New: e.told == 0, Clock: e.clock, First: state.First, Last: state.Last, LeakedAt: state.leakedAt,
		Deadline: e.deadline, Total: state.Total, Tokens: state.tokens, Evidence: state.Evidence, Kept: kept, Added: state.Queue[kept:], Seen: state.fresh,
	}
	e.told, state.fresh = state.Total, nil
	return change
}

// Apply repeats what was told of another store. The buckets come to life with Retain. After an error, which
// says that the changes make no sense, the store must not be used.
func (s *Store) Apply(told Changes) error {
	s.turned = told.Turned
	for i := range told.Buckets {
		if err := s.apply(&told.Buckets[i]); err != nil {
			return fmt.Errorf("bucket of %s, group %q: %w", told.Buckets[i].Key.Scenario, told.Buckets[i].Key.Group, err)
		}
	}
	for _, one := range told.Silences {
		s.setSilence(one.Key, silence{until: one.Until, clock: one.Clock})
	}
	return nil
}

func (s *Store) apply(told *Change) error {
	if told.Gone {
		delete(s.buckets, told.Key)
		return nil
	}
	if told.New {
		s.buckets[told.Key] = newEntry(told.Key, told.Clock)
	}
	e := s.buckets[told.Key]
	switch {
	case e == nil:
		return errors.New("changed before it began")
	case told.Kept < 0 || told.Kept > len(e.state.Queue):
		return fmt.Errorf("keeps %d of %d events", told.Kept, len(e.state.Queue))
	case told.Total < told.Kept+len(told.Added) || told.Total == 0:
		return fmt.Errorf("holds %d events of %d", told.Kept+len(told.Added), told.Total)
	}
	e.deadline = told.Deadline
	e.setClock(told.Clock)
	e.state.recall(told)
	return nil
}

func (s *State) recall(told *Change) {
	s.First, s.Last, s.leakedAt = told.First, told.Last, told.LeakedAt
	s.Total, s.tokens, s.Evidence = told.Total, told.Tokens, told.Evidence
	s.Queue = append(s.Queue[len(s.Queue)-told.Kept:], told.Added...)
	for _, value := range told.Seen {
		s.isNew(value)
	}
}
