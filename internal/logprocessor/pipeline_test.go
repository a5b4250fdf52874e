package logprocessor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"shieldwall/content"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor"
	"shieldwall/internal/logprocessor/acquisition"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
	"shieldwall/internal/logprocessor/parser"
	"shieldwall/internal/logprocessor/scenario"
	"shieldwall/internal/wire"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// lines reads "2026-01-01T00:00:00Z 192.0.2.1 user".
const lines = `-- parsers/s00/lines.yaml --
name: lines
onsuccess: next_stage
grok:
  pattern: '^%{TIMESTAMP_ISO8601:time} %{IP:ip} %{WORD:user}$'
  apply_on: Line.Raw
statics:
  - {meta: source_ip, expression: evt.Parsed.ip}
  - {meta: user, expression: evt.Parsed.user}
  - {target: MarshaledTime, expression: evt.Parsed.time}
-- parsers/s01/trusted.yaml --
name: trusted
whitelist: {reason: trusted, expression: ['evt.Meta.user == "trusted"']}
`

// every gives an alert for each line.
const every = "-- scenarios/every.yaml --\ntype: trigger\nname: every\ndescription: d\nfilter: evt.GetType() == 'log'\nscope: {type: line, expression: evt.Line.Raw}\n"

// rules are loaded once; each run has an engine of its own.
type rules struct {
	parsers, postoverflows *parser.Set
	scenarios              *scenario.Set
}

// load takes a txtar archive of parsers/STAGE/FILE, postoverflows/STAGE/FILE and scenarios/FILE. No address has a name.
func load(tb testing.TB, archive string) *rules {
	tb.Helper()
	return loadNaming(tb, nil, archive)
}

// loadNaming is load with name servers.
func loadNaming(tb testing.TB, names enrich.Resolver, archive string) *rules {
	tb.Helper()
	patterns := grok.New()
	for _, file := range content.Patterns() {
		if err := patterns.AddFile(file.Name, strings.NewReader(file.Text)); err != nil {
			tb.Fatal(err)
		}
	}
	clock, log := func() time.Time { return today }, slog.New(slog.DiscardHandler)
	memory := stash.New(clock)
	library := expression.New(expression.Deps{Now: clock, Stash: memory})
	nodes := func(folder string) *parser.Set {
		var items []parser.Item
		for _, file := range txtar.Parse([]byte(archive)).Files {
			if strings.HasPrefix(file.Name, folder) {
				items = append(items, parser.Item{Path: file.Name, Stage: path.Base(path.Dir(file.Name)), Text: file.Data})
			}
		}
		set, err := parser.Load(items, parser.Deps{
			Log: log, Expressions: library, Patterns: patterns.Clone(), Stash: memory, Methods: enrich.Registry(enrich.Deps{Now: clock, Names: names}),
		})
		if err != nil {
			tb.Fatal(err)
		}
		return set
	}
	var items []scenario.Item
	for _, file := range txtar.Parse([]byte(archive)).Files {
		if strings.HasPrefix(file.Name, "scenarios/") {
			items = append(items, scenario.Item{Path: file.Name, Text: file.Data})
		}
	}
	set, err := scenario.Load(items, scenario.Deps{Log: log, Expressions: library, Simulated: func(string) bool { return false }})
	if err != nil {
		tb.Fatal(err)
	}
	return &rules{parsers: nodes("parsers/"), postoverflows: nodes("postoverflows/"), scenarios: set}
}

func (r *rules) engine() *scenario.Engine {
	return scenario.NewEngine(r.scenarios, bucket.NewStore(today), nil)
}

// pipeline returns a pipeline over sources, and what will receive its alerts.
func (r *rules) pipeline(workers int, sources ...acquisition.Source) (*logprocessor.Pipeline, *inbox) {
	alerts := &inbox{}
	return logprocessor.New(r.options(workers, alerts, sources...)), alerts
}

func (r *rules) options(workers int, alerts logprocessor.Alerts, sources ...acquisition.Source) logprocessor.Options {
	return logprocessor.Options{
		Sources: sources, Parsers: r.parsers, Postoverflows: r.postoverflows, Scenarios: r.scenarios, Engine: r.engine(),
		Alerts: alerts, Workers: workers, Now: func() time.Time { return today }, Log: slog.New(slog.DiscardHandler),
	}
}

// inbox keeps the alerts that it accepts.
type inbox struct {
	refuse func(alerts []*wire.Alert) error // nil: accept all

	mu       sync.Mutex
	accepted []*wire.Alert
}

