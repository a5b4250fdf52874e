package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// TestReplay pours events into one scenario, by the clock of the log.
func TestReplay(t *testing.T) {
	t.Parallel()
	repeat := func(count int, event string) []string { return slices.Repeat([]string{event}, count) }
	for _, test := range []struct {
		name   string
		text   string
		events []string
		want   []string // summary
	}{
		{"leaky: capacity is not enough", with(leaky, "capacity: 5"), repeat(5, "0s"), nil},
		{"leaky: the event after it overflows", with(leaky, "capacity: 5"), repeat(6, "0s"), []string{"192.0.2.1 6/6"}},
		{"leaky: the next event begins a new bucket", with(leaky, "capacity: 5"), repeat(13, "0s"), []string{"192.0.2.1 6/6", "192.0.2.1 6/6"}},
		{"leaky: what leaked makes room", with(leaky, "capacity: 2"), []string{"0s", "0s", "10s"}, nil},
		{"leaky: a nanosecond less does not", with(leaky, "capacity: 2"), []string{"0s", "0s", "9.999999999s"}, []string{"192.0.2.1 3/3"}},
		{"leaky: idle for its lifetime", with(leaky, "capacity: 2"), []string{"0s", "30s", "30s", "30s"}, []string{"192.0.2.1 4/3"}},
		{"leaky: idle for longer", with(leaky, "capacity: 2"), []string{"0s", "30.1s", "30.1s", "30.1s"}, []string{"192.0.2.1 3/3"}},

		{"filter", with(leaky, "filter: evt.Meta.user == 'root'"), []string{"0s user=root", "0s user=a", "0s user=a", "0s user=root"}, []string{"192.0.2.1 2/2"}},
		{"without groupby all share a bucket", leaky, []string{"0s ip=192.0.2.1", "0s ip=192.0.2.2"}, []string{"192.0.2.1 2/2", "192.0.2.2 2/2"}},
		{"groupby", with(leaky, "groupby: evt.Meta.source_ip"), []string{"0s ip=192.0.2.1", "0s ip=192.0.2.2", "0s ip=192.0.2.1"}, []string{"192.0.2.1 2/2"}},

		{"distinct", with(leaky, "distinct: evt.Meta.user"), []string{"0s user=a", "0s user=a", "1s user=b"}, []string{"192.0.2.1 2/2"}},
		{"distinct: a missing value is a value", with(leaky, "distinct: evt.Meta.user"), []string{"0s", "0s", "0s user=a"}, []string{"192.0.2.1 2/2"}},
		{"distinct: what is no text is one value", with(leaky, "distinct: evt.Unmarshaled.none"), []string{"0s user=a", "0s user=b"}, nil},
		{"distinct: an error counts every event", with(leaky, "distinct: evt.Unmarshaled.a.b"), []string{"0s", "0s"}, []string{"192.0.2.1 2/2"}},
		{"distinct: a new bucket has seen nothing", with(leaky, "distinct: evt.Meta.user"), []string{"0s user=a", "0s user=b", "0s user=a", "0s user=b"}, []string{"192.0.2.1 2/2", "192.0.2.1 2/2"}},
		{"distinct: a repeated value does not keep the bucket alive", with(leaky, "distinct: evt.Meta.user"), []string{"0s user=a", "20s user=a", "21s user=b", "21s user=c"}, []string{"192.0.2.1 2/2"}},

		{"cancel_on", with(leaky, "cancel_on: evt.Meta.user == 'good'"), []string{"0s", "0s user=good", "0s", "0s"}, []string{"192.0.2.1 2/2"}},
		{"cancel_on: an error is no cancel", with(leaky, "cancel_on: evt.Unmarshaled.a.b == 1"), []string{"0s", "0s"}, []string{"192.0.2.1 2/2"}},
		{"cancel_on: nor is what is no boolean", with(leaky, "cancel_on: evt.Unmarshaled.a"), []string{"0s", "0s"}, []string{"192.0.2.1 2/2"}},
		{"cancel_on of a repeated value", with(leaky, "distinct: evt.Meta.user", "cancel_on: evt.Meta.bad != ''"), []string{"0s user=a", "0s user=a bad=x", "0s user=b"}, []string{"192.0.2.1 2/2"}},

		{"cache_size", with(leaky, "capacity: 5", "cache_size: 2"), repeat(6, "0s"), []string{"192.0.2.1 6/3"}},
		{"cache_size of the capacity", with(leaky, "capacity: 5", "cache_size: 5"), repeat(6, "0s"), []string{"192.0.2.1 6/6"}},
		{"cache_size above the capacity", with(leaky, "capacity: 5", "cache_size: 50"), repeat(6, "0s"), []string{"192.0.2.1 6/6"}},
		{"cache_size of a bucket without limit", with(conditional, "cache_size: 2", "condition: leaky.Total_count == 6"), repeat(6, "0s"), []string{"192.0.2.1 6/3"}},

		{"trigger", trigger, repeat(2, "0s"), []string{"192.0.2.1 1/1", "192.0.2.1 1/1"}},
		{"trigger knows no distinct", with(trigger, "distinct: evt.Meta.user"), repeat(2, "0s user=a"), []string{"192.0.2.1 1/1", "192.0.2.1 1/1"}},
		{"trigger knows no cancel_on", with(trigger, "cancel_on: 'true'"), repeat(1, "0s"), []string{"192.0.2.1 1/1"}},
		{"trigger knows no condition", with(trigger, "condition: 'false'"), repeat(1, "0s"), []string{"192.0.2.1 1/1"}},

		{"conditional", conditional, repeat(3, "0s"), []string{"192.0.2.1 2/2"}},
		{"conditional keeps to its condition, not its capacity", with(conditional, "capacity: 1", "condition: leaky.Total_count == 4"), repeat(4, "0s"), []string{"192.0.2.1 4/2"}},
		{"conditional: the latest event", with(conditional, "condition: queue.Queue[-1].Meta.user == 'root'"), []string{"0s user=a", "0s user=root"}, []string{"192.0.2.1 2/2"}},
		{"conditional: the event itself", with(conditional, "condition: evt.Meta.user == 'root'"), []string{"0s user=a", "0s user=root"}, []string{"192.0.2.1 2/2"}},
		{"conditional: the whole queue", with(conditional, "condition: 'all(queue.GetQueue(), .Meta.user == \"root\") && len(queue.Queue) == 2'"), []string{"0s user=a", "0s user=root", "20s user=root", "20s user=root"}, []string{"192.0.2.1 2/2"}},
		{"conditional: an error is no overflow", with(conditional, "condition: evt.Unmarshaled.a.b == 1"), repeat(3, "0s"), nil},
		{"conditional: nor is what is no boolean", with(conditional, "condition: evt.Unmarshaled.a"), repeat(3, "0s"), nil},
		{"conditional: the time between", with(conditional, "condition: leaky.Last_ts - leaky.First_ts >= duration('4s')"), []string{"0s", "3s", "4s"}, []string{"192.0.2.1 3/3"}},
		{"conditional: idle for its leakspeed", conditional, []string{"0s", "10s"}, []string{"192.0.2.1 2/2"}},
		{"conditional: idle for longer", conditional, []string{"0s", "10.1s"}, nil},
		{"condition of a leaky", with(leaky, "capacity: 5", "condition: evt.Meta.user == 'root'"), []string{"0s user=a", "0s user=root"}, []string{"192.0.2.1 2/2"}},
		{"condition of a leaky does not hold it back", with(leaky, "condition: 'false'"), repeat(2, "0s"), []string{"192.0.2.1 2/2"}},

		// With the odds of bayesian: one condition gives 0.9 or 0.8, both 0.973.
		{"bayesian: both", bayesian, []string{"0s user=root path=etc"}, []string{"192.0.2.1 1/1"}},
		{"bayesian: one", bayesian, []string{"0s user=root", "0s path=etc", "0s user=root"}, nil},
		{"bayesian: each pour starts at the prior", bayesian, []string{"0s user=root", "0s user=root path=etc"}, []string{"192.0.2.1 2/2"}},
		{"bayesian: guillotine stays true", strings.Replace(bayesian, "benign: 0.1", "benign: 0.1, guillotine: true", 1), []string{"0s user=root", "0s", "0s path=etc"}, []string{"192.0.2.1 3/3"}},
		{"bayesian: but not in the next bucket", strings.Replace(bayesian, "benign: 0.1", "benign: 0.1, guillotine: true", 1), []string{"0s user=root", "11s path=etc"}, nil},
		{"bayesian: the threshold is not enough", with(bayesian, "bayesian_prior: 1", "bayesian_threshold: 1"), []string{"0s user=root path=etc"}, nil},
		{"bayesian: an error skips its condition", strings.Replace(bayesian, `evt.Meta.path == "etc"`, `evt.Unmarshaled.a.b == 1`, 1), []string{"0s user=root path=etc"}, nil},
		{"bayesian: and no other", strings.Replace(with(bayesian, "bayesian_threshold: 0.89"), `evt.Meta.path == "etc"`, `evt.Unmarshaled.a.b == 1`, 1), []string{"0s user=root"}, []string{"192.0.2.1 1/1"}},
		{"bayesian: a condition overflows too", with(bayesian, "condition: leaky.Total_count == 2"), []string{"0s", "0s"}, []string{"192.0.2.1 2/2"}},
		{"bayesian: and does not hold it back", with(bayesian, "condition: 'false'"), []string{"0s user=root path=etc"}, []string{"192.0.2.1 1/1"}},

		{"overflow_filter: no", with(leaky, "overflow_filter: 'false'"), repeat(4, "0s"), nil},
		{"overflow_filter: on the queue", with(leaky, "overflow_filter: any(queue.Queue, .Meta.user == 'root')"), []string{"0s", "0s", "0s", "0s user=root"}, []string{"192.0.2.1 2/2"}},
		{"overflow_filter: on the alert", with(leaky, "overflow_filter: signal.Alert.GetEventsCount() == 2 && '192.0.2.1' in signal.GetSources()"), repeat(2, "0s"), []string{"192.0.2.1 2/2"}},
		{"overflow_filter: on the bucket", with(leaky, "overflow_filter: leaky.Total_count == 2 && leaky.Mapkey == signal.Mapkey && leaky.Mode == 1 && leaky.Ovflw_ts - leaky.First_ts == duration('1s')"), []string{"0s", "1s"}, []string{"192.0.2.1 2/2"}},
		{"overflow_filter: an error lets it through", with(leaky, "overflow_filter: evt.Meta.user == 'root'"), repeat(2, "0s"), []string{"192.0.2.1 2/2"}},

		{"blackhole", with(trigger, "blackhole: 1m"), []string{"0s", "1s", "59s"}, []string{"192.0.2.1 1/1"}},
		{"blackhole: until its end", with(trigger, "blackhole: 1m"), []string{"0s", "60s", "119s", "120s"}, []string{"192.0.2.1 1/1", "192.0.2.1 1/1", "192.0.2.1 1/1"}},
		{"blackhole: for each group", with(trigger, "blackhole: 1m", "groupby: evt.Meta.source_ip"), []string{"0s", "0s ip=192.0.2.2", "1s"}, []string{"192.0.2.1 1/1", "192.0.2.2 1/1"}},
		{"blackhole: without groupby for all", with(trigger, "blackhole: 1m"), []string{"0s", "0s ip=192.0.2.2"}, []string{"192.0.2.1 1/1"}},
		{"blackhole: not armed by what the filter discards", with(trigger, "blackhole: 1m", "overflow_filter: queue.Queue[0].Meta.user == 'root'"), []string{"0s", "1s user=root", "2s user=root"}, []string{"192.0.2.1 1/1"}},
		{"blackhole: not armed by an overflow without source", with(trigger, "blackhole: 1m"), []string{"0s ip=nobody", "1s"}, []string{"192.0.2.1 1/1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.use(t, test.text)
			if got := summary(b.pour(eachReplayed(test.events)...)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q\n%s", got, test.want, b.log.String())
			}
		})
	}
}

