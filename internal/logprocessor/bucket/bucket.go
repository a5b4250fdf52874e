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
	// It must be pure but for the state's Evidence, and keep nothing.
	Overflows func(state *State, latest Latest) bool

	// Ask answers up to MaxQuestions questions about an event, a bit for each, before it is poured. It must be pure and
	// ask for nothing that is not kept of events. With it Overflows is shown Watched in place of the queue.
	Ask func(env *event.Env) uint8
}

// Input is an event on its way into a bucket: what its scenario found out about it, and a copy of what matters.
type Input struct {
	Kept     event.Packed // what the bucket keeps of the event
	Clock    event.Clock  // of the event
	At       time.Time    // by that clock
	Now      time.Time    // by the wall clock; only an event from the past needs it
	Time     time.Time    // of the event itself, as rules see it
	Answers  uint8        // to what Config.Ask asks
	Distinct string       // counts only once in a bucket, if Differs
	Differs  bool         // the scenario asks for distinct values
	Cancel   bool         // the event calls the bucket off
	place    uint32       // of the bucket, when it was foreseen; 0: it was not
}

// Latest is the event that a bucket was given last. It is good until the call ends that it was handed to.
type Latest struct {
	kept event.Packed
	memo *memo
}

// Event returns what was kept of it.
func (l Latest) Event() *event.Event { return l.memo.unpack(l.kept) }

// State is a bucket as rules see it.
type State struct {
	Group       string         // what its events share
	Clock       event.Clock    // live from the first live event on
	First, Last time.Time      // of the events poured
	Total       int            // events poured, kept or not
	Kept        []event.Packed // after an overflow: its events, oldest first
	Queue       []*event.Event // for Config.Overflows: the same
	Watched     *Watched       // in place of Queue, for Overflows of a bucket that asks
	Evidence    []bool         // bayesian conditions that stay true
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

// pour puts an event into a bucket and says what became of that.
func (c *Config) pour(s *state, in *Input) Outcome {
	if c.Kind == Trigger {
		s.take(in, c.Keep)
		return Overflow
	}
	if in.Differs && !s.isNew(in.Distinct) {
		return Ignored
	}
	if in.Cancel {
		return Canceled
	}
	fits := c.leak(s, in.At)
	s.take(in, c.Keep)
	if c.Kind == Leaky && !fits {
		return Overflow
	}
	return Kept
}

// expire says what becomes of a bucket that reached the end of its life.
func (c *Config) expire() Outcome {
	if c.Timed {
		return Overflow
	}
	return Underflow
}

// over tells of a bucket in replay whether it was gone when an event arrives at that time. A gap of exactly the
// lifetime keeps it.
func (c *Config) over(s *state, at time.Time) bool {
	if c.Timed {
		return at.After(s.first.instant().Add(c.Lifetime))
	}
	return at.After(s.last.instant().Add(c.Lifetime))
}

// leak lets out what leaked until at and takes one place if there is one. Like a token bucket it starts
// with Capacity places, regains one each Leakspeed, and forgives what leaks within one nanosecond.
func (c *Config) leak(s *state, at time.Time) bool {
	if c.Kind != Leaky || c.Capacity < 0 {
		return true
	}
	tokens := float64(c.Capacity)
	rate := 1 / c.Leakspeed.Seconds()
	if s.total > 0 {
		elapsed := max(0, at.Sub(s.last.instant())) // an older event finds what a later one left
		tokens = min(tokens, s.tokens+elapsed.Seconds()*rate)
	}
	tokens--
	if tokens < 0 && time.Duration(-tokens/rate*float64(time.Second)) > 0 {
		return false
	}
	s.tokens = tokens
	return true
}
