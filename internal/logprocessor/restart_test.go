package logprocessor_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition/checkpoint"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/savepoint"
	"shieldwall/internal/logprocessor/scenario"
)

// everyKind reads "IP USER {JSON} KEY=VALUE", and looks at all of it when a bucket overflows.
const everyKind = `-- parsers/s00/lines.yaml --
name: lines
pattern_syntax: {OBJECT: '\{.*\}'}
grok: {pattern: '^%{IP:ip} %{WORD:user} %{OBJECT:json} %{GREEDYDATA:pairs}$', apply_on: Line.Raw}
statics:
  - {meta: source_ip, expression: evt.Parsed.ip}
  - {meta: user, expression: evt.Parsed.user}
  - {parsed: unpacked, expression: 'UnmarshalJSON(evt.Parsed.json, evt.Unmarshaled, "j") == nil && ParseKV(evt.Parsed.pairs, evt.Unmarshaled, "kv") == nil ? "yes" : "no"'}
-- scenarios/kinds.yaml --
type: leaky
name: leaky
description: d
filter: evt.GetType() == 'log'
groupby: evt.Meta.source_ip
distinct: evt.Meta.user
capacity: 2
leakspeed: 20s
blackhole: 15s
reprocess: true
---
type: conditional
name: conditional
description: d
filter: evt.GetType() == 'log'
capacity: -1
leakspeed: 30s
condition: sum(map(queue.Queue, {#.Unmarshaled.j.n})) > 9.5 && any(queue.Queue, {#.Unmarshaled.kv.k == 'v2'})
scope: {type: pair, expression: evt.Unmarshaled.kv.k}
---
type: counter
name: counter
description: d
filter: evt.Meta.user == 'admin'
groupby: evt.Meta.source_ip
capacity: -1
duration: 25s
---
type: bayesian
name: bayesian
description: d
filter: evt.GetType() == 'log'
groupby: evt.Meta.source_ip
capacity: -1
leakspeed: 40s
bayesian_prior: 0.3
bayesian_threshold: 0.9
bayesian_conditions:
  - {condition: evt.Unmarshaled.j.n == 3, prob_given_evil: 0.9, prob_given_benign: 0.1, guillotine: true}
  - {condition: len(queue.Queue) > 3, prob_given_evil: 0.8, prob_given_benign: 0.2}
---
type: leaky
name: again
description: d
filter: evt.GetType() == 'overflow'
capacity: 1
leakspeed: 1h
`

// life is an engine with the alerts that it raised since somebody looked.
type life struct {
	rules  *rules
	engine *scenario.Engine
	alerts []string
}

func (l *life) take(t *rapid.T, overflows []*event.Event, now time.Time) {
	for ; len(overflows) > 0; overflows = overflows[1:] {
		evt := overflows[0]
		for _, alert := range evt.Overflow.APIAlerts {
			text, err := json.Marshal(alert)
			if err != nil {
				t.Fatal(err)
			}
			l.alerts = append(l.alerts, string(text))
		}
		if evt.Overflow.Reprocess {
			overflows = append(overflows, l.engine.Pour(l.rules.scenarios.NewMatcher().Append(nil, evt, now), evt.Line.Origin())...)
		}
	}
}

