// Package dump writes down what a cold run did with every event, in the three files by which rule authors
// and their tools judge an engine.
//
// It owns the published layout: parser-dump.yaml has what each parser made of each event, by stage and
// parser; bucketpour-dump.yaml the events that reached each scenario's buckets; bucket-dump.yaml the
// overflows. It keeps everything in memory until it is written, so it is for samples, not for traffic.
package dump

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// The names of the files.
const (
	ParserFile   = "parser-dump.yaml"
	PourFile     = "bucketpour-dump.yaml"
	OverflowFile = "bucket-dump.yaml"
)

// everything is the key below which the pour file has the events that reached the scenarios at all.
const everything = "OK"

// ParserResult is what one parser made of one event.
type ParserResult struct {
	Idx     int         `yaml:"idx"` // rank of the parser in its stage, from 1, by first appearance
	Evt     event.Event `yaml:"evt"`
	Success bool        `yaml:"success"`
}

// ParserResults are those of a run, by stage and parser, in the order of the events.
type ParserResults map[string]map[string][]ParserResult

// Pours are the events that reached a scenario, by its name.
type Pours map[string][]event.Event

// Recorder collects what happens. It is safe for concurrent use; the order of calls is the order of the
// files.
type Recorder struct {
	mu        sync.Mutex
	parsers   ParserResults
	pours     Pours
	overflows []event.Event
}

// NewRecorder returns a recorder that has seen nothing.
func NewRecorder() *Recorder {
	return &Recorder{
		parsers:   ParserResults{noStage: {"": {}}}, // a fixed entry, which readers count on
		pours:     Pours{},
		overflows: []event.Event{},
	}
}

// Parsed records what a parser made of an event.
func (r *Recorder) Parsed(stage, parser string, evt *event.Event, succeeded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parsers[stage] == nil {
		r.parsers[stage] = map[string][]ParserResult{}
	}
	results := r.parsers[stage][parser]
	rank := len(r.parsers[stage]) + 1
	if len(results) > 0 {
		rank = results[0].Idx
	}
	r.parsers[stage][parser] = append(results, ParserResult{Idx: rank, Evt: snapshot(evt), Success: succeeded})
}

// Matched records an event that reached the scenarios, and which of them it is poured into.
func (r *Recorder) Matched(evt *event.Event, pours []scenario.Pour) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pours[everything] = append(r.pours[everything], snapshot(evt))
	for i := range pours {
		name := pours[i].Scenario.Name
		r.pours[name] = append(r.pours[name], snapshot(evt))
	}
}

// Overflowed records an overflow after its postoverflow parsers.
func (r *Recorder) Overflowed(evt *event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overflows = append(r.overflows, snapshot(evt))
}

// Write writes the files into dir, which it makes if needed.
func (r *Recorder) Write(dir string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the published mode: other users' tools read it
		return fmt.Errorf("making the folder for dumps: %w", err)
	}
	for name, content := range map[string]any{ParserFile: r.parsers, PourFile: r.pours, OverflowFile: r.overflows} {
		text, err := yaml.Marshal(content)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644) //nolint:gosec // the published mode
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// snapshot copies everything that may still change.
func snapshot(evt *event.Event) event.Event {
	evt.Maps()
	copied := *evt
	copied.Parsed, copied.Enriched, copied.Meta = maps.Clone(evt.Parsed), maps.Clone(evt.Enriched), maps.Clone(evt.Meta)
	copied.Unmarshaled = cloneObject(evt.Unmarshaled)
	copied.Overflow = cloneOverflow(evt.Overflow)
	return copied
}

func cloneObject(object map[string]any) map[string]any {
	copied := make(map[string]any, len(object))
	for key, value := range object {
		copied[key] = cloneValue(value)
	}
	return copied
}

// cloneValue copies the containers that decoders make.
func cloneValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		return cloneObject(value)
	case map[string]string:
		return maps.Clone(value)
	case []any:
		copied := make([]any, len(value))
		for i, element := range value {
			copied[i] = cloneValue(element)
		}
		return copied
	}
	return value
}

// cloneOverflow copies the sources, which later parsers may rewrite, and keeps them shared as they are.
func cloneOverflow(overflow event.RuntimeAlert) event.RuntimeAlert {
	sources := map[*wire.Source]*wire.Source{}
	clone := func(source *wire.Source) *wire.Source {
		if sources[source] == nil && source != nil {
			copied := *source
			sources[source] = &copied
		}
		return sources[source]
	}
	copied := overflow
	copied.Sources = make(map[string]*wire.Source, len(overflow.Sources))
	for key, source := range overflow.Sources {
		copied.Sources[key] = clone(source)
	}
	copied.APIAlerts = make([]*wire.Alert, len(overflow.APIAlerts))
	for i, alert := range overflow.APIAlerts {
		body := *alert
		body.Source = clone(alert.Source)
		copied.APIAlerts[i] = &body
		if alert == overflow.Alert {
			copied.Alert = &body
		}
	}
	return copied
}
