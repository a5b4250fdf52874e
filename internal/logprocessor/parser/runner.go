package parser

import (
	"shieldwall/internal/logprocessor/event"
)

// Observer is told what each top-level node that was reached made of an event, as soon as it has. It must
// copy what it wants to keep of the event, which goes on.
type Observer func(stage, parser string, evt *event.Event, succeeded bool)

// Turn is called by a worker before it does what depends on earlier events, possibly often. It returns when
// all events that come before are through.
type Turn func()

// Runner takes events through the stages of a Set, one after the other, and reuses what that needs. One
// goroutine at a time may use it. Flush hands over what it has counted.
type Runner struct {
	set     *Set
	turn    Turn     // nil: no other worker to wait for
	observe Observer // nil: nobody looks
	env     event.Env
	values  []string // of the pattern that matched last
	counts  counts

	selected, doubts []int                  // filters of a route that are true, and that failed
	marked           []bool                 // the nodes to be asked
	doubt            func(i int, err error) // adds to doubts
}

// NewRunner returns a Runner that takes its turn before a node that uses a stash. Both may be nil.
func (s *Set) NewRunner(turn Turn, observe Observer) *Runner {
	r := &Runner{set: s, turn: turn, observe: observe, counts: counts{metrics: s.metrics, nodes: s.counted}}
	r.doubt = func(i int, _ error) { r.doubts = append(r.doubts, i) }
	return r
}

// Flush adds what was counted to the metrics of the Set.
func (r *Runner) Flush() { r.counts.flush() }

// Parse runs evt through the stages. It reports whether the event made it through all of them, which is
// also what evt.Process says afterwards. It never panics on an event made by event.New.
func (r *Runner) Parse(evt *event.Event) bool {
	if r.set.plain {
		evt.Maps()
	}
	r.env.Evt = evt
	r.counts.from(evt)
	evt.Process = false
	evt.Process = r.parse(evt)
	r.env.Evt = nil
	return evt.Process
}

// Parse is Runner.Parse for a single event.
func (s *Set) Parse(evt *event.Event) bool { return s.ParseObserved(evt, nil) }

// ParseObserved is Parse with an observer. A node that ends the event with an error is not observed.
func (s *Set) ParseObserved(evt *event.Event, observe Observer) bool {
	r := s.NewRunner(nil, observe)
	defer r.Flush()
	return r.Parse(evt)
}

// Stages returns the names of the stages, in order.
func (s *Set) Stages() []string {
	names := make([]string, 0, len(s.stages))
	for _, stage := range s.stages {
		names = append(names, stage.name)
	}
	return names
}

func (r *Runner) parse(evt *event.Event) bool {
	stages := r.set.stages
	if len(stages) == 0 {
		return true
	}
	if evt.Stage == "" {
		evt.Stage = stages[0].name
	}
	for i := range stages {
		stage := &stages[i]
		if evt.Stage > stage.name && r.set.next[evt.Stage] != "" {
			continue // a node moved it further
		}
		if evt.Stage != stage.name || !r.runStage(stage, evt) {
			return false
		}
	}
	return true
}

// runStage reports whether one of the nodes succeeded.
func (r *Runner) runStage(stage *stage, evt *event.Event) bool {
	succeeded := false
	var candidates []bool // nil: every node is asked
	if stage.route != nil && r.observe == nil {
		candidates = r.candidates(stage.route)
	}
	for i, n := range stage.nodes {
		if candidates != nil && !candidates[i] {
			continue
		}
		candidates = nil // this one may change what the others look at
		ok, err := n.run(r)
		if err != nil {
			r.set.log.Error("dropping an event that a parser cannot handle", "error", err)
			return false
		}
		if r.observe != nil {
			r.observe(stage.name, n.name, evt, ok)
		}
		succeeded = succeeded || ok
		if ok && n.nextStage || evt.Stage != stage.name {
			break
		}
	}
	return succeeded
}

// waitForTurn returns when nothing that comes before can still leave something behind.
func (r *Runner) waitForTurn() {
	if r.turn != nil {
		r.turn()
	}
}

// captured returns room for the values of a pattern.
func (r *Runner) captured(fields int) []string {
	if cap(r.values) < fields {
		r.values = make([]string, fields)
	}
	return r.values[:fields]
}

// after returns the stage that follows, the same one when it is the last.
func (s *Set) after(name string) string {
	if next, ok := s.next[name]; ok {
		return next
	}
	return name
}
