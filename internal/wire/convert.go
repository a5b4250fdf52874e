package wire

import (
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/platform/duration"
)

// noMachine is published for alerts without an owner.
const noMachine = "N/A"

// ToDomain returns the alert that the document describes. Times that cannot be read become now. A decision
// ends its duration after StopAt and is simulated when the alert is; one with a duration that cannot be
// read is a fault.Invalid error. IDs and MachineID are not taken over: the Local API assigns them.
func (a *Alert) ToDomain(now time.Time) (domain.Alert, error) {
	alert := domain.Alert{
		UUID: a.UUID, Kind: a.Kind, Scenario: a.Scenario, ScenarioHash: a.ScenarioHash,
		ScenarioVersion: a.ScenarioVersion, Message: a.Message, EventsCount: a.EventsCount,
		Capacity: a.Capacity, Leakspeed: a.Leakspeed, StartAt: parseTime(a.StartAt, now),
		StopAt: parseTime(a.StopAt, now), Simulated: a.Simulated, Remediation: a.Remediation,
		Source: a.Source.toDomain(), Meta: metaToDomain(a.Meta),
	}
	if len(a.Events) > 0 {
		alert.Events = make([]domain.AlertEvent, 0, len(a.Events))
	}
	if len(a.Decisions) > 0 {
		alert.Decisions = make([]domain.Decision, 0, len(a.Decisions))
	}
	for _, event := range a.Events {
		alert.Events = append(alert.Events, domain.AlertEvent{
			Time: parseTime(event.Timestamp, now), Meta: metaToDomain(event.Meta),
		})
	}
	for _, decision := range a.Decisions {
		converted, err := decision.toDomain(&alert)
		if err != nil {
			return domain.Alert{}, err
		}
		alert.Decisions = append(alert.Decisions, converted)
	}
	return alert, nil
}

func (d *Decision) toDomain(alert *domain.Alert) (domain.Decision, error) {
	length, err := duration.Parse(d.Duration)
	if err != nil {
		return domain.Decision{}, fault.Errorf(fault.Invalid, "decision duration '%s': %w", d.Duration, err)
	}
	return domain.Decision{
		UUID: d.UUID, Origin: d.Origin, Type: d.Type, Scenario: d.Scenario,
		Scope: domain.NormalizeScope(d.Scope), Value: d.Value, Simulated: alert.Simulated,
		Until: alert.StopAt.Add(length),
	}, nil
}

func (s *Source) toDomain() domain.Source {
	if s == nil {
		return domain.Source{}
	}
	return domain.Source{
		Scope: domain.NormalizeScope(s.Scope), Value: s.Value, IP: s.IP, Range: s.Range, ASNumber: s.AsNumber,
		ASName: s.AsName, Country: s.Cn, Latitude: s.Latitude, Longitude: s.Longitude,
	}
}

// FromAlert returns the document that the Local API answers for alert: whole seconds, event times in Go's
// default text, remaining durations at now, decisions without uuid.
func FromAlert(alert *domain.Alert, now time.Time) Alert {
	document := Alert{
		Capacity: alert.Capacity, CreatedAt: wholeSeconds(alert.CreatedAt), EventsCount: alert.EventsCount,
		ID: alert.ID, Kind: alert.Kind, Leakspeed: alert.Leakspeed, MachineID: alert.MachineID,
		Message: alert.Message, Meta: metaFromDomain(alert.Meta), Remediation: alert.Remediation,
		Scenario: alert.Scenario, ScenarioHash: alert.ScenarioHash, ScenarioVersion: alert.ScenarioVersion,
		Simulated: alert.Simulated, Source: sourceFromDomain(&alert.Source), StartAt: wholeSeconds(alert.StartAt),
		StopAt: wholeSeconds(alert.StopAt), UUID: alert.UUID,
	}
	if document.MachineID == "" {
		document.MachineID = noMachine
	}
	if len(alert.Events) > 0 { // null when there are none
		document.Events = make([]Event, 0, len(alert.Events))
	}
	if len(alert.Decisions) > 0 {
		document.Decisions = make([]Decision, 0, len(alert.Decisions))
	}
	for _, event := range alert.Events {
		document.Events = append(document.Events, Event{
			Meta: metaFromDomain(event.Meta), Timestamp: event.Time.UTC().Round(0).String(),
		})
	}
	for i := range alert.Decisions {
		decision := FromDecision(&alert.Decisions[i], now)
		decision.UUID, decision.Simulated = "", &document.Simulated
		document.Decisions = append(document.Decisions, decision)
	}
	return document
}

// FromDecision returns the document that bouncers read on the stream: the remaining duration at now,
// neither until nor simulated.
func FromDecision(decision *domain.Decision, now time.Time) Decision {
	return Decision{
		Duration: duration.Format(decision.Until.Sub(now)), ID: decision.ID, Origin: decision.Origin,
		Scenario: decision.Scenario, Scope: string(decision.Scope), Type: decision.Type, UUID: decision.UUID,
		Value: decision.Value,
	}
}

func sourceFromDomain(source *domain.Source) *Source {
	return &Source{
		AsName: source.ASName, AsNumber: source.ASNumber, Cn: source.Country, IP: source.IP,
		Latitude: source.Latitude, Longitude: source.Longitude, Range: source.Range,
		Scope: string(source.Scope), Value: source.Value,
	}
}

func metaToDomain(items []MetaItem) []domain.KeyValue {
	pairs := make([]domain.KeyValue, len(items))
	for i, item := range items {
		pairs[i] = domain.KeyValue(item)
	}
	return pairs
}

func metaFromDomain(pairs []domain.KeyValue) []MetaItem {
	items := make([]MetaItem, len(pairs))
	for i, pair := range pairs {
		items[i] = MetaItem(pair)
	}
	return items
}

func parseTime(text string, now time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now.UTC()
	}
	return t.UTC()
}

func wholeSeconds(t time.Time) string { return t.UTC().Format(time.RFC3339) }