func (i *inbox) Accept(ctx context.Context, alerts []*wire.Alert) error {
	if i.refuse != nil {
		if err := i.refuse(alerts); err != nil {
			return err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.accepted = append(i.accepted, alerts...)
	return ctx.Err()
}

// about lists what the alerts are about, in the order in which they were accepted.
func (i *inbox) about() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var values []string
	for _, alert := range i.accepted {
		values = append(values, alert.Scenario+" "+alert.GetValue())
	}
	return values
}

// script is a source that delivers batches of lines and then does what its end says.
type script struct {
	name    string
	batches [][]string
	clock   event.Clock
	end     func(ctx context.Context) error // nil: its input has ended
	acked   func(batch int)                 // nil: nobody wants to know
	pause   time.Duration                   // before each batch, which then comes even when the context has ended
}

func (s *script) Run(ctx context.Context, out chan<- acquisition.Batch) error {
	for i, texts := range s.batches {
		batch := acquisition.Batch{Clock: s.clock, Ack: func() {
			if s.acked != nil {
				s.acked(i)
			}
		}}
		for _, text := range texts {
			batch.Lines = append(batch.Lines, event.Line{Raw: text, Src: s.name, Module: "script", Time: today, Labels: map[string]string{"type": "test"}})
		}
		if s.pause > 0 {
			time.Sleep(s.pause)
			out <- batch
			continue
		}
		select {
		case out <- batch:
		case <-ctx.Done():
			return nil
		}
	}
	if s.end == nil {
		return nil
	}
	return s.end(ctx)
}

// at is a line offset seconds after the beginning of 2026.
func at(offset int, ip, user string) string {
	return fmt.Sprintf("%s %s %s", time.Date(2026, 1, 1, 0, 0, offset, 0, time.UTC).Format(time.RFC3339), ip, user)
}

func run(tb testing.TB, p *logprocessor.Pipeline) {
	tb.Helper()
	if err := p.Run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

var workers = []int{1, 2, 8}

func drawLines(t *rapid.T) []string {
	var texts []string
	offset := 0
	for range rapid.IntRange(0, 80).Draw(t, "lines") {
		offset += rapid.IntRange(0, 12).Draw(t, "gap")
		ip := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}).Draw(t, "ip")
		texts = append(texts, at(offset, ip, rapid.SampledFrom([]string{"root", "admin", "guest", "trusted"}).Draw(t, "user")))
	}
	return texts
}

func drawBatches(t *rapid.T, texts []string) [][]string {
	var batches [][]string
	for len(texts) > 0 {
		length := rapid.IntRange(1, min(len(texts), 9)).Draw(t, "batch")
		batches = append(batches, texts[:length])
		texts = texts[length:]
	}
	return batches
}

// TestAlertsDependOnNothingButTheLog: however lines are cut into batches and however many workers there are,
// the alerts are those of reading line by line.
func TestAlertsDependOnNothingButTheLog(t *testing.T) {
	t.Parallel()
	const archive = lines + every + `-- scenarios/bf.yaml --
type: leaky
name: bf
description: d
filter: evt.GetType() == 'log'
groupby: evt.Meta.source_ip
distinct: evt.Meta.user
capacity: 1
leakspeed: 20s
blackhole: 1m
reprocess: true
---
type: conditional
name: guests
description: d
filter: evt.Meta.user == 'guest'
capacity: -1
leakspeed: 30s
condition: len(queue.Queue) >= 3
---
type: counter
name: counter
description: d
filter: evt.Meta.user == 'admin'
capacity: -1
duration: 30s
---
type: leaky
name: again
description: d
filter: evt.GetType() == 'overflow'
capacity: 1
leakspeed: 1h
`
	r := load(t, archive)
	rapid.Check(t, func(t *rapid.T) {
		texts := drawLines(t)
		want := encode(t, lineByLine(r, texts))
		batches := drawBatches(t, texts)
		for _, count := range workers {
			p, alerts := r.pipeline(count, &script{batches: batches, clock: event.TimeMachine})
			if err := p.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if got := encode(t, alerts.accepted); got != want {
				t.Fatalf("%d workers: got %s\nwant %s", count, got, want)
			}
		}
	})
}

// lineByLine is the pipeline without channels.
func lineByLine(r *rules, texts []string) []*wire.Alert {
	engine := r.engine()
	var alerts []*wire.Alert
	for _, text := range texts {
		evt := event.New(event.Line{Raw: text, Time: today}, event.TimeMachine)
		if !r.parsers.Parse(evt) || evt.Whitelisted {
			continue
		}
		for queue := engine.Pour(r.scenarios.NewMatcher().Append(nil, evt, today), evt.Line.Origin()); len(queue) > 0; queue = queue[1:] {
			overflow := queue[0]
			if r.postoverflows.Parse(overflow); overflow.Overflow.Whitelisted {
				continue
			}
			alerts = append(alerts, overflow.Overflow.APIAlerts...)
			if overflow.Overflow.Reprocess {
				queue = append(queue, engine.Pour(r.scenarios.NewMatcher().Append(nil, overflow, today), overflow.Line.Origin())...)
			}
		}
	}
	return alerts
}

