package scenario

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// overflowEvent builds the event that leaves for postoverflows and the Local API.
func (s *Scenario) overflowEvent(state *bucket.State, queue []*event.Event, at time.Time) (*event.Event, error) {
	sources, err := s.sources(queue)
	if err != nil {
		return nil, err
	}
	evt := event.New(event.Line{}, event.Live)
	evt.Type = event.Overflow
	evt.Time, evt.MarshaledTime = at, at.Format(time.RFC3339Nano)
	evt.Overflow = event.RuntimeAlert{Mapkey: s.mapKey(state.Group), Reprocess: s.reprocess, Sources: sources}
	evt.Overflow.APIAlerts = s.alerts(state, alertEvents(queue), sources, at)
	evt.Overflow.Alert = evt.Overflow.APIAlerts[0]
	return evt, nil
}

// alerts makes one alert per source, ordered by value. They differ in nothing else.
func (s *Scenario) alerts(state *bucket.State, events []wire.Event, sources map[string]*wire.Source, at time.Time) []*wire.Alert {
	body := wire.Alert{
		Capacity:        int32(s.bucket.Capacity), //nolint:gosec // a capacity beyond 2^31 cannot be filled
		Events:          events,
		EventsCount:     int32(state.Total), //nolint:gosec // as above
		Kind:            "crowdsec",
		Leakspeed:       s.leakspeed.String(),
		Message:         s.message(state, sources, at),
		Remediation:     s.remediate,
		Scenario:        s.Name,
		ScenarioHash:    s.Hash,
		ScenarioVersion: s.Version,
		Simulated:       s.simulated,
		StartAt:         state.First.Format(time.RFC3339Nano),
		StopAt:          at.Format(time.RFC3339Nano),
	}
	alerts := make([]*wire.Alert, 0, len(sources))
	for _, value := range slices.Sorted(maps.Keys(sources)) {
		alert := body
		alert.Source = sources[value]
		alerts = append(alerts, &alert)
	}
	return alerts
}

// addContext is apart because it is work that overflows which nobody hears of need not cause.
func (s *Scenario) addContext(evt *event.Event, queue []*event.Event) {
	if s.context == nil {
		return
	}
	meta := s.context.Meta(queue)
	for _, alert := range evt.Overflow.APIAlerts {
		alert.Meta = meta
	}
}

func alertEvents(queue []*event.Event) []wire.Event {
	count := 0
	for _, evt := range queue {
		count += evt.MetaCount()
	}
	events, items := make([]wire.Event, 0, len(queue)), make([]wire.MetaItem, 0, count)
	for _, evt := range queue {
		timestamp := evt.MarshaledTime
		if timestamp == "" {
			timestamp = evt.Time.UTC().Format(time.RFC3339Nano)
		}
		first := len(items)
		items = evt.AppendMeta(items)
		events = append(events, wire.Event{Meta: slices.Clip(items[first:]), Timestamp: timestamp})
	}
	return events
}

// message is the published sentence that administrators grep their logs for.
func (s *Scenario) message(state *bucket.State, sources map[string]*wire.Source, at time.Time) string {
	who := fmt.Sprintf("%d sources", len(sources))
	if len(sources) == 1 {
		for value := range sources {
			who = value
		}
	}
	return fmt.Sprintf("%s %s performed '%s' (%d events over %s) at %s",
		s.scope, who, s.Name, state.Total, at.Sub(state.First), state.Last)
}
