package tap

import (
	"context"
	"fmt"
	"sync/atomic"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// queued events wait for a viewer.
const queued = 256

// viewer is somebody who watches.
type viewer struct {
	stage   Stage
	text    string                          // of the filter
	filter  atomic.Pointer[expression.Bool] // nil: everything
	limit   int                             // 0 for none
	events  chan Event                      // never closed: those who write do not know who has left
	dropped atomic.Int64                    // since the last event that found room
}

func newViewer(request Request, filter *expression.Bool) *viewer {
	v := &viewer{stage: request.Stage, text: request.Filter, limit: request.Limit, events: make(chan Event, queued)}
	v.filter.Store(filter)
	return v
}

func compile(library *expression.Library, text string) (*expression.Bool, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no filter is a filter
	}
	filter, err := library.CompileBool(text, event.Env{})
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return filter, nil
}

// wants asks the filter. One that cannot be evaluated, as when a line is asked for its alert, does not hold.
func (v *viewer) wants(evt *event.Event) bool {
	filter := v.filter.Load()
	return filter == nil || holds(filter, evt) || evt.Type == event.Overflow && holdsForLine(filter, evt.Overflow.Alert)
}

func holds(filter *expression.Bool, evt *event.Event) bool {
	yes, err := filter.Eval(&event.Env{Evt: evt})
	return err == nil && yes
}

// holdsForLine reports whether the filter holds for any of the lines that an alert is made of: who follows an address
// by evt.Meta.source_ip wants to see what becomes of it.
func holdsForLine(filter *expression.Bool, alert *wire.Alert) bool {
	if alert == nil {
		return false
	}
	line := event.New(event.Line{}, event.Live)
	for _, of := range alert.Events {
		clear(line.Meta)
		for _, item := range of.Meta {
			line.Meta[item.Key] = item.Value
		}
		if holds(filter, line) {
			return true
		}
	}
	return false
}

// offer hands an event over if there is room, and never waits.
func (v *viewer) offer(e Event) {
	e.Dropped = v.dropped.Swap(0)
	select {
	case v.events <- e:
	default:
		v.dropped.Add(e.Dropped + 1)
	}
}

// relay writes events until ctx ends, the limit is reached or writing fails.
func (v *viewer) relay(ctx context.Context, write func(any) error) error {
	for sent := 0; v.limit == 0 || sent < v.limit; sent++ {
		select {
		case <-ctx.Done():
			return nil
		case e := <-v.events:
			if err := write(e); err != nil {
				return err
			}
		}
	}
	return nil
}