// TestMapKey is the SHA-1 of filter, zero byte, group, zero byte, name, as sha1sum computes it.
func TestMapKey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{with(trigger, `filter: evt.Meta.service == "ssh"`, "groupby: evt.Meta.source_ip"), "377c50922fd171da624ecbf35627a4b7ab80cb09"},
		{trigger, "cef0c8f39530c12da1d320dd43dec11268c7d4fd"},
	} {
		b := newBench()
		b.use(t, test.text)
		overflows := b.pour(replayed("0s service=ssh"))
		if len(overflows) != 1 || overflows[0].Overflow.Mapkey != test.want {
			t.Errorf("got %+v, want %s", overflows, test.want)
		}
	}
}

// TestScenariosDoNotShareBuckets, not even those of one file that differ in a detail.
func TestScenariosDoNotShareBuckets(t *testing.T) {
	t.Parallel()
	documents := leaky + "---\n" + with(leaky, "filter: 1 == 1") + "---\n" + with(leaky, "name: other")
	for _, texts := range [][]string{{documents}, {leaky, with(leaky, "filter: 1 == 1"), with(leaky, "name: other")}} {
		b := newBench()
		b.use(t, texts...)
		if got := summary(b.pour(replayed("0s"))); got != nil {
			t.Errorf("%d files: one event overflows %q", len(texts), got)
		}
		if got := summary(b.pour(replayed("0s"))); len(got) != 3 {
			t.Errorf("%d files: two events overflow %q", len(texts), got)
		}
	}
}

