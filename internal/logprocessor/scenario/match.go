package scenario

import (
	"errors"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// Set is a loaded collection of scenarios. It is read-only and safe for concurrent use.
type Set struct {
	scenarios []*Scenario
	remembers bool
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

// Match returns the pours that evt causes, in the order of loading. An event in replay must carry the time
// of its log line; without one it reaches only triggers.
func (s *Set) Match(evt *event.Event, now time.Time) []Pour {
	env := &event.Env{Evt: evt}
	var pours []Pour
	var at time.Time
	var atErr error
	for _, scenario := range s.scenarios {
		pour, concerned, err := scenario.match(env)
		if err != nil {
			scenario.log.Warn("scenario cannot handle an event, leaving it out", "error", err)
			continue
		}
		if !concerned {
			continue
		}
		if at.IsZero() {
			at, atErr = bucketTime(evt, now)
		}
		if atErr != nil && scenario.bucket.Kind != bucket.Trigger {
			scenario.log.Warn("event without a usable time cannot be replayed", "error", atErr)
			continue
		}
		pour.Input.At, pour.Input.Now = at, now
		pours = append(pours, pour)
	}
	return pours
}

// errNoTime means that no parser told when the line was written.
var errNoTime = errors.New("no MarshaledTime: is a date parser installed?")

// bucketTime returns the time by the event's clock. With an error it is the wall clock's.
func bucketTime(evt *event.Event, now time.Time) (time.Time, error) {
	if evt.ExpectMode == event.Live {
		return now, nil
	}
	if evt.MarshaledTime == "" {
		return now, errNoTime
	}
	at, err := time.ParseInLocation(time.RFC3339Nano, evt.MarshaledTime, time.UTC) // never the zone of the host
	if err != nil {
		return now, err
	}
	return at, nil
}

// match decides whether the scenario is concerned and what it finds out about the event.
func (s *Scenario) match(env *event.Env) (pour Pour, concerned bool, err error) {
	concerned, err = s.filter.Eval(env)
	if err != nil || !concerned {
		return Pour{}, false, err
	}
	pour = Pour{Scenario: s, Input: bucket.Input{Event: env.Evt}}
	if s.groupBy != nil {
		if pour.Group, err = s.groupBy.Eval(env); err != nil {
			return Pour{}, false, err
		}
	}
	pour.Input.Distinct = s.distinctValue(env)
	pour.Input.Cancel = s.cancels(env)
	return pour, true, nil
}

// distinctValue is nil when the event counts whatever its value: the scenario does not ask, or the value
// cannot be told.
func (s *Scenario) distinctValue(env *event.Env) *string {
	if s.distinct == nil {
		return nil
	}
	result, err := s.distinct.Eval(env)
	if err != nil {
		s.log.Warn("distinct cannot be evaluated, counting the event", "error", err)
		return nil
	}
	value, _ := result.(string) // anything else counts as "", as published
	return &value
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
