package bucket

import (
	"cmp"
	"slices"
	"strings"
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
	untold  changes            // what Changes has to tell
	replay  bool               // the wheel leaves alone what has seen the past only
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
	deadline time.Time // zero: lives for ever, or is left alone by the wheel
	armed    bool      // the wheel knows it
	gone     bool
	told     int // events poured when Changes told of it; 0: it has not
}

func newEntry(key Key, clock event.Clock) *entry {
	return &entry{key: key, clock: clock, state: &State{Group: key.Group, Clock: clock}}
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

// NewReplay is NewStore for sources that end: a bucket that has seen nothing but the past ends by the time in
// the log and by nothing else, so that a replay gives the same however long it takes.
func NewReplay(now time.Time) *Store {
	s := NewStore(now)
	s.replay = true
	return s
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
		current = newEntry(key, in.Event.ExpectMode)
		s.buckets[key] = current
	}
	current.config = config
	outcome := config.Pour(current.state, in)
	if outcome != Ignored && in.Event.ExpectMode == event.Live {
		current.setClock(event.Live) // whatever it began with: from now on it is the wheel that ends it
	}
	result := Result{Key: key, Outcome: outcome, At: in.At, State: current.state, Created: created}
	switch outcome {
	case Overflow, Canceled, Underflow:
		s.remove(current)
	case Kept:
		s.schedule(current, in.Now)
		s.untold.pour(current)
	case Ignored:
	}
	return append(results, result)
}

// Expire ends the live buckets whose time has come. Call it about once a second, with a clock that does
// not go back.
func (s *Store) Expire(now time.Time) []Result {
	var results []Result
	for last := now.Unix(); s.turned < last; {
		s.turned = s.nextTurn(last)
		due := s.wheel[s.turned]
		delete(s.wheel, s.turned)
		slices.SortFunc(due, older)
		for _, e := range due {
			switch {
			case e.gone:
			case e.deadline.Unix() >= s.turned: // it was moved meanwhile
				s.arm(e)
			default:
				results = append(results, s.end(e, now))
			}
		}
	}
	for key, one := range s.silence {
		if one.clock == event.Live && !one.until.After(now) {
			s.setSilence(key, silence{})
		}
	}
	return results
}

// nextTurn returns the next second to look at. Years without an entry, which a clock that was set right can
// bring, are skipped.
func (s *Store) nextTurn(last int64) int64 {
	if last-s.turned <= int64(len(s.wheel))+1 {
		return s.turned + 1
	}
	next := last
	for second := range s.wheel {
		next = min(next, second)
	}
	return next
}

// Silenced reports whether an overflow falls into the silence after an earlier one of its key. If not, it
// begins a new silence of that length.
func (s *Store) Silenced(overflow Result, length time.Duration) bool {
	if s.silence[overflow.Key].until.After(overflow.At) {
		return true
	}
	s.setSilence(overflow.Key, silence{until: overflow.At.Add(length), clock: overflow.State.Clock})
	return false
}

// setSilence ends a silence when the new one is zero.
func (s *Store) setSilence(key Key, one silence) {
	if one == (silence{}) {
		delete(s.silence, key)
	} else {
		s.silence[key] = one
	}
	s.untold.hush(key, one)
}

// Retain gives the buckets of each scenario their shape, and forgets those whose scenario has none any more.
// It returns how many buckets of each scenario live on. Call it once after Apply, before anything is poured.
func (s *Store) Retain(shape func(scenario string) *Config) map[string]int {
	kept := map[string]int{}
	for key, e := range s.buckets {
		config := shape(key.Scenario)
		if config == nil {
			s.remove(e)
			continue
		}
		e.config = config
		s.schedule(e, time.Time{})
		kept[key.Scenario]++
	}
	for key := range s.silence {
		if shape(key.Scenario) == nil {
			s.setSilence(key, silence{})
		}
	}
	return kept
}

// older orders buckets by their first event, so that what ends together ends in an order that no restart changes.
func older(a, b *entry) int {
	return cmp.Or(a.state.First.Compare(b.state.First), strings.Compare(a.key.Scenario, b.key.Scenario), strings.Compare(a.key.Group, b.key.Group))
}

func (e *entry) setClock(clock event.Clock) { e.clock, e.state.Clock = clock, clock }

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
	s.untold.end(e)
}

// schedule sets when the wheel ends a bucket: a timed one from its first event, the others from the latest,
// and one that has seen a backlog only from now, should the log say no more of it. An event from a backlog
// does not bring that forward.
func (s *Store) schedule(e *entry, now time.Time) {
	if e.config.Lifetime <= 0 || s.replay && e.clock == event.TimeMachine {
		return
	}
	begin := e.state.Last
	switch {
	case e.clock == event.TimeMachine:
		begin = now
	case e.config.Timed:
		begin = e.state.First
	}
	if deadline := begin.Add(e.config.Lifetime); deadline.After(e.deadline) {
		e.deadline = deadline
	}
	if !e.armed {
		s.arm(e)
	}
}

// arm puts an entry where the wheel looks at it in the second after its deadline. A deadline that moves
// later needs no second entry: the wheel finds the new one when it gets there.
func (s *Store) arm(e *entry) {
	e.armed = true
	second := max(e.deadline.Unix()+1, s.turned+1)
	s.wheel[second] = append(s.wheel[second], e)
}
