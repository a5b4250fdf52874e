package event_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

// corpus is what the items below some folders say.
type corpus struct {
	texts   map[string]string // expressions, and the key that each stands below
	filters []string          // of scenarios, with repetitions
	data    []datafile.Entry
	dataDir string
	paths   []string // of items of collections
}

// loaded returns the data files that the items name, as far as they are there.
func (c *corpus) loaded() *datafile.Set {
	data := datafile.New(slog.New(slog.DiscardHandler), time.Now)
	for _, entry := range c.data {
		_ = data.Load(entry, c.dataDir) // one that is not there is empty to expressions
	}
	return data
}

func (c *corpus) readAll(tb testing.TB, dir string) {
	tb.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if extension := filepath.Ext(path); err != nil || entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			return err
		}
		return c.read(path)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func (c *corpus) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	for {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if filter, ok := document["filter"].(string); ok && strings.Contains(path, "scenarios") {
			c.filters = append(c.filters, filter)
		}
		c.gather("", document)
	}
}

var expressionKeys = []string{"filter", "groupby", "distinct", "cancel_on", "expression", "key"}

func (c *corpus) gather(key string, value any) {
	switch value := value.(type) {
	case map[string]any:
		if name, ok := value["dest_file"].(string); ok {
			kind, _ := value["type"].(string)
			c.data = append(c.data, datafile.Entry{DestFile: name, Type: kind})
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			c.gather(key, value[key])
		}
	case []any:
		for _, element := range value {
			c.gather(key, element)
		}
	case string:
		if slices.Contains(expressionKeys, key) {
			c.texts[value] = key
		}
	}
}

// TestDirectMembers reads every member that has a short way, of events that have it and of those that do not.
func TestDirectMembers(t *testing.T) {
	t.Parallel()
	full := nginxEvent()
	full.Type, full.StrTime, full.StrTimeFormat, full.MarshaledTime, full.WhitelistReason = event.Overflow, "a", "b", "c", "d"
	full.Whitelisted, full.Process, full.Enriched["e"], full.Unmarshaled["u"] = true, true, "f", 1.5
	full.Appsec.HasInBandMatches, full.Appsec.HasOutBandMatches = true, true
	full.Overflow.Alert = &wire.Alert{
		Scenario: "s", Remediation: true, Source: &wire.Source{IP: "1.2.3.4", Range: "1.2.3.0/24", Cn: "FR", Scope: "Ip"},
		Events: []wire.Event{{Meta: []wire.MetaItem{{Key: "m", Value: "n"}}}},
	}
	full.Overflow.APIAlerts = []*wire.Alert{full.Overflow.Alert}
	withoutSource := event.New(event.Line{}, event.Live)
	withoutSource.Overflow.Alert = &wire.Alert{}
	pair := newPair(datafile.New(slog.New(slog.DiscardHandler), time.Now))
	for _, text := range []string{
		"evt.Stage", "evt.StrTime", "evt.StrTimeFormat", "evt.MarshaledTime", "evt.WhitelistReason", "evt.Whitelisted", "evt.Process",
		"evt.Parsed", "evt.Meta", "evt.Enriched", "evt.Unmarshaled", "evt.Parsed.verb", "evt.Parsed['verb']", "evt.Meta.service", "evt.Enriched.e",
		"evt.Unmarshaled.u", "evt.Line.Raw", "evt.Line.Src", "evt.Line.Module", "evt.Line.Labels", "evt.Line.Labels.type", "'type' in evt.Line.Labels",
		"evt.Appsec.HasInBandMatches", "evt.Appsec.HasOutBandMatches", "evt.GetType()", "evt.GetMeta('service')", "evt.GetMeta('m')",
		"evt.Overflow.Alert.Remediation", "evt.Overflow.Alert.GetScenario()", "evt.Overflow.Alert.GetScope()", "evt.Overflow.Alert.Source.IP",
		"evt.Overflow.Alert.Source.Range", "evt.Overflow.Alert.Source.Cn",
	} {
		both, ok := pair.compile(t, text)
		if !ok || !both.fast.IsDirect() {
			t.Errorf("%s is not direct", text)
			continue
		}
		for _, evt := range []*event.Event{full, sshdEvent(), withoutSource, {}} {
			both.compare(t, evt)
		}
		_, err := both.fast.Eval(&event.Env{})
		_, wantErr := both.slow.Eval(&event.Env{})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%s without an event: error %v, want %v", text, err, wantErr)
		}
	}
}