// TestRestartsChangeNoAlert: with buckets of every kind, whatever their events hold, a log processor that is
// stopped and started again raises the alerts of one that is not.
func TestRestartsChangeNoAlert(t *testing.T) {
	t.Parallel()
	r, root, runs, raised := load(t, everyKind), t.TempDir(), 0, 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		now, path := today, filepath.Join(root, fmt.Sprint(runs))
		steady := &life{rules: r, engine: scenario.NewEngine(r.scenarios, bucket.NewStore(today), nil)}
		moved := &life{rules: r}
		var keeper *savepoint.Keeper
		boot := func() {
			log := slog.New(slog.DiscardHandler)
			clock := func() time.Time { return now }
			positions, err := checkpoint.Open(path, checkpoint.Options{Log: log, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			var buckets *bucket.Store
			if keeper, buckets, err = savepoint.Open(savepoint.Options{Dir: root, Positions: positions, Now: clock, Log: log}); err != nil {
				t.Fatal(err)
			}
			moved.engine = scenario.NewEngine(r.scenarios, buckets, nil)
		}
		save := func() {
			if err := keeper.Save([]func(){func() {}}); err != nil {
				t.Fatal(err)
			}
		}
		boot()
		t.Repeat(map[string]func(*rapid.T){
			"line": func(t *rapid.T) {
				raw := fmt.Sprintf("192.0.2.%d %s {\"n\": %d, \"deep\": [null, {\"a\": \"b\"}]} k=v%d", rapid.IntRange(1, 2).Draw(t, "ip"),
					rapid.SampledFrom([]string{"root", "admin", "guest"}).Draw(t, "user"), rapid.IntRange(0, 4).Draw(t, "n"), rapid.IntRange(1, 2).Draw(t, "k"))
				for _, l := range []*life{steady, moved} {
					evt := event.New(event.Line{Raw: raw, Time: now, Labels: map[string]string{"type": "test"}}, event.Live)
					if evt.Time = now; !r.parsers.Parse(evt) || evt.Parsed["unpacked"] != "yes" {
						t.Fatalf("%q is not understood: %v", raw, evt.Parsed)
					}
					l.take(t, l.engine.Pour(r.scenarios.NewMatcher().Append(nil, evt, now), evt.Line.Origin()), now)
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 20_000).Draw(t, "ms")) * time.Millisecond)
				for _, l := range []*life{steady, moved} {
					l.take(t, l.engine.Expire(now), now)
				}
			},
			"save":    func(*rapid.T) { save() },
			"restart": func(*rapid.T) { save(); boot() },
			"": func(t *rapid.T) {
				if got, want := fmt.Sprintf("%q", moved.alerts), fmt.Sprintf("%q", steady.alerts); got != want {
					t.Fatalf("got  %s\nwant %s", got, want)
				}
				raised += len(steady.alerts)
				steady.alerts, moved.alerts = nil, nil
			},
		})
	})
	if raised == 0 {
		t.Error("nothing was ever raised")
	}
}

// TestPipelinesInARow cuts a log into parts and reads each with a pipeline of its own, which starts from what
// the one before left on disk.
func TestPipelinesInARow(t *testing.T) {
	t.Parallel()
	r := load(t, lines+"-- scenarios/l.yaml --\ntype: leaky\nname: l\ndescription: d\nfilter: 'true'\ngroupby: evt.Meta.source_ip\ncapacity: 4\nleakspeed: 1h\n")
	log, dir := slog.New(slog.DiscardHandler), t.TempDir()
	clock := func() time.Time { return today }
	var got []string
	for part := range 5 {
		positions, err := checkpoint.Open(filepath.Join(dir, "checkpoints.json"), checkpoint.Options{Log: log, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		keeper, buckets, err := savepoint.Open(savepoint.Options{Dir: dir, Positions: positions, Now: clock, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		s, acked := &script{clock: event.Live}, 0
		s.acked = func(int) { acked++ }
		for i := range 23 {
			s.batches = append(s.batches, []string{at(part, fmt.Sprintf("192.0.2.%d", i%7), "root")})
		}
		alerts := &inbox{}
		options := r.options(8, alerts, s)
		options.Savepoints, options.Engine = keeper, scenario.NewEngine(r.scenarios, buckets, nil)
		run(t, logprocessor.New(options))
		if acked != len(s.batches) {
			t.Errorf("part %d: %d acknowledgements", part+1, acked)
		}
		got = append(got, alerts.about()...)
	}
	perAddress := map[string]int{}
	for _, about := range got {
		perAddress[about]++
	}
	for i := range 7 {
		poured := 5 * 3 // each part has three lines of every address
		if i < 23%7 {
			poured += 5 // and a fourth of some
		}
		if about := fmt.Sprintf("l 192.0.2.%d", i); perAddress[about] != poured/5 {
			t.Errorf("%s: %d alerts of %d lines, want one for five", about, perAddress[about], poured)
		}
	}
}
