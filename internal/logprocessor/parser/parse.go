package parser

import (
	"shieldwall/internal/logprocessor/event"
)

// Parse runs evt through the stages. It reports whether the event made it through all of them, which is
// also what evt.Process says afterwards. It never panics on an event made by event.New.
func (s *Set) Parse(evt *event.Event) bool {
	evt.Process = s.parse(evt)
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

func (s *Set) parse(evt *event.Event) bool {
	if len(s.stages) == 0 {
		return true
	}
	if evt.Stage == "" {
		evt.Stage = s.stages[0].name
	}
	for i := range s.stages {
		stage := &s.stages[i]
		if evt.Stage > stage.name {
			continue // a node moved it further
		}
		if evt.Stage != stage.name || !s.runStage(stage, evt) {
			return false
		}
	}
	return true
}

// runStage reports whether one of the nodes succeeded.
func (s *Set) runStage(stage *stage, evt *event.Event) bool {
	succeeded := false
	for _, n := range stage.nodes {
		ok, err := n.run(s, evt)
		if err != nil {
			s.log.Error("dropping an event that a parser cannot handle", "error", err)
			return false
		}
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
