package scenario_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/scenario"
)

// epoch is when logs begin, and today is when they are read.
var (
	epoch = time.Date(2021, 9, 29, 14, 11, 34, 0, time.FixedZone("", 2*60*60))
	today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// The least that each type needs.
const (
	leaky       = "type: leaky\nname: test\ndescription: d\nfilter: 'true'\ncapacity: 1\nleakspeed: 10s\n"
	trigger     = "type: trigger\nname: test\ndescription: d\nfilter: 'true'\n"
	counter     = "type: counter\nname: test\ndescription: d\nfilter: 'true'\ncapacity: -1\nduration: 10s\n"
	conditional = "type: conditional\nname: test\ndescription: d\nfilter: 'true'\ncapacity: -1\nleakspeed: 10s\ncondition: len(queue.Queue) >= 2\n"
	bayesian    = "type: bayesian\nname: test\ndescription: d\nfilter: 'true'\ncapacity: -1\nleakspeed: 10s\nbayesian_prior: 0.5\nbayesian_threshold: 0.95\n" +
		"bayesian_conditions: [{condition: 'evt.Meta.user == \"root\"', prob_given_evil: 0.9, prob_given_benign: 0.1}," +
		" {condition: 'evt.Meta.path == \"etc\"', prob_given_evil: 0.8, prob_given_benign: 0.2}]\n"
)

// with returns base with lines of its own: each replaces the one of the same key, or removes it when it has no
// value.
func with(base string, lines ...string) string {
	kept := strings.Split(strings.TrimSpace(base), "\n")
	for _, line := range lines {
		key, value, _ := strings.Cut(line, ":")
		kept = slices.DeleteFunc(kept, func(old string) bool { return strings.HasPrefix(old, key+":") })
		if value != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n"
}

// bench is where scenarios are loaded and events poured. Its clock stands still until a test moves it.
type bench struct {
	log      bytes.Buffer
	registry *prometheus.Registry
	metrics  *scenario.Metrics
	now      time.Time
	store    *bucket.Store
	set      *scenario.Set
	engine   *scenario.Engine
	context  scenario.Context
	plain    bool // without shortcuts
}

func newBench() *bench {
	registry := prometheus.NewRegistry()
	return &bench{registry: registry, metrics: scenario.NewMetrics(registry), now: today, store: bucket.NewStore(today)}
}

func (b *bench) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (b *bench) load(items ...scenario.Item) (*scenario.Set, error) {
	clock := func() time.Time { return b.now }
	data := datafile.New(b.logger(), clock)
	return scenario.Load(items, scenario.Deps{
		Log:         b.logger(),
		Expressions: expression.New(expression.Deps{Log: b.logger(), Now: clock, Data: data, Plain: b.plain}),
		Data:        data,
		DataDir:     "testdata",
		Simulated:   func(name string) bool { return strings.HasPrefix(name, "simulated") },
		Context:     b.context,
	})
}

// use loads one file a text and builds an engine; a second call keeps the buckets of the first.
func (b *bench) use(tb testing.TB, texts ...string) {
	tb.Helper()
	var items []scenario.Item
	for i, text := range texts {
		items = append(items, scenario.Item{Path: fmt.Sprintf("scenarios/%d.yaml", i), Text: []byte(text)})
	}
	set, err := b.load(items...)
	if err != nil {
		tb.Fatal(err)
	}
	b.set, b.engine = set, scenario.NewEngine(set, b.store, b.metrics)
}

func (b *bench) pour(events ...*event.Event) []*event.Event {
	var overflows []*event.Event
	for _, evt := range events {
		overflows = append(overflows, b.engine.Pour(b.set.NewMatcher().Append(nil, evt, b.now), evt.Line.Origin())...)
	}
	return overflows
}

// wait moves the clock, second by second as the pipeline does, and returns what overflowed meanwhile.
func (b *bench) wait(length time.Duration) []*event.Event {
	var overflows []*event.Event
	for end := b.now.Add(length); b.now.Before(end); {
		b.now = b.now.Add(time.Second)
		overflows = append(overflows, b.engine.Expire(b.now)...)
	}
	return overflows
}

// replayed reads "2s ip=192.0.2.1 user=root": an event 2 s after epoch, with its meta. ip stands for
// source_ip, which is 192.0.2.1 unless it says something else.
func replayed(text string) *event.Event {
	offset, meta, _ := strings.Cut(text, " ")
	length, err := time.ParseDuration(offset)
	if err != nil {
		panic(err)
	}
	evt := event.New(event.Line{Src: "/var/log/test", Module: "file"}, event.TimeMachine)
	evt.MarshaledTime = epoch.Add(length).Format(time.RFC3339Nano)
	evt.Meta["source_ip"] = "192.0.2.1"
	for _, pair := range strings.Fields(meta) {
		key, value, _ := strings.Cut(pair, "=")
		if key == "ip" {
			key = "source_ip"
		}
		evt.Meta[key] = value
	}
	return evt
}

// live is replayed without its clock.
func live(meta string) *event.Event {
	evt := replayed("0s " + meta)
	evt.ExpectMode, evt.MarshaledTime, evt.Time = event.Live, "", today
	return evt
}

func eachReplayed(texts []string) []*event.Event {
	var events []*event.Event
	for _, text := range texts {
		events = append(events, replayed(text))
	}
	return events
}

// summary writes overflows as "192.0.2.1 6/3": value of the source, events poured, events kept.
func summary(overflows []*event.Event) []string {
	var texts []string
	for _, evt := range overflows {
		for _, alert := range evt.Overflow.APIAlerts {
			texts = append(texts, fmt.Sprintf("%s %d/%d", alert.GetValue(), alert.EventsCount, len(alert.Events)))
		}
	}
	return texts
}
