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

// Parse runs evt through the stages. It reports whether the event made it through all of them, which is
// also what evt.Process says afterwards. It never panics on an event made by event.New.
func (s *Set) Parse(evt *event.Event) bool {
	return s.ParseObserved(evt, func(string, string, *event.Event, bool) {})
}

// ParseObserved is Parse with an observer. A node that ends the event with an error is not observed.
func (s *Set) ParseObserved(evt *event.Event, observe Observer) bool {
	return s.ParseInTurn(evt, func() {}, observe)
}

// ParseInTurn is ParseObserved for one of several workers: it takes its turn before a node that uses a stash.
func (s *Set) ParseInTurn(evt *event.Event, turn Turn, observe Observer) bool {
	evt.Process = false
	evt.Process = s.parse(evt, turn, observe)
	return evt.Process
}

// Stages returns the names of the stages, in order.
func (s *Set) Stages() []string {
	names := make([]string, 0, len(s.stages))
	for _, stage := range s.stages {
		names = append(names, stage.name)
	}
	return names
}

func (s *Set) parse(evt *event.Event, turn Turn, observe Observer) bool {
	if len(s.stages) == 0 {
		return true
	}
	if evt.Stage == "" {
		evt.Stage = s.stages[0].name
	}
	for i := range s.stages {
		stage := &s.stages[i]
		if evt.Stage > stage.name && s.next[evt.Stage] != "" {
			continue // a node moved it further
		}
		if evt.Stage != stage.name || !s.runStage(stage, evt, turn, observe) {
			return false
		}
	}
	return true
}

// runStage reports whether one of the nodes succeeded.
func (s *Set) runStage(stage *stage, evt *event.Event, turn Turn, observe Observer) bool {
	succeeded := false
	for _, n := range stage.nodes {
		ok, err := n.run(s, evt, turn)
		if err != nil {
			s.log.Error("dropping an event that a parser cannot handle", "error", err)
			return false
		}
		observe(stage.name, n.name, evt, ok)
		succeeded = succeeded || ok
		if ok && n.nextStage || evt.Stage != stage.name {
			break
		}
	}
	return succeeded
}

// after returns the stage that follows, the same one when it is the last.
func (s *Set) after(name string) string {
	if next, ok := s.next[name]; ok {
		return next
	}
	return name
}