func encode(t *rapid.T, alerts []*wire.Alert) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, alert := range alerts {
		if err := encoder.Encode(alert); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// TestPoursKeepTheOrderOfEachSource, while the lines of several sources mix as they come.
func TestPoursKeepTheOrderOfEachSource(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	for _, count := range workers {
		var sources []acquisition.Source
		for _, ip := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
			s := &script{name: ip, clock: event.TimeMachine}
			for i := range 50 {
				s.batches = append(s.batches, []string{at(2*i, ip, "root"), at(2*i+1, ip, "root")})
			}
			sources = append(sources, s)
		}
		p, alerts := r.pipeline(count, sources...)
		run(t, p)
		got := alerts.about()
		if len(got) != 300 {
			t.Errorf("%d workers: %d alerts", count, len(got))
		}
		for _, ip := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
			own := slices.DeleteFunc(slices.Clone(got), func(about string) bool { return !strings.Contains(about, " "+ip+" ") })
			if !slices.IsSorted(own) {
				t.Errorf("%d workers: the lines of %s were mixed up", count, ip)
			}
		}
	}
}

// TestEveryBatchIsAcknowledgedOnceItsAlertsAreSafe, with or without alerts.
func TestEveryBatchIsAcknowledgedOnceItsAlertsAreSafe(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	for _, count := range workers {
		batches := [][]string{}
		for i := range 100 {
			text := at(i, "192.0.2.1", "root")
			if i%3 == 0 {
				text = "no line at all"
			}
			batches = append(batches, []string{text})
		}
		alerts := &inbox{}
		acked := make([]int, len(batches)) // only one goroutine acknowledges; -race would tell
		s := &script{batches: batches, clock: event.TimeMachine, acked: func(batch int) {
			acked[batch]++
			if batch%3 != 0 && !slices.Contains(alerts.about(), "every "+batches[batch][0]) {
				t.Errorf("%d workers: batch %d was acknowledged before its alert was accepted", count, batch)
			}
		}}
		run(t, logprocessor.New(r.options(count, alerts, s)))
		if slices.Min(acked) != 1 || slices.Max(acked) != 1 {
			t.Errorf("%d workers: acknowledgements %v", count, acked)
		}
	}
}

// TestAlertsThatCannotBeKept: a disk that is full for a while loses nothing, a spool that is full loses what it
// counts, and what is not kept at the end is read again.
func TestAlertsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	diskFull := errors.New("disk full")
	for _, test := range []struct {
		name     string
		refusals int // before an alert about a bad user is taken
		err      error
		ends     bool // the context ends with the first refusal
		acked    []int
		accepted int
	}{
		{"disk full for a while", 3, diskFull, false, []int{0, 1, 2}, 3},
		{"too many wait", 1000, fault.Mark(fault.Unavailable, errors.New("spool is full")), false, []int{0, 1, 2}, 2},
		{"disk full at the end", 1000, diskFull, true, []int{0, 2}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := load(t, lines+every)
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				refused := 0
				alerts := &inbox{refuse: func(alerts []*wire.Alert) error {
					if !strings.Contains(alerts[0].GetValue(), "bad") || refused == test.refusals {
						return nil
					}
					refused++
					if test.ends {
						cancel()
					}
					return test.err
				}}
				var acked []int
				s := &script{clock: event.TimeMachine, acked: func(batch int) { acked = append(acked, batch) }, pause: time.Second}
				for i, user := range []string{"good", "bad", "good"} {
					s.batches = append(s.batches, []string{at(i, "192.0.2.1", user)})
				}
				if err := logprocessor.New(r.options(2, alerts, s)).Run(ctx); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(acked, test.acked) || len(alerts.about()) != test.accepted {
					t.Errorf("acknowledged %v, accepted %q", acked, alerts.about())
				}
			})
		})
	}
}

