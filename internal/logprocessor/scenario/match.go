package scenario

import (
	"errors"
	"strings"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// Set is a loaded collection of scenarios. It is read-only and safe for concurrent use.
type Set struct {
	scenarios []*Scenario
	filters   *expression.Selector // of the scenarios, by their index
	remembers bool
	packer    *event.Packer // that of nobody: each matcher has another
}

// Remembers reports whether what Match finds out about an event depends on earlier ones, through a stash.
func (s *Set) Remembers() bool { return s.remembers }

// Pour is an event on its way into one scenario's bucket.
type Pour struct {
	Scenario *Scenario
	Group    string
	Input    bucket.Input
}

// Names returns the names of the scenarios, in the order of loading.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.scenarios))
	for _, scenario := range s.scenarios {
		names = append(names, scenario.Name)
	}
	return names
}

// Matcher finds out which scenarios events concern, one after the other, and reuses what that needs. One
// goroutine at a time may use it.
type Matcher struct {
	set      *Set
	packer   *event.Packer
	env      event.Env
	selected []int
	lastTime readTime
}

// readTime is a time and the text that it was read from: lines that follow each other often share it.
type readTime struct {
	text string
	at   time.Time
}

// NewMatcher returns a Matcher for the scenarios of s.
func (s *Set) NewMatcher() *Matcher { return &Matcher{set: s, packer: s.packer.Another()} }

// Append adds the pours that evt causes to pours, in the order of loading. An event in replay must carry the
// time of its log line; without one it reaches only triggers. The pours hold nothing of evt but copies.
func (m *Matcher) Append(pours []Pour, evt *event.Event, now time.Time) []Pour {
	first := len(pours)
	m.env.Evt = evt
	m.selected = m.set.filters.Select(&m.env, m.selected[:0], m.set.leaveOut)
	var at time.Time
	var atErr error
	for _, i := range m.selected {
		scenario, last := m.set.scenarios[i], len(pours)
		pours = append(pours, Pour{Scenario: scenario})
		pour := &pours[last]
		if err := scenario.pour(pour, &m.env); err != nil {
			m.set.leaveOut(i, err)
			pours = pours[:last]
			continue
		}
		if at.IsZero() {
			at, atErr = m.bucketTime(evt, now)
		}
		if atErr != nil && scenario.bucket.Kind != bucket.Trigger {
			scenario.log.Warn("event without a usable time cannot be replayed", "error", atErr)
			pours = pours[:last]
			continue
		}
		pour.Input.At, pour.Input.Now = at, now
	}
	m.env.Evt = nil
	m.keep(pours[first:], evt)
	return pours
}

func (s *Set) leaveOut(i int, err error) {
	s.scenarios[i].log.Warn("scenario cannot handle an event, leaving it out", "error", err)
}

// errNoTime means that no parser told when the line was written.
var errNoTime = errors.New("no MarshaledTime: is a date parser installed?")

// bucketTime returns the time by the event's clock. With an error it is the wall clock's.
func (m *Matcher) bucketTime(evt *event.Event, now time.Time) (time.Time, error) {
	if evt.ExpectMode == event.Live {
		return now, nil
	}
	if evt.MarshaledTime == "" {
		return now, errNoTime
	}
	if evt.MarshaledTime == m.lastTime.text {
		return m.lastTime.at, nil
	}
	at, err := time.ParseInLocation(time.RFC3339Nano, evt.MarshaledTime, time.UTC) // never the zone of the host
	if err != nil {
		return now, err
	}
	m.lastTime = readTime{strings.Clone(evt.MarshaledTime), at}
	return at, nil
}

// pour fills in what the scenario finds out about an event that concerns it.
func (s *Scenario) pour(pour *Pour, env *event.Env) (err error) {
	pour.Input.Clock, pour.Input.Time = env.Evt.ExpectMode, env.Evt.Time
	if s.groupBy != nil {
		if pour.Group, err = s.groupBy.Eval(env); err != nil {
			return err
		}
	}
	pour.Input.Distinct, pour.Input.Differs = s.distinctValue(env)
	pour.Input.Cancel = s.cancels(env)
	if s.bucket.Ask != nil {
		pour.Input.Answers = s.bucket.Ask(env)
	}
	return nil
}

// distinctValue reports false when the event counts whatever its value: the scenario does not ask, or the value
// cannot be told.
func (s *Scenario) distinctValue(env *event.Env) (value string, differs bool) {
	if s.distinct == nil {
		return "", false
	}
	value, err := s.evaluateDistinct(env)
	if err != nil {
		s.log.Warn("distinct cannot be evaluated, counting the event", "error", err)
		return "", false
	}
	return value, true
}

func (s *Scenario) evaluateDistinct(env *event.Env) (string, error) {
	if text := s.distinct.AsString(); text != nil {
		return text.Eval(env)
	}
	result, err := s.distinct.Eval(env)
	value, _ := result.(string) // anything else counts as "", as published
	return value, err
}

func (s *Scenario) cancels(env *event.Env) bool {
	if s.cancelOn == nil {
		return false
	}
	cancel, err := s.cancelOn.Eval(env)
	if err != nil {
		s.log.Warn("cancel_on cannot be evaluated", "error", err)
		return false
	}
	return cancel
}
