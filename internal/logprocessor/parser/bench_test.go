package parser_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/tools/txtar"

	"shieldwall/content"
	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/logprocessor/grok"
	"shieldwall/internal/logprocessor/parser"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is where parsers are loaded and watched. Its clock stands still until a test moves it.
type bench struct {
	log      bytes.Buffer
	registry *prometheus.Registry
	now      time.Time
	patterns *grok.Library
	plain    bool // without shortcuts
}

func newBench(patterns *grok.Library) *bench {
	return &bench{registry: prometheus.NewRegistry(), now: epoch, patterns: patterns}
}

// embedded are the patterns that come with the program.
func embedded(tb testing.TB) *grok.Library {
	tb.Helper()
	library := grok.New()
	for _, file := range content.Patterns() {
		if err := library.AddFile(file.Name, strings.NewReader(file.Text)); err != nil {
			tb.Fatal(err)
		}
	}
	return library
}

// load takes a txtar archive of parser files named STAGE/FILE. A text without file names is the body of one
// named document, s01/test.yaml.
func (b *bench) load(archive string) (*parser.Set, error) {
	var items []parser.Item
	for _, file := range txtar.Parse([]byte(asArchive(archive))).Files {
		items = append(items, parser.Item{Path: file.Name, Stage: path.Dir(file.Name), Text: file.Data})
	}
	return b.loadItems(items)
}

func asArchive(text string) string {
	if strings.HasPrefix(text, "-- ") {
		return text
	}
	return "-- s01/test.yaml --\nname: test\n" + text
}

func (b *bench) loadItems(items []parser.Item) (*parser.Set, error) {
	log := slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	clock := func() time.Time { return b.now }
	data, memory := datafile.New(log, clock), stash.New(clock)
	return parser.Load(items, parser.Deps{
		Log:         log,
		Expressions: expression.New(expression.Deps{Log: log, Now: clock, Data: data, Stash: memory, Plain: b.plain}),
		Patterns:    b.patterns.Clone(),
		Data:        data,
		DataDir:     "testdata",
		Stash:       memory,
		Methods:     enrich.Registry(enrich.Deps{Now: clock}),
		Metrics:     parser.NewMetrics(b.registry),
	})
}

func (b *bench) mustLoad(tb testing.TB, archive string) *parser.Set {
	tb.Helper()
	set, err := b.load(archive)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// line is an event as acquisition makes it.
func line(text string) *event.Event {
	return event.New(event.Line{
		Raw: text, Src: "/var/log/test", Module: "file", Time: epoch, Labels: map[string]string{"type": "syslog"},
	}, event.Live)
}

// facts are what parsers left in an event, as "meta.user=root" and the like, in order.
func facts(evt *event.Event) []string {
	var found []string
	for prefix, texts := range map[string]map[string]string{
		"parsed.": evt.Parsed, "meta.": evt.Meta, "enriched.": evt.Enriched,
	} {
		for key, value := range texts {
			found = append(found, prefix+key+"="+value)
		}
	}
	for key, value := range evt.Unmarshaled {
		found = append(found, fmt.Sprintf("unmarshaled.%s=%v", key, value))
	}
	slices.Sort(found)
	return found
}

// row is what most tables are made of: parsers, a line, and all that is known about it afterwards.
type row struct {
	name   string
	files  string             // for load
	line   string             // "" is "hello world 42"
	before func(*event.Event) // nil: the event is fresh
	want   []string           // facts
	drop   bool
	stage  string // "" is not checked
	log    string // part of what is logged; "" is not checked
	after  func(*event.Event) string
	result string // of after
}

func runRows(t *testing.T, rows []row) {
	t.Helper()
	patterns := embedded(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(t, newBench(patterns))
		})
	}
}

func (r *row) run(t *testing.T, b *bench) {
	t.Helper()
	set := b.mustLoad(t, r.files)
	evt := line("hello world 42")
	if r.line != "" {
		evt = line(r.line)
	}
	if r.before != nil {
		r.before(evt)
	}
	if ok := set.Parse(evt); ok == r.drop || evt.Process != ok {
		t.Errorf("parsed %v, process %v, want %v", ok, evt.Process, !r.drop)
	}
	if got := facts(evt); !slices.Equal(got, r.want) {
		t.Errorf("facts %q, want %q", got, r.want)
	}
	if r.stage != "" && evt.Stage != r.stage {
		t.Errorf("stage %s, want %s", evt.Stage, r.stage)
	}
	if !strings.Contains(b.log.String(), r.log) {
		t.Errorf("nothing logged about %q in:\n%s", r.log, b.log.String())
	}
	if r.after != nil {
		if got := r.after(evt); got != r.result {
			t.Errorf("left %q, want %q", got, r.result)
		}
	}
}

// counters returns the counters that are not zero, as `name{label=value}` without the labels of the line.
func (b *bench) counters(tb testing.TB) map[string]float64 {
	tb.Helper()
	return b.counted(tb)
}

// failing is what a test does that something goes wrong in.
type failing interface{ Fatal(args ...any) }

func (b *bench) counted(t failing) map[string]float64 {
	families, err := b.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			found[family.GetName()+"{"+render(labels)+"}"] = metric.GetCounter().GetValue()
		}
	}
	return found
}

func render(labels map[string]string) string {
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		texts = append(texts, key+"="+labels[key])
	}
	return strings.Join(texts, ",")
}
