package bucket

import (
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Key names one bucket: the identity of its scenario and the group that its events share.
type Key struct {
	Scenario string
	Group    string
}

// Store owns the live buckets. It is not safe for concurrent use: whoever pours owns it.
type Store struct {
	buckets map[Key]*entry
	wheel   map[int64][]*entry // entries by the second in which they may expire
	turned  int64              // the last second whose entries were looked at
	silence map[Key]silence    // overflows that are not to be heard of
}

// silence is read on the clock of the overflow that began it.
type silence struct {
	until time.Time
	clock event.Clock
}

type entry struct {
	key      Key
	config   *Config
	clock    event.Clock
	state    *State
	deadline time.Time // zero: lives for ever or in replay
	gone     bool
}

// Result is what became of a bucket. State belongs to the caller once the bucket is gone.
type Result struct {
	Key     Key
	Outcome Outcome
	At      time.Time // when it happened, by the bucket's clock
	State   *State
	Created bool // the input began a new bucket
}

// NewStore returns an empty store whose wheel starts to turn at now.
func NewStore(now time.Time) *Store {
	return &Store{buckets: map[Key]*entry{}, wheel: map[int64][]*entry{}, turned: now.Unix(), silence: map[Key]silence{}}
}

// Len returns the number of live buckets.
func (s *Store) Len() int { return len(s.buckets) }

// Pour puts an input into the bucket of key, made on first use with the event's clock. What happens to a
// bucket that the input finds at the end of its life comes first in the results.
func (s *Store) Pour(key Key, config *Config, in Input) []Result {
	var results []Result
	current := s.buckets[key]
	if current != nil && current.clock == event.TimeMachine && current.ended(in.At) {
		results = append(results, s.end(current, in.At))
		current = nil
	}
	created := current == nil
	if created {
		current = &entry{key: key, clock: in.Event.ExpectMode, state: &State{Group: key.Group, Clock: in.Event.ExpectMode}}
		s.buckets[key] = current
	}
	current.config = config
	outcome := config.Pour(current.state, in)
	result := Result{Key: key, Outcome: outcome, At: in.At, State: current.state, Created: created}
	switch outcome {
	case Overflow, Canceled, Underflow:
		s.remove(current)
	case Kept:
		s.schedule(current, in.At)
	case Ignored:
	}
	return append(results, result)
}

// Expire ends the live buckets whose time has come. Call it about once a second, with a clock that does
// not go back.
func (s *Store) Expire(now time.Time) []Result {
	var results []Result
	for second := now.Unix(); s.turned < second; s.turned++ {
		due := s.wheel[s.turned+1]
		delete(s.wheel, s.turned+1)
		for _, e := range due {
			switch {
			case e.gone:
			case e.deadline.After(now):
				s.arm(e)
			default:
				results = append(results, s.end(e, now))
			}
		}
	}
	for key, silence := range s.silence {
		if silence.clock == event.Live && !silence.until.After(now) {
			delete(s.silence, key)
		}
	}
	return results
}

// Silenced reports whether an overflow falls into the silence after an earlier one of its key. If not, it
// begins a new silence of that length.
func (s *Store) Silenced(overflow Result, length time.Duration) bool {
	if s.silence[overflow.Key].until.After(overflow.At) {
		return true
	}
	s.silence[overflow.Key] = silence{until: overflow.At.Add(length), clock: overflow.State.Clock}
	return false
}

// Retain forgets the buckets of all scenarios but those that keep names. It returns how many buckets of
// each scenario live on.
func (s *Store) Retain(keep func(scenario string) bool) map[string]int {
	kept := map[string]int{}
	for key, e := range s.buckets {
		if !keep(key.Scenario) {
			s.remove(e)
			continue
		}
		kept[key.Scenario]++
	}
	for key := range s.silence {
		if !keep(key.Scenario) {
			delete(s.silence, key)
		}
	}
	return kept
}

// ended tells for a bucket in replay whether it was gone at that time.
func (e *entry) ended(at time.Time) bool {
	if e.config.Timed {
		return at.After(e.state.First.Add(e.config.Lifetime))
	}
	return e.config.Outlived(e.state, at)
}

// end removes a bucket whose life is over at the latest at now.
func (s *Store) end(e *entry, now time.Time) Result {
	s.remove(e)
	at := now
	if e.config.Timed {
		at = e.state.First.Add(e.config.Lifetime)
	}
	return Result{Key: e.key, Outcome: e.config.Expire(), At: at, State: e.state}
}

func (s *Store) remove(e *entry) {
	e.gone = true
	delete(s.buckets, e.key)
}

// schedule sets when a live bucket expires: a timed one from its first event, the others from the latest.
func (s *Store) schedule(e *entry, at time.Time) {
	if e.clock != event.Live || e.config.Lifetime <= 0 {
		return
	}
	armed := !e.deadline.IsZero()
	if armed && e.config.Timed {
		return
	}
	e.deadline = at.Add(e.config.Lifetime)
	if !armed {
		s.arm(e)
	}
}

// arm puts an entry where the wheel looks at it in the second after its deadline. A deadline that moves
// later needs no second entry: the wheel finds the new one when it gets there.
func (s *Store) arm(e *entry) {
	second := max(e.deadline.Unix()+1, s.turned+1)
	s.wheel[second] = append(s.wheel[second], e)
}