// TestEndingDrains: what was delivered before the end of the context, or the error of a source, is not lost.
func TestEndingDrains(t *testing.T) {
	t.Parallel()
	r := load(t, lines+every)
	broken := errors.New("cable cut")
	for _, test := range []struct {
		name string
		end  func(cancel func()) func(ctx context.Context) error
		want error
	}{
		{"end of input", func(func()) func(context.Context) error { return nil }, nil},
		{"end of the context", func(cancel func()) func(context.Context) error {
			return func(ctx context.Context) error { cancel(); <-ctx.Done(); return nil }
		}, nil},
		{"error", func(func()) func(context.Context) error { return func(context.Context) error { return broken } }, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := &script{clock: event.TimeMachine, end: test.end(cancel)}
			for i := range 64 {
				s.batches = append(s.batches, []string{at(i, "192.0.2.1", "root")})
			}
			acked := 0
			s.acked = func(int) { acked++ }
			var sources []acquisition.Source
			if test.name != "end of input" { // another one that only ends because this one did
				sources = append(sources, &script{end: func(ctx context.Context) error { <-ctx.Done(); return nil }})
			}
			p, alerts := r.pipeline(4, append(sources, s)...)
			if err := p.Run(ctx); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if got := alerts.about(); len(got) != 64 || acked != 64 {
				t.Errorf("%d alerts, %d acknowledgements", len(got), acked)
			}
		})
	}
}

func TestWithoutSourcesItEnds(t *testing.T) {
	t.Parallel()
	p, _ := load(t, lines).pipeline(1)
	run(t, p)
}

// cold runs lines of replay through one pipeline and returns what the alerts are about.
func cold(t *testing.T, archive string, texts ...string) []string {
	t.Helper()
	acked := 0
	p, alerts := load(t, archive).pipeline(2, &script{batches: [][]string{texts}, clock: event.TimeMachine, acked: func(int) { acked++ }})
	run(t, p)
	if acked != 1 {
		t.Errorf("%d acknowledgements", acked)
	}
	return alerts.about()
}

// trigger is a scenario with more lines.
func trigger(name string, more ...string) string {
	return "-- scenarios/" + name + ".yaml --\ntype: trigger\nname: " + name + "\ndescription: d\n" + strings.Join(more, "\n") + "\n"
}

