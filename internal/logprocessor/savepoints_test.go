package logprocessor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// notebook is what a pipeline tells its save points. Alerts are named by their number.
type notebook struct {
	fail func(save int) error // nil: never

	mu        sync.Mutex
	saves     int
	pending   []func()
	named     int
	abandoned bool
}

func (n *notebook) Name(overflow *event.Event) {
	for _, alert := range overflow.Overflow.APIAlerts {
		n.named++
		alert.UUID = fmt.Sprint(n.named)
	}
}

func (n *notebook) Save(acks []func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.saves++
	n.pending = append(n.pending, acks...)
	if n.fail != nil && n.fail(n.saves) != nil {
		return n.fail(n.saves)
	}
	if n.abandoned {
		return nil
	}
	for _, ack := range n.pending {
		ack()
	}
	n.pending = nil
	return nil
}

func (n *notebook) Abandon() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.abandoned = true
}

// TestLinesAreAcknowledgedAtSavePoints: not before, and not before their alerts are accepted.
func TestLinesAreAcknowledgedAtSavePoints(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	synctest.Test(t, func(t *testing.T) {
		notes, alerts := &notebook{}, &inbox{}
		var acked []time.Duration
		begin := time.Now()
		s := &script{clock: event.TimeMachine, acked: func(batch int) {
			acked = append(acked, time.Since(begin))
			if len(alerts.about()) <= batch {
				t.Errorf("batch %d was acknowledged before its alert was accepted", batch)
			}
		}}
		for i := range 3 {
			s.batches = append(s.batches, []string{at(i, "192.0.2.1", "root")})
		}
		s.end = func(context.Context) error { time.Sleep(3 * time.Second); return nil }
		later := &script{clock: event.TimeMachine, end: func(context.Context) error { time.Sleep(5 * time.Second); return nil }}
		options := r.options(2, alerts, s, later)
		options.Savepoints, options.Now = notes, time.Now
		run(t, logprocessor.New(options))
		if want := []time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second}; !slices.Equal(acked, want) {
			t.Errorf("acknowledged after %v, want %v", acked, want)
		}
		if notes.saves != 3 { // the last one at the end
			t.Errorf("%d save points", notes.saves)
		}
		for i, alert := range alerts.accepted {
			if alert.UUID != fmt.Sprint(i+1) {
				t.Errorf("alert %d is named %q", i+1, alert.UUID)
			}
		}
	})
}

func TestSavePointAtTheEnd(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	for _, count := range workers {
		notes, acked := &notebook{}, 0
		s := &script{clock: event.TimeMachine, acked: func(int) { acked++ }}
		for i := range 100 {
			s.batches = append(s.batches, []string{at(i, "192.0.2.1", "root")})
		}
		options := r.options(count, &inbox{}, s)
		options.Savepoints = notes
		run(t, logprocessor.New(options))
		if acked != 100 || len(notes.pending) != 0 {
			t.Errorf("%d workers: %d acknowledgements", count, acked)
		}
	}
}

// TestAlertsThatCannotBeKeptEndSavePoints: their lines must be read again.
func TestAlertsThatCannotBeKeptEndSavePoints(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		notes := &notebook{}
		full := &inbox{refuse: func([]*wire.Alert) error { cancel(); return errors.New("disk full") }}
		acked := 0
		s := &script{clock: event.TimeMachine, acked: func(int) { acked++ }, batches: [][]string{{"nonsense"}, {at(1, "192.0.2.1", "root")}, {"nonsense"}}}
		options := r.options(1, full, s)
		options.Savepoints = notes
		if err := logprocessor.New(options).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if !notes.abandoned || acked != 0 {
			t.Errorf("abandoned %v, %d acknowledgements", notes.abandoned, acked)
		}
	})
}

func TestSavePointThatFailsIsMadeUpFor(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	synctest.Test(t, func(t *testing.T) {
		notes := &notebook{fail: func(save int) error {
			if save == 1 {
				return errors.New("disk full")
			}
			return nil
		}}
		acked := 0
		s := &script{clock: event.TimeMachine, acked: func(int) { acked++ }, batches: [][]string{{at(0, "192.0.2.1", "root")}}}
		s.end = func(context.Context) error { time.Sleep(3 * time.Second); return nil }
		options := r.options(1, &inbox{}, s)
		options.Savepoints = notes
		run(t, logprocessor.New(options))
		if notes.saves != 2 || acked != 1 {
			t.Errorf("%d save points, %d acknowledgements", notes.saves, acked)
		}
	})
}

// stashes answers "ask KEY" with what the last "tell KEY VALUE" said.
const stashes = `-- parsers/s00/lines.yaml --
name: lines
grok: {pattern: '^%{WORD:verb} %{WORD:key}( %{WORD:value})?$', apply_on: Line.Raw}
statics: [{meta: source_ip, value: 192.0.2.1}]
---
name: tell
filter: evt.Parsed.verb == 'tell'
statics: [{meta: told, expression: evt.Parsed.value}]
stash: [{name: s, key: evt.Parsed.key, value: evt.Parsed.value, ttl: 1h, size: 100}]
---
name: ask
filter: evt.Parsed.verb == 'ask'
statics: [{meta: answer, expression: "GetFromStash('s', evt.Parsed.key)"}]
`

// TestStashesSeeTheOrderOfTheLog, however many workers there are: rules that read what earlier lines left
// behind find the same as with one, in parsers, scenarios and postoverflows.
func TestStashesSeeTheOrderOfTheLog(t *testing.T) {
	t.Parallel()
	const scenarios = `-- scenarios/answer.yaml --
type: trigger
name: answer
description: d
filter: evt.Parsed.verb == 'ask'
scope: {type: answer, expression: evt.Meta.answer}
`
	const readers = `-- scenarios/late.yaml --
type: trigger
name: late
description: d
filter: evt.Parsed.verb == 'late' && GetFromStash('s', evt.Parsed.key) != ''
scope: {type: key, expression: "evt.Parsed.key + GetFromStash('s', evt.Parsed.key)"}
`
	const postoverflow = `-- postoverflows/s00/p.yaml --
name: p
statics: [{target: evt.Overflow.Alert.Source.Value, expression: "evt.Overflow.Alert.Source.Value + ' ' + GetFromStash('s', 'k0')"}]
`
	var batches [][]string
	for i := range 100 { // what is told takes long to reach, what is asked is found at once
		slow := slices.Repeat([]string{"other line"}, 200)
		batches = append(batches, append(slow, fmt.Sprintf("tell k%d v%d", i%7, i)), []string{
			fmt.Sprintf("late k%d", i%7), fmt.Sprintf("ask k%d", i%7), fmt.Sprintf("ask k%d", (i+3)%7),
		})
	}
	wanted := map[string]string{"parsers": "answer v90", "scenarios": "late k0v98", "postoverflows": "answer v90 v84"}
	for name, archive := range map[string]string{
		"parsers": stashes + scenarios, "scenarios": stashes + scenarios + readers, "postoverflows": stashes + scenarios + postoverflow,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			for _, count := range workers {
				r := load(t, archive) // each with a stash of its own
				p, alerts := r.pipeline(count, &script{batches: batches, clock: event.TimeMachine})
				run(t, p)
				got := alerts.about()
				if want == nil {
					want = got
				}
				if !slices.Contains(got, wanted[name]) || !slices.Equal(got, want) {
					t.Errorf("%d workers: %d alerts, not the %d of one worker", count, len(got), len(want))
				}
			}
		})
	}
}
