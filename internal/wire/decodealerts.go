package wire

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"shieldwall/internal/domain/fault"
)

// DecodeAlerts reads the body of POST /v1/alerts. Malformed JSON is a fault.Invalid error, missing fields
// are a *ValidationError with at most about a hundred problems; unknown fields are ignored. null and [] are
// no alerts. What is read goes into the alerts at once: an import may be as large as the memory that is left.
func DecodeAlerts(r io.Reader) ([]Alert, error) {
	s := newScanner(&guard{r: r})
	switch b := s.next(); b {
	case 'n':
		s.word("null")
		return nil, s.err
	case '{', '"', 't', 'f':
		return nil, fault.Errorf(fault.Invalid, "the body is not an array of alerts")
	}
	d := alertsDecoder{scanner: s, reading: -1}
	s.array(d.alert)
	switch {
	case errors.Is(s.err, errEnough) || s.err == nil && len(d.problems) > 0:
		return nil, &ValidationError{Problems: d.problems}
	case s.err != nil && d.reading >= 0:
		return nil, fault.Errorf(fault.KindOf(s.err), "alert %d: %w", d.reading, s.err)
	case s.err != nil:
		return nil, s.err
	}
	return d.alerts, nil
}

// errEnough ends the reading of a body that is wrong all over.
var errEnough = errors.New("too many problems")

// alertsDecoder reads alerts and collects what they lack.
type alertsDecoder struct {
	*scanner

	alerts   []Alert
	problems []string
	reading  int // which alert; -1 between two
}

func (d *alertsDecoder) alert(i int) {
	d.reading = i
	a := alertDecoder{alertsDecoder: d}
	if d.null() {
		d.problems = append(d.problems, fmt.Sprintf("%d in body is required", i))
	} else {
		d.object(a.member)
		if d.err != nil && !errors.Is(d.err, errEnough) {
			return
		}
		d.problems = append(d.problems, a.check(fmt.Sprint(i))...)
	}
	if len(d.problems) >= maxProblems {
		d.fail(errEnough)
	}
	if len(d.problems) == 0 {
		d.alerts = append(d.alerts, a.result)
	}
	d.reading = -1
}

// fields is a set of those that were there and not null.
type fields uint32

func (f *fields) add(field fields) { *f |= field }

func (f fields) has(field fields) bool { return f&field != 0 }

// The fields that are required of alerts, sources, events and decisions.
const (
	hasCapacity fields = 1 << iota
	hasEvents
	hasEventsCount
	hasLeakspeed
	hasMessage
	hasScenario
	hasScenarioHash
	hasScenarioVersion
	hasSimulated
	hasSource
	hasStartAt
	hasStopAt
	hasScope
	hasValue
	hasMeta
	hasTimestamp
	hasDuration
	hasOrigin
	hasType
)

// need is a required field and its name.
type need struct {
	field fields
	name  string
}

// missing returns the problems of a document that lacks needs.
func (f fields) missing(at string, needs ...need) (problems []string) {
	for _, n := range needs {
		if !f.has(n.field) {
			problems = append(problems, at+"."+n.name+" in body is required")
		}
	}
	return problems
}

// alertDecoder reads one alert.
type alertDecoder struct {
	*alertsDecoder

	result     Alert
	seen       fields
	sourceSeen fields

	events       pile[Event]
	badEvents    []elementProblems
	decisions    pile[Decision]
	badDecisions []elementProblems
	found        int // bad ones
}

// pile is a list that grows without being copied, which would need twice the memory.
type pile[T any] struct {
	full [][]T
	last []T
}

const pileSize = 4096

func (p *pile[T]) add(element T) {
	if len(p.last) == pileSize {
		p.full, p.last = append(p.full, p.last), make([]T, 0, pileSize)
	}
	p.last = append(p.last, element)
}

// assemble returns the elements as one list, nil for none. Nobody wants them after an error.
func assemble[T any](s *scanner, p *pile[T]) []T {
	switch {
	case s.err != nil:
		return nil
	case len(p.full) == 0:
		return p.last
	}
	list := slices.Concat(append(p.full, p.last)...)
	p.full, p.last = nil, nil
	return list
}