// TestDirectIsTheMachine runs every expression of the items both ways, over events made of the names and texts in it.
func TestDirectIsTheMachine(t *testing.T) {
	t.Parallel()
	for name, corpus := range corpora(t) {
		if name == "server" {
			continue // a part of the hub
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareAll(t, &corpus)
		})
	}
}

func compareAll(t *testing.T, corpus *corpus) {
	t.Helper()
	pair := newPair(corpus.loaded())
	random := rand.New(rand.NewPCG(1, 2))
	direct, total := 0, 0
	for _, text := range slices.Sorted(maps.Keys(corpus.texts)) {
		compiled, ok := pair.compile(t, text)
		if !ok {
			continue // for another environment
		}
		total++
		if compiled.fast.IsDirect() {
			direct++
		} else {
			t.Logf("on the machine: %s", text)
		}
		for range 25 {
			compiled.compare(t, eventFor(random, text))
		}
	}
	t.Logf("measured: %d of %d expressions are direct", direct, total)
	if direct*100 < total*98 {
		t.Errorf("only %d of %d expressions are direct", direct, total)
	}
}

// pair compiles for both ways.
type pair struct{ fast, slow *expression.Library }

func newPair(data *datafile.Set) pair {
	now := func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) }
	return pair{expression.New(expression.Deps{Data: data, Now: now}), expression.New(expression.Deps{Data: data, Now: now, Plain: true})}
}

type bothWays struct {
	text       string
	fast, slow *expression.Any
	fastFilter *expression.Bool // nil when it is none
	slowFilter *expression.Bool
}

// compile wants the same mistakes to be found.
func (p pair) compile(t *testing.T, text string) (bothWays, bool) {
	t.Helper()
	fast, err := p.fast.CompileAny(text, event.Env{})
	slow, slowErr := p.slow.CompileAny(text, event.Env{})
	if fmt.Sprint(err) != fmt.Sprint(slowErr) {
		t.Fatalf("%s: error %v, want %v", text, err, slowErr)
	}
	if err != nil {
		return bothWays{}, false
	}
	both := bothWays{text: text, fast: fast, slow: slow}
	fastFilter, err := p.fast.CompileBool(text, event.Env{})
	slowFilter, slowErr := p.slow.CompileBool(text, event.Env{})
	if fmt.Sprint(err) != fmt.Sprint(slowErr) {
		t.Fatalf("%s as filter: error %v, want %v", text, err, slowErr)
	}
	if err == nil {
		both.fastFilter, both.slowFilter = fastFilter, slowFilter
	}
	return both, true
}

// compare evaluates over two copies of an event and wants the same result, error and changes.
func (b bothWays) compare(t *testing.T, evt *event.Event) {
	t.Helper()
	a, c := copyOf(evt), copyOf(evt)
	got, err := b.fast.Eval(&event.Env{Evt: a})
	want, wantErr := b.slow.Eval(&event.Env{Evt: c})
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(a, c) {
		t.Fatalf("%s\nyields %#v, %v\nwant   %#v, %v\nfor    %+v", b.text, got, err, want, wantErr, evt)
	}
	if text := b.fast.AsString(); text != nil {
		got, err := text.Eval(&event.Env{Evt: a})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && any(got) != want {
			t.Fatalf("%s as text\nyields %#v, %v\nwant   %#v, %v\nfor    %+v", b.text, got, err, want, wantErr, evt)
		}
	}
	if b.fastFilter != nil {
		got, err := b.fastFilter.Eval(&event.Env{Evt: copyOf(evt)})
		want, wantErr := b.slowFilter.Eval(&event.Env{Evt: copyOf(evt)})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || got != want {
			t.Fatalf("%s as filter\nyields %v, %v\nwant   %v, %v\nfor    %+v", b.text, got, err, want, wantErr, evt)
		}
	}
}

func copyOf(evt *event.Event) *event.Event {
	c := *evt
	c.Parsed, c.Meta, c.Enriched = maps.Clone(c.Parsed), maps.Clone(c.Meta), maps.Clone(c.Enriched)
	c.Unmarshaled, _ = copyValue(c.Unmarshaled).(map[string]any)
	return &c
}