// TestTwinsShareBuckets: the identity of a bucket is filter, group and name, so scenarios that have these in common pour
// each event into the same one, which is as the scenario wants that made it.
func TestTwinsShareBuckets(t *testing.T) {
	t.Parallel()
	six := with(leaky, "capacity: 5", "groupby: evt.Meta.source_ip")
	for _, test := range []struct {
		name   string
		texts  []string
		events []string
		want   []string // summary
	}{
		{"each event counts twice", []string{six, with(six, "capacity: 20", "leakspeed: 1m")}, []string{"0s", "1s", "2s"}, []string{"192.0.2.1 6/6"}},
		{"and again in the next bucket", []string{six + "---\n" + with(six, "capacity: 20")}, []string{"0s", "0s", "0s", "1s", "1s", "1s"}, []string{"192.0.2.1 6/6", "192.0.2.1 6/6"}},
		{"the blackhole is that of the first", []string{with(six, "blackhole: 1m"), six}, []string{"0s", "0s", "0s", "1s", "1s", "1s"}, []string{"192.0.2.1 6/6"}},
		{"so is the absent distinct", []string{six, with(six, "distinct: evt.Meta.user")}, []string{"0s user=a", "0s user=a", "0s user=a"}, []string{"192.0.2.1 6/6"}},
		{"so is distinct", []string{with(six, "distinct: evt.Meta.user"), six}, []string{"0s user=a", "0s user=a", "0s user=a"}, nil},
		{"three", []string{six, with(six, "capacity: 6"), with(six, "capacity: 7")}, []string{"0s", "0s"}, []string{"192.0.2.1 6/6"}},
		{"the second makes the bucket after an overflow of the first", []string{with(six, "capacity: 2"), with(six, "capacity: 3")}, []string{"0s", "0s", "0s"}, []string{"192.0.2.1 3/3"}},
		{"and has it", []string{with(six, "capacity: 2"), with(six, "capacity: 4")}, []string{"0s", "0s", "0s", "0s"}, []string{"192.0.2.1 3/3", "192.0.2.1 5/5"}},
		{"until it is over", []string{with(six, "capacity: 2"), with(six, "capacity: 3")}, []string{"0s", "0s", "41s", "41s"}, []string{"192.0.2.1 3/3", "192.0.2.1 3/3"}},
		{"groups are apart", []string{six, six}, []string{"0s", "0s ip=192.0.2.2", "0s"}, nil},
		{"another groupby is no twin", []string{six, with(six, "groupby: evt.Meta.user")}, []string{"0s", "0s", "0s"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.use(t, test.texts...)
			if got := summary(b.pour(eachReplayed(test.events)...)); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q\n%s", got, test.want, b.log.String())
			}
		})
	}
}

