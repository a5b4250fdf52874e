package logprocessor_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

// named gives overflows the name of their address; those of good.example are not sent.
const named = `-- postoverflows/s00/named.yaml --
name: named
onsuccess: next_stage
statics: [{method: reverse_dns, expression: evt.Overflow.Alert.Source.IP}]
-- postoverflows/s01/good.yaml --
name: good
whitelist: {reason: good, expression: ['evt.Enriched.reverse_dns == "good.example."']}
-- scenarios/attack.yaml --
type: trigger
name: attack
description: d
filter: evt.Meta.user == 'root'
reprocess: true
`

// phoneBook answers after a while that depends on the address, "" meaning that there is no name.
type phoneBook map[string]struct {
	after time.Duration
	name  string
}

func (b phoneBook) LookupAddr(_ context.Context, addr string) ([]string, error) {
	entry := b[addr]
	time.Sleep(entry.after)
	if entry.name == "" {
		return nil, nil
	}
	return []string{entry.name}, nil
}

// clocked notes when overflows were finished.
type clocked struct {
	spectator

	mu    sync.Mutex
	began time.Time
	at    map[string]time.Duration
}

func (c *clocked) Overflowed(evt *event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at[evt.Overflow.Alert.GetValue()] = time.Since(c.began)
}

func (*clocked) Matched(*event.Event, []scenario.Pour) {}

// TestNamesHoldUpNoLine: while the name of an address is asked for, lines are poured and their overflows finished, as
// many at a time as there are places; alerts leave in the order of the lines.
func TestNamesHoldUpNoLine(t *testing.T) {
	t.Parallel()
	const slow, fast = 500 * time.Millisecond, 20 * time.Millisecond
	book := phoneBook{"192.0.2.0": {after: slow}}
	s := &script{clock: event.TimeMachine}
	for i := range 100 {
		address := fmt.Sprintf("192.0.2.%d", i)
		if i > 0 {
			book[address] = struct {
				after time.Duration
				name  string
			}{after: fast}
		}
		s.batches = append(s.batches, []string{at(i, address, "root")})
	}
	var acked []int
	s.acked = func(batch int) { acked = append(acked, batch) }
	r := loadNaming(t, book, lines+named)
	synctest.Test(t, func(t *testing.T) {
		tap := &clocked{began: time.Now(), at: map[string]time.Duration{}}
		alerts := &inbox{}
		options := r.options(2, alerts, s)
		options.Tap = tap
		run(t, logprocessor.New(options))
		for i := range 100 {
			address := fmt.Sprintf("192.0.2.%d", i)
			if took := tap.at[address]; took != slow && i == 0 || took > 10*fast && i > 0 {
				t.Errorf("%s was finished after %v", address, took)
			}
		}
		if got := alerts.about(); len(got) != 100 || !slices.IsSortedFunc(alerts.accepted, byStart) {
			t.Errorf("%d alerts: %v", len(got), got)
		}
		if len(acked) != 100 || !slices.IsSorted(acked) {
			t.Errorf("acknowledged %v", acked)
		}
	})
}

func byStart(a, b *wire.Alert) int { return strings.Compare(a.StartAt, b.StartAt) }

// TestAFinishedAlertWaitsForNoOther that comes after it.
func TestAFinishedAlertWaitsForNoOther(t *testing.T) {
	t.Parallel()
	r := loadNaming(t, phoneBook{"192.0.2.2": {after: time.Second}}, lines+named)
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var when []time.Duration
		alerts := &inbox{refuse: func(alerts []*wire.Alert) error {
			for range alerts {
				when = append(when, time.Since(began))
			}
			return nil
		}}
		s := &script{clock: event.TimeMachine, batches: [][]string{
			{at(0, "192.0.2.1", "root")}, {at(1, "192.0.2.3", "root")}, {at(2, "192.0.2.2", "root")}, {at(3, "192.0.2.4", "root")},
		}}
		run(t, logprocessor.New(r.options(1, alerts, s)))
		want := []string{"attack 192.0.2.1", "attack 192.0.2.3", "attack 192.0.2.2", "attack 192.0.2.4"}
		if got := alerts.about(); !slices.Equal(got, want) {
			t.Fatalf("got %v", got)
		}
		if when[1] > 100*time.Millisecond || when[2] < time.Second || when[3] > 1100*time.Millisecond {
			t.Errorf("sent after %v", when)
		}
	})
}

// TestAlertsDoNotDependOnHowLongNamesTake, whether scenarios want to see overflows or not.
func TestAlertsDoNotDependOnHowLongNamesTake(t *testing.T) {
	t.Parallel()
	const again = "-- scenarios/again.yaml --\ntype: leaky\nname: again\ndescription: d\nfilter: evt.GetType() == 'overflow'\ngroupby: evt.Overflow.Alert.Scenario\n" +
		"distinct: evt.Overflow.Alert.Source.IP\ncapacity: 1\nleakspeed: 1h\n"
	for name, archive := range map[string]string{"nobody hears overflows": lines + named, "one does": lines + named + again} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				instant, slow := phoneBook{}, phoneBook{}
				for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"} {
					entry := instant[address]
					entry.name = rapid.SampledFrom([]string{"", "good.example.", "bad.example."}).Draw(rt, "name")
					instant[address] = entry
					entry.after = time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond
					slow[address] = entry
				}
				texts := drawLines(rt)
				want := encode(rt, lineByLine(loadNaming(t, instant, archive), texts))
				r, batches, workers := loadNaming(t, slow, archive), drawBatches(rt, texts), rapid.IntRange(1, 4).Draw(rt, "workers")
				var got string
				synctest.Test(t, func(t *testing.T) {
					p, alerts := r.pipeline(workers, &script{batches: batches, clock: event.TimeMachine})
					run(t, p)
					got = encode(rt, alerts.accepted)
				})
				if got != want {
					rt.Fatalf("got %s\nwant %s", got, want)
				}
			})
		})
	}
}

// witness counts the overflows that it is told of.
type witness struct{ matched, overflowed int }

func (*witness) Parsed(string, string, *event.Event, bool) {}

func (w *witness) Matched(evt *event.Event, _ []scenario.Pour) {
	if evt.Type == event.Overflow {
		w.matched++
	}
}

func (w *witness) Overflowed(*event.Event) { w.overflowed++ }

// TestRecordersAreToldWhatIsFedBack, although nobody hears it.
func TestRecordersAreToldWhatIsFedBack(t *testing.T) {
	t.Parallel()
	book := phoneBook{"192.0.2.2": {name: "good.example."}}
	s := &script{clock: event.TimeMachine, batches: [][]string{{at(0, "192.0.2.1", "root"), at(1, "192.0.2.2", "root")}}}
	told := &witness{}
	options := loadNaming(t, book, lines+named).options(2, &inbox{}, s)
	options.Recorder = told
	run(t, logprocessor.New(options))
	if want := (witness{matched: 1, overflowed: 2}); *told != want {
		t.Errorf("told of %+v, want %+v", *told, want)
	}
}