func TestWhatReachesTheLocalAPI(t *testing.T) {
	t.Parallel()
	const (
		onLine     = "filter: evt.GetType() == 'log'"
		onOverflow = "filter: evt.GetType() == 'overflow'"
	)
	whitelist := func(stage, when string) string {
		return "-- postoverflows/" + stage + "/w.yaml --\nname: w\nwhitelist: {reason: r, expression: ['" + when + "']}\n"
	}
	for _, test := range []struct {
		name    string
		archive string
		lines   []string
		want    []string
	}{
		{"a line that no parser understands", lines + trigger("a", "filter: 'true'"), []string{"nonsense"}, nil},
		{"a whitelisted line", lines + trigger("a", onLine), []string{at(0, "192.0.2.1", "trusted"), at(0, "192.0.2.2", "root")}, []string{"a 192.0.2.2"}},
		{
			"a whitelisted overflow", lines + trigger("a", onLine) + whitelist("s01", `"192.0.2.1" in evt.Overflow.GetSources()`),
			[]string{at(0, "192.0.2.1", "root"), at(0, "192.0.2.2", "root")},
			[]string{"a 192.0.2.2"},
		},
		{
			"a stage that fails hides the whitelists behind it, not the alert", lines + trigger("a", onLine) +
				"-- postoverflows/s00/f.yaml --\nname: f\nfilter: 'false'\nonsuccess: next_stage\nstatics: [{meta: m, value: v}]\n" + whitelist("s01", "true"),
			[]string{at(0, "192.0.2.1", "root")},
			[]string{"a 192.0.2.1"},
		},
		{
			"a postoverflow that rewrites", lines + trigger("a", onLine) + "-- postoverflows/s00/r.yaml --\nname: r\nstatics: [{target: evt.Overflow.Alert.Source.Value, value: 192.0.2.0/24}]\n",
			[]string{at(0, "192.0.2.1", "root")},
			[]string{"a 192.0.2.0/24"},
		},
		{"no reprocess", lines + trigger("a", onLine) + trigger("b", onOverflow), []string{at(0, "192.0.2.1", "root")}, []string{"a 192.0.2.1"}},
		{"reprocess", lines + trigger("a", onLine, "reprocess: true") + trigger("b", onOverflow), []string{at(0, "192.0.2.1", "root")}, []string{"a 192.0.2.1", "b 192.0.2.1"}},
		{
			"reprocess sees the meta of postoverflows", lines + trigger("a", onLine, "reprocess: true") + trigger("b", "filter: evt.Meta.mark == 'set'") +
				"-- postoverflows/s00/m.yaml --\nname: m\nstatics: [{meta: mark, value: set}]\n",
			[]string{at(0, "192.0.2.1", "root")},
			[]string{"a 192.0.2.1", "b 192.0.2.1"},
		},
		{
			"reprocess does not go through the parsers", lines + "-- parsers/s01/z.yaml --\nname: z\nstatics: [{meta: parsed, value: 'yes'}]\n" +
				trigger("a", onLine, "reprocess: true") + trigger("b", "filter: evt.Meta.parsed == 'yes' && evt.GetType() == 'overflow'"),
			[]string{at(0, "192.0.2.1", "root")},
			[]string{"a 192.0.2.1"},
		},
		{
			"a whitelisted overflow is not reprocessed", lines + trigger("a", onLine, "reprocess: true") + trigger("b", onOverflow) + whitelist("s00", `evt.Overflow.Alert.Scenario == "a"`),
			[]string{at(0, "192.0.2.1", "root")},
			nil,
		},
		{
			"overflows of one line before those of the next", lines + trigger("a", onLine, "reprocess: true") + trigger("b", onOverflow),
			[]string{at(0, "192.0.2.1", "root"), at(0, "192.0.2.2", "root")},
			[]string{"a 192.0.2.1", "b 192.0.2.1", "a 192.0.2.2", "b 192.0.2.2"},
		},
		{
			"an alert for each source", lines + "-- scenarios/l.yaml --\ntype: leaky\nname: l\ndescription: d\nfilter: 'true'\ncapacity: 1\nleakspeed: 1m\n",
			[]string{at(0, "192.0.2.2", "root"), at(0, "192.0.2.1", "root")},
			[]string{"l 192.0.2.1", "l 192.0.2.2"},
		},
		{
			"buckets are not flushed at the end", lines + "-- scenarios/l.yaml --\ntype: counter\nname: l\ndescription: d\nfilter: 'true'\ncapacity: -1\nduration: 1m\n",
			[]string{at(0, "192.0.2.2", "root"), at(0, "192.0.2.1", "root")},
			nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := cold(t, test.archive, test.lines...); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestScenarioThatAnswersItselfEnds, and the lines after it still count.
func TestScenarioThatAnswersItselfEnds(t *testing.T) {
	t.Parallel()
	got := cold(t, lines+trigger("loop", "filter: evt.GetType() == 'overflow' || evt.Meta.user == 'loop'", "reprocess: true")+
		trigger("twice", "filter: evt.GetType() == 'overflow'", "reprocess: true")+trigger("after", "filter: evt.Meta.user == 'after'"),
		at(0, "192.0.2.1", "loop"), at(0, "192.0.2.2", "after"))
	if len(got) > 10_000 || got[len(got)-1] != "after 192.0.2.2" {
		t.Errorf("%d alerts, the last is %s", len(got), got[len(got)-1])
	}
}

// TestBucketsExpireWhileNothingHappens: the pipeline turns the wheel by itself.
func TestBucketsExpireWhileNothingHappens(t *testing.T) {
	t.Parallel()
	r := load(t, lines+"-- scenarios/c.yaml --\ntype: counter\nname: c\ndescription: d\nfilter: 'true'\ncapacity: -1\nduration: 10s\n")
	synctest.Test(t, func(t *testing.T) {
		alerts := &inbox{}
		quiet := func(context.Context) error { <-time.After(15 * time.Second); return nil }
		options := r.options(2, alerts, &script{batches: [][]string{{at(0, "192.0.2.1", "root")}}, clock: event.Live, end: quiet})
		options.Now = time.Now
		options.Engine = scenario.NewEngine(r.scenarios, bucket.NewStore(time.Now()), nil)
		run(t, logprocessor.New(options))
		if got := alerts.about(); !slices.Equal(got, []string{"c 192.0.2.1"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestLinesAreCounted(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	options := load(t, lines).options(2, &inbox{}, &script{name: "log", clock: event.TimeMachine, batches: [][]string{
		{at(0, "192.0.2.1", "root"), "nonsense"}, {at(0, "192.0.2.1", "trusted")},
	}})
	options.Metrics = logprocessor.NewMetrics(registry)
	run(t, logprocessor.New(options))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := family.GetName()
			for _, pair := range metric.GetLabel() {
				key += " " + pair.GetName() + "=" + pair.GetValue()
			}
			got[key] = metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"cs_parsing_time_seconds source=log type=script":                  2, // batches
		"cs_bucket_pour_seconds source=log type=script":                   2,
		"cs_parser_hits_total source=log type=script":                     3,
		"cs_parser_hits_ok_total acquis_type=test source=log type=script": 2,
		"cs_parser_hits_ko_total acquis_type=test source=log type=script": 1,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