// TestOneBrokenScenarioLeavesTheOthersAlone, whether they load before or after it.
func TestOneBrokenScenarioLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{
		"filter: evt.Unmarshaled.a.b == 1", "filter: evt.Unmarshaled.text", "groupby: evt.Unmarshaled.a.b", "groupby: evt.Unmarshaled.text",
		"scope: {type: Range, expression: evt.Unmarshaled.a.b}", "distinct: evt.Unmarshaled.a.b", "condition: evt.Unmarshaled.a.b == 1",
	} {
		b := newBench()
		b.use(t, with(trigger, "name: before"), with(leaky, "name: broken", broken), with(trigger, "name: after"))
		evt := replayed("0s")
		evt.Unmarshaled["text"] = 12
		var names []string
		for _, overflow := range b.pour(evt) {
			names = append(names, overflow.Overflow.Alert.Scenario)
		}
		if !slices.Equal(names, []string{"before", "after"}) {
			t.Errorf("%s: overflows of %q", broken, names)
		}
	}
}

func TestEventWithoutTimeReachesOnlyTriggersInReplay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "yesterday"} {
		b := newBench()
		b.use(t, with(leaky, "name: leaky", "capacity: 1"), with(conditional, "condition: 'true'"), with(bayesian, "condition: 'true'"), with(counter, "condition: 'true'"), trigger)
		evt := replayed("0s")
		evt.MarshaledTime = text
		overflows := b.pour(evt, evt)
		if got := summary(overflows); !slices.Equal(got, []string{"192.0.2.1 1/1", "192.0.2.1 1/1"}) {
			t.Fatalf("time %q: got %q", text, got)
		}
		if at := overflows[0].Overflow.Alert.StopAt; at != "2026-03-01T12:00:00Z" {
			t.Errorf("time %q: the trigger fired at %s, not by the wall clock", text, at)
		}
		if !strings.Contains(b.log.String(), "level=WARN") {
			t.Errorf("time %q: nothing was logged", text)
		}
	}
}

