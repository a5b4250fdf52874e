package tap

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
)

// maxViewers may watch at a time: each costs every event a look at its filter.
const maxViewers = 8

// Tap shows viewers what it is told. It is safe for concurrent use, and outlives pipelines.
type Tap struct {
	log     *slog.Logger
	viewers atomic.Pointer[[]*viewer] // replaced, never changed

	mu      sync.Mutex // of those that replace viewers
	library *expression.Library
}

// New returns a Tap that nobody watches. Library compiles filters, see Use.
func New(library *expression.Library, log *slog.Logger) *Tap {
	t := &Tap{library: library, log: log}
	t.viewers.Store(&[]*viewer{})
	return t
}

// Use has filters, those of viewers that watch already too, ask a library from now on. It must reach nothing that
// waits or remembers: filters are asked beside every event.
func (t *Tap) Use(library *expression.Library) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.library = library
	for _, v := range *t.viewers.Load() {
		filter, err := compile(library, v.text)
		if err != nil {
			t.log.Warn("a viewer keeps the filter of the rules before", "filter", v.text, "error", err)
			continue
		}
		v.filter.Store(filter)
	}
}

// Watching reports whether anybody watches. It costs one atomic load.
func (t *Tap) Watching() bool { return len(*t.viewers.Load()) > 0 }

// Parsed shows a line at the end of its parsing. It keeps nothing of evt.
func (t *Tap) Parsed(evt *event.Event, ok bool) {
	stage := Unparsed
	if ok {
		stage = Parsed
	}
	t.show(stage, evt, func(*Event) {})
}

// Matched shows a line that is about to be poured, if it is. It keeps nothing of evt and pours.
func (t *Tap) Matched(evt *event.Event, pours []scenario.Pour) {
	if len(pours) == 0 {
		return
	}
	t.show(Matched, evt, func(e *Event) {
		for i := range pours {
			e.Scenarios = append(e.Scenarios, pours[i].Scenario.Name)
		}
		e.Scenarios = slices.Compact(e.Scenarios)
	})
}

// Overflowed shows an overflow after its postoverflows. It keeps nothing of evt.
func (t *Tap) Overflowed(evt *event.Event) {
	t.show(Overflow, evt, func(e *Event) {
		alert, err := json.Marshal(evt.Overflow.Alert)
		if err != nil {
			t.log.Warn("an alert cannot be shown", "error", err)
			return
		}
		e.Alert = alert
	})
}

// show copies the event once, if anybody may want it. All filters are asked before anybody gets it, as they could
// change it.
func (t *Tap) show(stage Stage, evt *event.Event, complete func(*Event)) {
	var copied *event.Event
	var wanting [maxViewers]*viewer
	n := 0
	for _, v := range *t.viewers.Load() {
		if v.stage != All && v.stage != stage {
			continue
		}
		if copied == nil {
			copied = snapshot(evt)
		}
		if v.wants(copied) {
			wanting[n] = v
			n++
		}
	}
	if n == 0 {
		return
	}
	shown := eventOf(stage, copied)
	complete(&shown)
	for _, v := range wanting[:n] {
		v.offer(shown)
	}
}

// snapshot copies what a filter could change and what is used again for the next line.
func snapshot(evt *event.Event) *event.Event {
	evt.Maps()
	return &event.Event{
		Type: evt.Type, ExpectMode: evt.ExpectMode, Whitelisted: evt.Whitelisted, WhitelistReason: evt.WhitelistReason,
		Stage: evt.Stage, Line: evt.Line, Time: evt.Time, StrTime: evt.StrTime, StrTimeFormat: evt.StrTimeFormat,
		MarshaledTime: evt.MarshaledTime, Process: evt.Process, Appsec: evt.Appsec, Overflow: evt.Overflow,
		Parsed: maps.Clone(evt.Parsed), Enriched: maps.Clone(evt.Enriched), Meta: maps.Clone(evt.Meta), Unmarshaled: maps.Clone(evt.Unmarshaled),
	}
}

func eventOf(stage Stage, evt *event.Event) Event {
	e := Event{
		Time: evt.Time, Stage: stage, Source: evt.Line.Src, Line: evt.Line.Raw,
		Parsed: evt.Parsed, Meta: evt.Meta, Enriched: evt.Enriched,
	}
	if evt.Whitelisted || evt.Overflow.Whitelisted {
		e.Whitelisted = evt.WhitelistReason
	}
	return e
}

// admit adds a viewer. What it is told begins now.
func (t *Tap) admit(request Request) (*viewer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	filter, err := compile(t.library, request.Filter)
	if err != nil {
		return nil, err
	}
	watching := *t.viewers.Load()
	if len(watching) >= maxViewers {
		return nil, fmt.Errorf("%d viewers watch already, which is the limit", maxViewers)
	}
	v := newViewer(request, filter)
	watching = append(slices.Clone(watching), v)
	t.viewers.Store(&watching)
	return v, nil
}

func (t *Tap) dismiss(v *viewer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	watching := slices.DeleteFunc(slices.Clone(*t.viewers.Load()), func(other *viewer) bool { return other == v })
	t.viewers.Store(&watching)
}