// elementProblems is an element of an array that lacks something.
type elementProblems struct {
	index  int
	seen   fields
	isNull bool
}

func (d *alertDecoder) member(name string) {
	if d.null() {
		d.forget(name)
		return
	}
	a := &d.result
	switch name {
	case "capacity":
		d.seen.add(hasCapacity)
		a.Capacity = d.integer()
	case "decisions":
		d.decisions, d.badDecisions = pile[Decision]{}, nil
		d.array(d.decision)
		a.Decisions = assemble(d.scanner, &d.decisions)
	case "events":
		d.seen.add(hasEvents)
		d.events, d.badEvents = pile[Event]{last: []Event{}}, nil
		d.array(d.event)
		a.Events = assemble(d.scanner, &d.events)
	case "events_count":
		d.seen.add(hasEventsCount)
		a.EventsCount = d.integer()
	case "labels":
		a.Labels = []string{}
		d.array(func(int) { a.Labels = append(a.Labels, d.optionalText()) })
	case "meta":
		a.Meta = d.meta()
	case "remediation":
		a.Remediation = d.boolean()
	case "simulated":
		d.seen.add(hasSimulated)
		a.Simulated = d.boolean()
	case "source":
		d.seen.add(hasSource)
		if a.Source == nil {
			a.Source = &Source{}
		}
		d.object(d.source)
	default:
		d.textMember(name)
	}
}

// forget takes back a list that was given before it was null.
func (d *alertDecoder) forget(name string) {
	switch name {
	case "decisions":
		d.result.Decisions, d.badDecisions = nil, nil
	case "events":
		d.result.Events, d.badEvents = nil, nil
		d.seen &^= hasEvents
	}
}

func (d *alertDecoder) textMember(name string) {
	target, field := textField(&d.result, name)
	if target == nil {
		d.skip()
		return
	}
	d.seen.add(field)
	*target = d.text()
}

// textField returns where the text of a field goes, nil for a field that is of no interest.
func textField(a *Alert, name string) (*string, fields) {
	switch name {
	case "kind":
		return &a.Kind, 0
	case "leakspeed":
		return &a.Leakspeed, hasLeakspeed
	case "message":
		return &a.Message, hasMessage
	case "scenario":
		return &a.Scenario, hasScenario
	case "scenario_hash":
		return &a.ScenarioHash, hasScenarioHash
	case "scenario_version":
		return &a.ScenarioVersion, hasScenarioVersion
	case "start_at":
		return &a.StartAt, hasStartAt
	case "stop_at":
		return &a.StopAt, hasStopAt
	case "uuid":
		return &a.UUID, 0
	}
	return nil, 0
}

// optionalText reads a text, "" for null.
func (d *alertDecoder) optionalText() string {
	if d.null() {
		return ""
	}
	return d.text()
}

func (d *alertDecoder) meta() []MetaItem {
	items := []MetaItem{}
	d.array(func(int) {
		var item MetaItem
		if !d.null() {
			d.object(func(name string) {
				switch name {
				case "key":
					item.Key = d.optionalText()
				case "value":
					item.Value = d.optionalText()
				default:
					d.skip()
				}
			})
		}
		items = append(items, item)
	})
	return items
}

func (d *alertDecoder) source(name string) {
	if d.null() {
		return
	}
	source := d.result.Source
	switch name {
	case "as_name":
		source.AsName = d.text()
	case "as_number":
		source.AsNumber = d.text()
	case "cn":
		source.Cn = d.text()
	case "ip":
		source.IP = d.text()
	case "latitude":
		source.Latitude = d.float()
	case "longitude":
		source.Longitude = d.float()
	case "range":
		source.Range = d.text()
	case "scope":
		d.sourceSeen.add(hasScope)
		source.Scope = d.text()
	case "value":
		d.sourceSeen.add(hasValue)
		source.Value = d.text()
	default:
		d.skip()
	}
}