// TestLiveClock ignores what the log says about time.
func TestLiveClock(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(leaky, "capacity: 2"))
	b.pour(live(""))
	b.wait(5 * time.Second)
	second := live("")
	second.MarshaledTime = "2021-09-29T14:11:34+02:00"
	b.pour(second)
	b.wait(time.Second / 2)
	alert := b.pour(live(""))[0].Overflow.Alert
	if alert.StartAt != "2026-03-01T12:00:00Z" || alert.StopAt != "2026-03-01T12:00:06Z" || alert.EventsCount != 3 {
		t.Errorf("%d events from %s to %s", alert.EventsCount, alert.StartAt, alert.StopAt)
	}
}

// TestLiveLife says when live buckets end, and how.
func TestLiveLife(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		text string
		wait []time.Duration // an event before each
		want []string
	}{
		{"leaky: idle in time", with(leaky, "capacity: 2"), []time.Duration{30 * time.Second, 0, 0, 0}, []string{"192.0.2.1 4/3"}},
		{"leaky: idle for too long", with(leaky, "capacity: 2"), []time.Duration{32 * time.Second, 0, 0, 0}, []string{"192.0.2.1 3/3"}},
		{"leaky: each event prolongs", with(leaky, "capacity: 2"), []time.Duration{15 * time.Second, 15 * time.Second, 15 * time.Second}, nil},
		{"counter: at its end", counter, []time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, []string{"192.0.2.1 3/3"}},
		{"counter: not before", counter, []time.Duration{4 * time.Second, 4 * time.Second}, nil},
		{"counter: cache_size", with(counter, "cache_size: 1"), []time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, []string{"192.0.2.1 3/2"}},
		{"duration makes a leaky a timed one", with(leaky, "capacity: 5", "duration: 10s"), []time.Duration{6 * time.Second, 6 * time.Second}, []string{"192.0.2.1 2/2"}},
		{"duration makes a conditional a timed one, its leakspeed says of how long", with(conditional, "condition: 'false'", "leakspeed: 20s", "duration: 1s"), []time.Duration{12 * time.Second, 12 * time.Second}, []string{"192.0.2.1 2/2"}},
		{"conditional: ends without a word", with(conditional, "condition: 'false'"), []time.Duration{20 * time.Second}, nil},
		{"bayesian: ends without a word", bayesian, []time.Duration{20 * time.Second}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.use(t, test.text)
			var overflows []*event.Event
			for _, wait := range test.wait {
				overflows = append(overflows, b.pour(live(""))...)
				overflows = append(overflows, b.wait(wait)...)
			}
			if got := summary(overflows); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLiveBlackhole(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(trigger, "blackhole: 1m"))
	var got []int
	for range 5 {
		got = append(got, len(b.pour(live(""))))
		b.wait(25 * time.Second)
	}
	if want := []int{1, 0, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("overflows %v, want %v", got, want)
	}
}

// TestReplayIgnoresTheWallClock: the same log gives the same alerts, however long reading it takes.
func TestReplayIgnoresTheWallClock(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.store = bucket.NewReplay(today)
	b.use(t, with(leaky, "groupby: evt.Meta.source_ip", "blackhole: 1h"))
	overflows := b.pour(eachReplayed([]string{"0s", "1s"})...)
	b.pour(eachReplayed([]string{"2s ip=192.0.2.2"})...)
	overflows = append(overflows, b.wait(2*time.Minute)...)
	overflows = append(overflows, b.pour(eachReplayed([]string{"3s", "3s", "3s ip=192.0.2.2"})...)...)
	if got, want := summary(overflows), []string{"192.0.2.1 2/2", "192.0.2.2 2/2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReload keeps what has not changed.
func TestReload(t *testing.T) {
	t.Parallel()
	changed := with(leaky, "name: changed")
	for _, test := range []struct {
		name   string
		before []string
		after  []string
		want   []string // scenarios that overflow at the next event
	}{
		{"nothing changed", []string{leaky, changed}, []string{leaky, changed}, []string{"test", "changed"}},
		{"the order changed", []string{leaky, changed}, []string{changed, leaky}, []string{"changed", "test"}},
		{"one changed", []string{leaky, changed}, []string{leaky, with(changed, "leakspeed: 11s")}, []string{"test"}},
		{"one is gone", []string{leaky, changed}, []string{leaky}, []string{"test"}},
		{"one is new", []string{leaky}, []string{changed, leaky}, []string{"test"}},
		{"one is gone and the other renamed to it", []string{leaky, changed}, []string{with(changed, "name: test", "leakspeed: 12s")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench()
			b.use(t, test.before...)
			b.pour(replayed("0s"))
			b.use(t, test.after...)
			var got []string
			for _, overflow := range b.pour(replayed("1s")) {
				got = append(got, overflow.Overflow.Alert.Scenario)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("overflows of %q, want %q", got, test.want)
			}
		})
	}
}

func TestReloadKeepsTheBlackhole(t *testing.T) {
	t.Parallel()
	b := newBench()
	text := with(trigger, "blackhole: 1m")
	for i, want := range []int{1, 0} {
		b.use(t, text)
		if got := len(b.pour(replayed("1s"))); got != want {
			t.Errorf("load %d: %d overflows, want %d", i, got, want)
		}
	}
}

func TestReloadedCounterStillEnds(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, counter)
	b.pour(live(""))
	b.use(t, counter)
	if got := summary(b.wait(12 * time.Second)); !slices.Equal(got, []string{"192.0.2.1 1/1"}) {
		t.Errorf("got %q", got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, with(leaky, "groupby: evt.Meta.user", "distinct: evt.Meta.path", "cancel_on: evt.Meta.path == 'good'", "overflow_filter: 'false'"))
	for _, meta := range []string{"user=a path=1", "user=a path=1", "user=a path=2", "user=b", "user=b path=good", "user=c", "user=d"} {
		b.pour(live(meta))
	}
	b.wait(25 * time.Second)
	b.pour(live("user=e"))
	b.expect(t, map[string]float64{
		"cs_bucket_instantiation_total name=test":                         5,
		"cs_bucket_poured_total name=test source=/var/log/test type=file": 6, // neither the repeated one nor the cancel
		"cs_bucket_overflowed_total name=test":                            1, // discarded, but counted
		"cs_bucket_underflowed_total name=test":                           2,
		"cs_bucket_canceled_total name=test":                              1,
		"cs_buckets name=test":                                            1,
	})
}

// TestMetricsAfterReload: the gauge forgets the buckets that the engine forgot.
func TestMetricsAfterReload(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.use(t, leaky, with(leaky, "name: changed"))
	b.pour(replayed("0s"))
	b.use(t, leaky, with(leaky, "name: changed", "leakspeed: 1m"))
	for name, want := range map[string]float64{"test": 1, "changed": 0} {
		if got := b.counters(t)["cs_buckets name="+name]; got != want {
			t.Errorf("cs_buckets of %s: %v, want %v", name, got, want)
		}
	}
}

func (b *bench) expect(t *testing.T, want map[string]float64) {
	t.Helper()
	if got := b.counters(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// counters returns all metrics as "name label=value".
func (b *bench) counters(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := family.GetName()
			for _, pair := range metric.GetLabel() {
				key += " " + pair.GetName() + "=" + pair.GetValue()
			}
			found[key] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return found
}
