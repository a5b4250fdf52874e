package logprocessor_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
)

// spectator counts what it is shown, and reads all of it.
type spectator struct {
	away                                  bool
	parsed, unparsed, poured, overflowing atomic.Int64
}

func (s *spectator) Watching() bool { return !s.away }

func (s *spectator) Parsed(evt *event.Event, ok bool) {
	evt.Maps()
	if ok {
		s.parsed.Add(1)
	} else {
		s.unparsed.Add(1)
	}
}

func (s *spectator) Matched(evt *event.Event, pours []scenario.Pour) {
	evt.Maps()
	s.poured.Add(int64(len(pours)))
}

func (s *spectator) Overflowed(*event.Event) { s.overflowing.Add(1) }

// TestWatchingChangesNoAlert: whoever watches sees every line and every overflow, and the alerts are those of a
// pipeline that nobody watches.
func TestWatchingChangesNoAlert(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	rapid.Check(t, func(t *rapid.T) {
		texts := drawLines(t)
		want := encode(t, lineByLine(r, texts))
		nonsense := rapid.IntRange(0, 5).Draw(t, "nonsense")
		batches := drawBatches(t, append(texts, strings.Split(strings.Repeat("nonsense\n", nonsense), "\n")[:nonsense]...))
		for _, watcher := range []*spectator{{}, {away: true}} {
			alerts := &inbox{}
			options := r.options(2, alerts, &script{batches: batches, clock: event.TimeMachine})
			options.Tap = watcher
			if err := logprocessor.New(options).Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := encode(t, alerts.accepted); got != want {
				t.Fatalf("got %s\nwant %s", got, want)
			}
			seen := [...]int64{watcher.parsed.Load(), watcher.unparsed.Load(), watcher.poured.Load(), watcher.overflowing.Load()}
			found := int64(len(alerts.accepted))
			if all := [...]int64{int64(len(texts)), int64(nonsense), found, found}; !watcher.away && seen != all || watcher.away && seen != [4]int64{} {
				t.Errorf("seen: %v, of %v", seen, all)
			}
		}
	})
}