func (d *alertDecoder) event(i int) {
	if d.null() {
		d.note(&d.badEvents, elementProblems{index: i, isNull: true})
		return
	}
	var (
		event Event
		seen  fields
	)
	d.object(func(name string) {
		switch {
		case d.null():
		case name == "meta":
			seen.add(hasMeta)
			event.Meta = d.meta()
		case name == "timestamp":
			seen.add(hasTimestamp)
			event.Timestamp = d.text()
		default:
			d.skip()
		}
	})
	if seen != hasMeta|hasTimestamp {
		d.note(&d.badEvents, elementProblems{index: i, seen: seen})
		return
	}
	d.events.add(event)
}

func (d *alertDecoder) decision(i int) {
	if d.null() {
		d.note(&d.badDecisions, elementProblems{index: i, isNull: true})
		return
	}
	var (
		decision Decision
		seen     fields
	)
	d.object(func(name string) {
		target, field := decisionField(&decision, name)
		switch {
		case d.null():
		case target != nil:
			seen.add(field)
			*target = d.text()
		case name == "simulated":
			simulated := d.boolean()
			decision.Simulated = &simulated
		default:
			d.skip()
		}
	})
	if seen != hasDuration|hasOrigin|hasScenario|hasScope|hasType|hasValue {
		d.note(&d.badDecisions, elementProblems{index: i, seen: seen})
		return
	}
	d.decisions.add(decision)
}

func decisionField(decision *Decision, name string) (*string, fields) {
	switch name {
	case "duration":
		return &decision.Duration, hasDuration
	case "origin":
		return &decision.Origin, hasOrigin
	case "scenario":
		return &decision.Scenario, hasScenario
	case "scope":
		return &decision.Scope, hasScope
	case "type":
		return &decision.Type, hasType
	case "value":
		return &decision.Value, hasValue
	}
	return nil, 0
}

// note keeps that an element lacks something. When there is enough to say, reading on is a waste.
func (d *alertDecoder) note(list *[]elementProblems, problems elementProblems) {
	if d.err != nil {
		return
	}
	*list = append(*list, problems)
	if d.found++; d.found >= maxProblems {
		d.fail(errEnough)
	}
}

// check returns what the alert lacks, field by field in alphabetical order.
func (d *alertDecoder) check(at string) []string {
	decisions := problemsOf(d.badDecisions, at+".decisions",
		need{hasDuration, "duration"}, need{hasOrigin, "origin"}, need{hasScenario, "scenario"},
		need{hasScope, "scope"}, need{hasType, "type"}, need{hasValue, "value"})
	events := problemsOf(d.badEvents, at+".events", need{hasMeta, "meta"}, need{hasTimestamp, "timestamp"})
	source := d.seen.missing(at, need{hasSource, "source"})
	if len(source) == 0 {
		source = d.sourceSeen.missing(at+".source", need{hasScope, "scope"}, need{hasValue, "value"})
	}
	return slices.Concat(
		d.seen.missing(at, need{hasCapacity, "capacity"}), decisions,
		d.seen.missing(at, need{hasEvents, "events"}), events,
		d.seen.missing(at, need{hasEventsCount, "events_count"}, need{hasLeakspeed, "leakspeed"}, need{hasMessage, "message"},
			need{hasScenario, "scenario"}, need{hasScenarioHash, "scenario_hash"}, need{hasScenarioVersion, "scenario_version"},
			need{hasSimulated, "simulated"}),
		source,
		d.seen.missing(at, need{hasStartAt, "start_at"}, need{hasStopAt, "stop_at"}),
	)
}

func problemsOf(elements []elementProblems, at string, needs ...need) (problems []string) {
	for _, element := range elements {
		name := fmt.Sprintf("%s.%d", at, element.index)
		if element.isNull {
			problems = append(problems, name+" in body is required")
			continue
		}
		problems = append(problems, element.seen.missing(name, needs...)...)
	}
	return problems
}
