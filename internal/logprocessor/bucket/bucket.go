package bucket

import (
	"time"

	"shieldwall/internal/logprocessor/event"
)

// Kind says what makes a bucket overflow.
type Kind uint8

// The kinds, by their names in scenarios.
const (
	Leaky       Kind = iota + 1 // more than Capacity events that have not leaked yet
	Trigger                     // any event
	Counter                     // the end of Duration after the first event
	Conditional                 // a condition on the whole bucket
	Bayesian                    // the probability of an attack, given conditions
)

// String returns the name that scenarios use.
func (k Kind) String() string {
	switch k {
	case Leaky:
		return "leaky"
	case Trigger:
		return "trigger"
	case Counter:
		return "counter"
	case Conditional:
		return "conditional"
	case Bayesian:
		return "bayesian"
	}
	return "unknown"
}

// Config is the shape of all buckets of one scenario. It is read-only.
type Config struct {
	Kind      Kind
	Capacity  int           // events that fit; -1: no limit
	Leakspeed time.Duration // time for one event to leak
	Lifetime  time.Duration // idle time after which a bucket is gone; of a timed one: its whole life. 0: for ever
	Timed     bool          // overflows at the end of Lifetime
	Keep      int           // events kept for the alert; -1: all

	// Overflows is asked after each pour of a bucket that has a condition, or bayesian ones. nil: never.
	// It must be pure but for the state's Evidence.
	Overflows func(state *State, evt *event.Event) bool
}

// Input is an event on its way into a bucket, with what its scenario found out about it.
type Input struct {
	Event    *event.Event
	At       time.Time // by the event's clock
	Now      time.Time // by the wall clock; only an event from the past needs it
	Distinct *string   // nil: the scenario does not ask for distinct values
	Cancel   bool      // the event calls the bucket off
}

// State is one bucket. The zero value is an empty one.
type State struct {
	Group       string      // what its events share
	Clock       event.Clock // live from the first live event on
	First, Last time.Time   // of the events poured; zero before the first
	Total       int         // events poured, kept or not
	Queue       []*event.Event
	Evidence    []bool // bayesian conditions that stay true
	tokens      float64
	leakedAt    time.Time
	seen        map[string]struct{}
	fresh       []string // values of seen that Changes has not told of
}

// Outcome says what became of a bucket.
type Outcome uint8

// The outcomes. After Overflow, Underflow and Canceled the bucket is gone.
const (
	Kept    Outcome = iota // it lives on
	Ignored                // it lives on, the event was not counted
	Overflow
	Underflow
	Canceled
)

// Pour puts an event into a bucket. State is changed in place and belongs to the caller.
func (c *Config) Pour(state *State, in Input) Outcome {
	if c.Kind == Trigger {
		state.count(in)
		state.keep(in.Event, c.Keep)
		return Overflow
	}
	if in.Distinct != nil && !state.isNew(*in.Distinct) {
		return Ignored
	}
	if in.Cancel {
		return Canceled
	}
	fits := c.leak(state, in.At)
	state.count(in)
	state.keep(in.Event, c.Keep)
	if c.Overflows != nil && c.Overflows(state, in.Event) || c.Kind == Leaky && !fits {
		return Overflow
	}
	return Kept
}

// Expire says what becomes of a bucket that reached the end of its life.
func (c *Config) Expire() Outcome {
	if c.Timed {
		return Overflow
	}
	return Underflow
}

// Outlived reports whether a bucket in replay was gone when an event arrives at that time: idle for longer
// than its lifetime. A gap of exactly the lifetime keeps it.
func (c *Config) Outlived(state *State, at time.Time) bool {
	return !state.Last.IsZero() && at.After(state.Last.Add(c.Lifetime))
}

// leak lets out what leaked until at and takes one place if there is one. Like a token bucket it starts
// with Capacity places, regains one each Leakspeed, and forgives what leaks within one nanosecond.
func (c *Config) leak(state *State, at time.Time) bool {
	if c.Capacity < 0 {
		return true
	}
	if state.leakedAt.IsZero() {
		state.tokens, state.leakedAt = float64(c.Capacity), at
	}
	rate := 1 / c.Leakspeed.Seconds()
	elapsed := max(0, at.Sub(state.leakedAt)) // an older event finds what a later one left
	tokens := min(float64(c.Capacity), state.tokens+elapsed.Seconds()*rate) - 1
	if tokens < 0 && time.Duration(-tokens/rate*float64(time.Second)) > 0 {
		return false
	}
	state.tokens, state.leakedAt = tokens, at
	return true
}

func (s *State) count(in Input) {
	if s.Total == 0 {
		s.First = in.At
	}
	s.Last = in.At
	s.Total++
}

// keep holds the newest limit+1 events.
func (s *State) keep(evt *event.Event, limit int) {
	s.Queue = append(s.Queue, evt)
	if limit >= 0 && len(s.Queue) > limit+1 {
		s.Queue[0] = nil
		s.Queue = s.Queue[1:]
	}
}

func (s *State) isNew(value string) bool {
	if _, known := s.seen[value]; known {
		return false
	}
	if s.seen == nil {
		s.seen = map[string]struct{}{}
	}
	s.seen[value] = struct{}{}
	s.fresh = append(s.fresh, value)
	return true
}