func copyValue(value any) any {
	of, ok := value.(map[string]any)
	if !ok {
		return value
	}
	c := make(map[string]any, len(of))
	for key, value := range of {
		c[key] = copyValue(value)
	}
	return c
}

var (
	textMember  = regexp.MustCompile(`evt\.(Parsed|Meta|Enriched|Line\.Labels)(?:\.(\w+)|\['([^']*)'\]|\["([^"]*)"\])`)
	valueMember = regexp.MustCompile(`evt\.Unmarshaled((?:\??\.\w+|\['[^']*'\]|\["[^"]*"\])+)`)
	link        = regexp.MustCompile(`\w+`)
	literal     = regexp.MustCompile(`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`)
)

// eventFor makes an event that an expression may have an opinion about.
func eventFor(random *rand.Rand, text string) *event.Event {
	literals := literalsOf(text)
	evt := event.New(event.Line{Raw: textFor(random, literals), Src: textFor(random, literals), Module: textFor(random, literals)}, event.Live)
	evt.Line.Labels = map[string]string{}
	evt.StrTime = textFor(random, literals)
	for _, match := range textMember.FindAllStringSubmatch(text, -1) {
		into := map[string]map[string]string{"Parsed": evt.Parsed, "Meta": evt.Meta, "Enriched": evt.Enriched, "Line.Labels": evt.Line.Labels}[match[1]]
		if random.IntN(8) > 0 {
			into[match[2]+match[3]+match[4]] = textFor(random, literals)
		}
	}
	for _, match := range valueMember.FindAllStringSubmatch(text, -1) {
		if random.IntN(8) > 0 {
			put(random, evt.Unmarshaled, link.FindAllString(match[1], -1), valueFor(random, literals, 2))
		}
	}
	if random.IntN(4) == 0 {
		evt.Type = event.Overflow
		evt.Overflow.Alert = &wire.Alert{Scenario: textFor(random, literals), Remediation: random.IntN(2) == 0}
		if random.IntN(4) > 0 {
			evt.Overflow.Alert.Source = &wire.Source{IP: []string{"1.2.3.4", "66.249.66.1", "x", "2001:db8::1"}[random.IntN(4)]}
		}
	}
	return evt
}

func literalsOf(text string) []string {
	literals := []string{"", "0", "7", "123456", "1.2.3.4", "2001:db8::1", `{"a": 1}`, "a=b", "x/../y", "Grüße K", "<a b='1'>t</a>", "%41b"}
	for _, match := range literal.FindAllStringSubmatch(text, -1) {
		unquoted := strings.NewReplacer(`\\`, `\`, `\.`, `.`, `(?i)`, "").Replace(match[1] + match[2])
		literals = append(literals, unquoted, unquoted)
	}
	return literals
}

func textFor(random *rand.Rand, literals []string) string {
	pick := func() string { return literals[random.IntN(len(literals))] }
	switch random.IntN(9) {
	case 0:
		return pick() + pick()
	case 1:
		return "x" + pick() + pick() + "y"
	case 2:
		return strings.ToUpper(pick())
	case 3:
		return strings.ToLower(pick()) + "\xff"
	}
	return pick()
}

func valueFor(random *rand.Rand, literals []string, depth int) any {
	switch random.IntN(14) {
	case 0:
		return nil
	case 1:
		return float64(random.IntN(500))
	case 2:
		return random.IntN(2) == 0
	case 3, 4, 5:
		if depth > 0 {
			return []any{valueFor(random, literals, depth-1), valueFor(random, literals, depth-1)}
		}
	case 6:
		if depth > 0 {
			return map[string]any{"key": textFor(random, literals), "value": valueFor(random, literals, depth-1), "exe": "x", "kind": "y"}
		}
	case 7:
		return map[string]string{"key": textFor(random, literals)}
	case 8:
		return map[string]any(nil)
	}
	return textFor(random, literals)
}

// put stores a value where links lead, if nothing is in the way.
func put(random *rand.Rand, into map[string]any, links []string, value any) {
	for _, name := range links[:len(links)-1] {
		next, ok := into[name].(map[string]any)
		if !ok || next == nil {
			if into[name] != nil || random.IntN(20) == 0 {
				return
			}
			next = map[string]any{}
			into[name] = next
		}
		into = next
	}
	into[links[len(links)-1]] = value
}
