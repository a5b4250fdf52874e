package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func roundTrip(evt *event.Event) *event.Event {
	return event.NewPacker(event.Everything()).Pack(evt).Unpack()
}

// TestEveryFieldComesBack fills every field that an event has now, or will have one day.
func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	evt := &event.Event{}
	fill(t, reflect.ValueOf(evt).Elem(), "event")
	evt.Overflow.APIAlerts = []*wire.Alert{evt.Overflow.Alert, {Source: evt.Overflow.Sources["key"], Labels: []string{}}}
	evt.Unmarshaled = map[string]any{
		"nothing": nil, "true": true, "false": false, "text": "a", "number": 1.5, "int": -3, "infinite": math.Inf(-1),
		"list": []any{1.0, "a", nil, []any{}, map[string]any{}}, "object": map[string]any{"int": "5", "a": map[string]any{"b": 1.0}},
		"pairs": map[string]string{"a": "b"}, "no pairs": map[string]string{}, "texts": []string{"a", "b"}, "\xff": "\xfe", "": "",
	}
	evt.Appsec.MatchedRules = event.MatchedRules{{"id": 1, "tags": []string{"a"}, "disruptive": true}}
	if evt.Type != event.Overflow {
		t.Fatal("only overflows are packed with theirs")
	}
	got := roundTrip(evt)
	if !reflect.DeepEqual(got, evt) {
		t.Errorf("got  %#v\nwant %#v", got, evt)
	}
	if got.Overflow.Alert != got.Overflow.APIAlerts[0] || got.Overflow.APIAlerts[1].Source != got.Overflow.Sources["key"] {
		t.Error("what was shared is not shared any more")
	}
}

// fill sets everything below v to something that is not its zero value.
func fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(path + "\xff\"ü")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32:
		v.SetFloat(0.1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), path)
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(t, element, path)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), element)
	case reflect.Interface:
		v.Set(reflect.ValueOf("any"))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(noon))
			return
		}
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue // where the texts of lines are, which have maps too
			}
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s: nobody thought of a %s", path, v.Type())
	}
}

// parts are what a footprint can ask for, and how it gets from one event to another.
var parts = []struct {
	path []string
	copy func(from, to *event.Event)
}{
	{[]string{"WhitelistReason"}, func(from, to *event.Event) { to.WhitelistReason = from.WhitelistReason }},
	{[]string{"Stage"}, func(from, to *event.Event) { to.Stage = from.Stage }},
	{[]string{"StrTime"}, func(from, to *event.Event) { to.StrTime = from.StrTime }},
	{[]string{"StrTimeFormat"}, func(from, to *event.Event) { to.StrTimeFormat = from.StrTimeFormat }},
	{[]string{"Time", "Hour"}, func(from, to *event.Event) { to.Time = from.Time }},
	{[]string{"Line", "Raw"}, func(from, to *event.Event) { to.Line.Raw = from.Line.Raw }},
	{[]string{"Line", "Src"}, func(from, to *event.Event) { to.Line.Src = from.Line.Src }},
	{[]string{"Line", "Module"}, func(from, to *event.Event) { to.Line.Module = from.Line.Module }},
	{[]string{"Line", "Labels"}, func(from, to *event.Event) { to.Line.Labels = from.Line.Labels }},
	{[]string{"Line", "Time"}, func(from, to *event.Event) { to.Line.Time = from.Line.Time }},
	{[]string{"Line"}, func(from, to *event.Event) { to.Line = from.Line }},
	{[]string{"Parsed"}, func(from, to *event.Event) { to.Parsed = from.Parsed }},
	{[]string{"Parsed", "a"}, func(from, to *event.Event) { copyKey(from.Parsed, to.Parsed, "a") }},
	{[]string{"Parsed", "b"}, func(from, to *event.Event) { copyKey(from.Parsed, to.Parsed, "b") }},
	{[]string{"Enriched"}, func(from, to *event.Event) { to.Enriched = from.Enriched }},
	{[]string{"Enriched", "a"}, func(from, to *event.Event) { copyKey(from.Enriched, to.Enriched, "a") }},
	{[]string{"Unmarshaled"}, func(from, to *event.Event) { to.Unmarshaled = from.Unmarshaled }},
	{[]string{"Unmarshaled", "a"}, func(from, to *event.Event) { copyKey(from.Unmarshaled, to.Unmarshaled, "a") }},
	{[]string{"Meta", "a"}, func(*event.Event, *event.Event) {}},
	{[]string{"Process"}, func(*event.Event, *event.Event) {}},
	{[]string{"MadeUp"}, func(from, to *event.Event) { *to = *from }},
	{[]string{}, func(from, to *event.Event) { *to = *from }},
}

func copyKey[V any](from, to map[string]V, key string) {
	if value, there := from[key]; there {
		to[key] = value
	}
}

// TestFootprints: what a footprint asks for comes back as it was, and nothing else does.
func TestFootprints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		footprint, evt := event.Footprint{}, drawEvent(t)
		want := event.New(event.Line{Process: evt.Line.Process}, evt.ExpectMode)
		want.Whitelisted, want.Process, want.Meta, want.MarshaledTime = evt.Whitelisted, evt.Process, evt.Meta, evt.MarshaledTime
		if evt.MarshaledTime == "" {
			want.Time = evt.Time
		}
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, len(parts)-1), 0, 5, rapid.ID[int]).Draw(t, "parts")
		for _, i := range chosen {
			footprint = footprint.Union(event.Footprint{}.With(parts[i].path...))
		}
		for i := range parts { // the whole of a map before its keys
			for _, one := range chosen {
				if i == one {
					parts[i].copy(evt, want)
				}
			}
		}
		packer := event.NewPacker(footprint)
		for range 10 { // it learns
			if got := packer.Pack(evt).Unpack(); !reflect.DeepEqual(got, want) {
				t.Fatalf("got  %#v\nwant %#v", got, want)
			}
		}
	})
}

// drawEvent draws an event of a line. Maps are not nil, but for labels, which are not empty.
func drawEvent(t *rapid.T) *event.Event {
	bytes := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	dates := rapid.StringMatching(`(19[67]|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?`)
	text := rapid.OneOf(rapid.String(), bytes, dates, rapid.SampledFrom([]string{"a", "b", "ssh", "http"}))
	texts := rapid.MapOf(text, text)
	evt := event.New(event.Line{
		Raw: text.Draw(t, "raw"), Src: text.Draw(t, "src"), Module: text.Draw(t, "module"), Time: drawTime(t), Process: rapid.Bool().Draw(t, "process"),
	}, rapid.SampledFrom([]event.Clock{event.Live, event.TimeMachine}).Draw(t, "clock"))
	if labels := texts.Draw(t, "labels"); len(labels) > 0 {
		evt.Line.Labels = labels
	}
	evt.Stage, evt.WhitelistReason, evt.StrTime, evt.StrTimeFormat = text.Draw(t, "stage"), text.Draw(t, "reason"), text.Draw(t, "str time"), text.Draw(t, "format")
	evt.MarshaledTime, evt.Time = text.Draw(t, "marshaled time"), drawTime(t)
	evt.Parsed, evt.Enriched, evt.Meta = texts.Draw(t, "parsed"), texts.Draw(t, "enriched"), texts.Draw(t, "meta")
	evt.Unmarshaled = rapid.MapOf(text, drawValue(text, 3)).Draw(t, "unmarshaled")
	evt.Whitelisted, evt.Process = rapid.Bool().Draw(t, "whitelisted"), rapid.Bool().Draw(t, "processed")
	return evt
}

func drawTime(t *rapid.T) time.Time {
	at := time.Unix(rapid.Int64Range(-1<<36, 1<<38).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
	if zone := rapid.IntRange(-1439, 1439).Draw(t, "zone"); zone != 0 {
		return at.In(time.FixedZone(rapid.SampledFrom([]string{"", "CET"}).Draw(t, "name"), zone*60))
	}
	return at.UTC()
}

func drawValue(text *rapid.Generator[string], depth int) *rapid.Generator[any] {
	of := func(generators ...*rapid.Generator[any]) *rapid.Generator[any] { return rapid.OneOf(generators...) }
	plain := of(
		rapid.Just[any](nil), rapid.Bool().AsAny(), text.AsAny(), rapid.Int().AsAny(), rapid.Float64().AsAny(),
		rapid.MapOf(text, text).AsAny(), rapid.SliceOf(text).AsAny(),
	)
	if depth == 0 {
		return plain
	}
	deeper := drawValue(text, depth-1)
	return of(plain, rapid.SliceOf(deeper).AsAny(), rapid.MapOf(text, deeper).AsAny())
}

// TestUnpacker: an event says the same in memory that is used again, whatever was there before.
func TestUnpacker(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		packers := []*event.Packer{event.NewPacker(event.Everything()), event.NewPacker(event.Footprint{}.With("Parsed", "a").With("Time"))}
		var unpacker event.Unpacker
		for range 3 {
			var queue []event.Packed
			for range rapid.IntRange(0, 5).Draw(t, "events") {
				evt, packer := drawEvent(t), rapid.SampledFrom(packers).Draw(t, "packer")
				for range rapid.SampledFrom([]int{1, 10}).Draw(t, "until it is learned") {
					packer.Pack(evt)
				}
				queue = append(queue, packer.Pack(evt))
			}
			for i, got := range unpacker.Unpack(queue) {
				want := queue[i].Unpack()
				if count, meta := got.MetaCount(), got.AppendMeta(nil); count != len(want.Meta) || !reflect.DeepEqual(meta, want.AppendMeta(nil)) {
					t.Fatalf("%d meta values %v, want %v", count, meta, want.Meta)
				}
				for name, text := range want.Parsed {
					if found, ok := event.ParsedField(name).Find(got); !ok || found != text {
						t.Fatalf("parsed %q is %q, want %q", name, found, text)
					}
				}
				got.Maps()
				if exported(got) != exported(want) {
					t.Fatalf("got  %s\nwant %s", exported(got), exported(want))
				}
			}
		}
	})
}

// exported shows what others see of an event. Labels that are empty are none.
func exported(evt *event.Event) string {
	shown, fields := "", reflect.ValueOf(evt).Elem()
	for _, field := range reflect.VisibleFields(fields.Type()) {
		if field.IsExported() {
			shown += fmt.Sprintf("%s %#v\n", field.Name, fields.FieldByIndex(field.Index))
		}
	}
	return shown
}

func TestUnpackerOfLargeBuckets(t *testing.T) {
	t.Parallel()
	packer, queue := event.NewPacker(event.Everything()), make([]event.Packed, 1000)
	for i := range queue {
		queue[i] = packer.Pack(event.New(event.Line{Raw: fmt.Sprint(i)}, event.Live))
	}
	var unpacker event.Unpacker
	for _, count := range []int{3, 1000, 5} {
		events := unpacker.Unpack(queue[:count])
		if len(events) != count {
			t.Fatalf("%d events, want %d", len(events), count)
		}
		for i, evt := range events {
			if evt.Line.Raw != fmt.Sprint(i) {
				t.Errorf("event %d of %d is %s", i, count, evt.Line.Raw)
			}
		}
	}
}

func TestMetaIsSorted(t *testing.T) {
	t.Parallel()
	evt := sshLine(0)
	items := evt.AppendMeta([]wire.MetaItem{{Key: "z", Value: "first"}})
	if items[0].Key != "z" || len(items) != 1+evt.MetaCount() || !slices.IsSortedFunc(items[1:], func(a, b wire.MetaItem) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("got %v", items)
	}
	evt.Maps()
	if again := evt.AppendMeta(items[:1:1]); !slices.Equal(again, items) {
		t.Errorf("of maps: %v, of fields %v", again, items)
	}
}

// TestDatesRepeat: what is remembered of the latest date is true of nothing else.
func TestDatesRepeat(t *testing.T) {
	t.Parallel()
	const at = "2026-03-14T09:26:53"
	packer := event.NewPacker(event.Everything())
	for _, text := range []string{strings.Repeat("\x00", 19), at, at + "Z", at + ".5+01:00", at + " and what follows is long", at + at, at[:18], "2026-03-14T09:26:5x", at} {
		evt := event.New(event.Line{Raw: text}, event.Live)
		evt.MarshaledTime, evt.Meta["timestamp"] = text, text
		got := packer.Pack(evt).Unpack()
		if got.MarshaledTime != text || got.Line.Raw != text || got.Meta["timestamp"] != text {
			t.Errorf("got %q, %q, %q, want %q", got.MarshaledTime, got.Line.Raw, got.Meta["timestamp"], text)
		}
	}
}

func TestTimesKeepTheirZone(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{
		noon.In(time.FixedZone("", 5*3600+1800)), noon.In(time.FixedZone("LMT", 561)), time.Date(12026, 3, 1, 0, 0, 0, 0, time.UTC), noon.In(time.Local), {},
	} {
		got := roundTrip(&event.Event{Time: at}).Time
		if !got.Equal(at) || got.String() != at.String() {
			t.Errorf("got %v, want %v", got, at)
		}
	}
}

func TestDeepValuesEnd(t *testing.T) {
	t.Parallel()
	deep := func(levels int) any {
		var value any
		if err := json.Unmarshal([]byte(strings.Repeat(`{"a":[`, levels)+strings.Repeat(`]}`, levels)), &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	evt := event.New(event.Line{}, event.Live)
	evt.Unmarshaled["deep"], evt.Unmarshaled["alien"] = deep(4000), struct{}{}
	got := roundTrip(evt).Unmarshaled
	if value, kept := got["alien"]; value != nil || !kept {
		t.Errorf("a value of no known type came back as %v", value)
	}
	if !reflect.DeepEqual(got["deep"], evt.Unmarshaled["deep"]) {
		t.Error("what JSON can say did not come back")
	}
	evt.Unmarshaled["deep"] = []any{deep(4000), []any{deep(4999)}}
	if got := roundTrip(evt).Unmarshaled["deep"]; got == nil {
		t.Error("nothing came back")
	}
}

// TestPackedOwnsItsMemory: a batch reuses the bytes that events share with it.
func TestPackedOwnsItsMemory(t *testing.T) {
	t.Parallel()
	packer := event.NewPacker(event.Everything())
	for range 20 { // until the texts are symbols
		batch := []byte("source_ip 192.0.2.1 some user")
		text := unsafe.String(&batch[0], len(batch))
		evt := event.New(event.Line{Raw: text}, event.Live)
		evt.Meta[text[:9]] = text[10:19]
		packed := packer.Pack(evt)
		for i := range batch {
			batch[i] = 'x'
		}
		if got := packed.Unpack(); got.Meta["source_ip"] != "192.0.2.1" || got.Line.Raw != "source_ip 192.0.2.1 some user" {
			t.Fatalf("got %+v", got)
		}
	}
}

// TestPackersLearn what events have in common, while others pack, and only so much of it.
func TestPackersLearn(t *testing.T) {
	t.Parallel()
	first := event.NewPacker(event.Footprint{})
	pack := func(packer *event.Packer, i int) event.Packed {
		evt := event.New(event.Line{}, event.Live)
		evt.Meta = map[string]string{"service": "ssh", "user_agent": "a browser with a rather long name", "source_ip": fmt.Sprint("192.0.2.", i)}
		return packer.Pack(evt)
	}
	alone := pack(first, 0)
	var workers sync.WaitGroup
	for worker := range 4 {
		packer := first.Another()
		workers.Go(func() {
			for i := range 20_000 {
				i := worker*20_000 + i
				if got := pack(packer, i).Unpack().Meta; len(got) != 3 || got["service"] != "ssh" || got["source_ip"] != fmt.Sprint("192.0.2.", i) {
					t.Errorf("got %v", got)
					return
				}
			}
		})
	}
	workers.Wait()
	if last := pack(first, 99_999); len(last.Text()) > 25 || len(alone.Text()) < 60 {
		t.Errorf("%d bytes, at first %d", len(last.Text()), len(alone.Text()))
	}
	if texts := alone.Symbols().Texts(); len(texts) > 100 {
		t.Errorf("learned %d texts that few events have", len(texts)-5)
	}
}

// TestAttackersCannotFillMemory with texts that they say often enough.
func TestAttackersCannotFillMemory(t *testing.T) {
	t.Parallel()
	packer, evt := event.NewPacker(event.Footprint{}), event.New(event.Line{}, event.Live)
	for i := range 6000 {
		for range 16 {
			evt.Meta["user"] = fmt.Sprint("name ", i)
			if got := packer.Pack(evt).Unpack().Meta["user"]; got != evt.Meta["user"] {
				t.Fatalf("got %q, want %q", got, evt.Meta["user"])
			}
		}
	}
	if got := len(packer.Pack(evt).Symbols().Texts()); got != 4096 {
		t.Errorf("%d symbols", got)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	packer, evt := event.NewPacker(event.Everything()), event.New(event.Line{Raw: "raw"}, event.Live)
	evt.Meta["user"], evt.Unmarshaled["a"] = "root", map[string]any{"b": 1.5}
	for range 10 {
		packer.Pack(evt)
	}
	packed := packer.Pack(evt)
	copied := event.NewSymbols()
	for _, texts := range [][]string{packed.Symbols().Texts()[:1], packed.Symbols().Texts()[1:]} {
		if err := copied.Extend(texts); err != nil {
			t.Fatal(err)
		}
	}
	restored, err := event.Restore(packed.Text(), copied)
	if err != nil || !reflect.DeepEqual(restored.Unpack(), evt) {
		t.Fatalf("%+v, %v", restored, err)
	}
	if copied.Extend([]string{"user"}) == nil {
		t.Error("a text has two numbers")
	}
	if _, err := event.Restore(packed.Text(), event.NewSymbols()); err == nil {
		t.Error("restored without its symbols")
	}
	for i := range len(packed.Text()) {
		if restored, err := event.Restore(packed.Text()[:i], copied); err == nil && reflect.DeepEqual(restored.Unpack(), evt) {
			t.Errorf("the first %d of %d bytes are enough", i, len(packed.Text()))
		}
	}
}

// FuzzRestore: anything is refused or an event, which is the same when it is packed again.
func FuzzRestore(f *testing.F) {
	evt := event.New(event.Line{Raw: "raw\xff", Labels: map[string]string{"type": "syslog"}, Time: noon}, event.TimeMachine)
	evt.MarshaledTime, evt.Time = "2026-03-01T12:00:00.5+02:00", noon.In(time.FixedZone("CET", 3600))
	evt.Unmarshaled["a"] = map[string]any{"b": []any{1.5, map[string]string{"c": "d"}, nil, true, 7, []string{"x"}}}
	packer := event.NewPacker(event.Everything())
	f.Add(packer.Pack(evt).Text())
	evt.Type = event.Overflow
	evt.Overflow = event.RuntimeAlert{Mapkey: "m", Sources: map[string]*wire.Source{"a": {Value: "a"}}, APIAlerts: []*wire.Alert{{Source: &wire.Source{Value: "a"}}}}
	evt.Overflow.Alert = evt.Overflow.APIAlerts[0]
	evt.Appsec.MatchedRules = event.MatchedRules{{"id": 1}}
	f.Add(packer.Pack(evt).Text())
	for range 10 {
		packer.Pack(evt)
	}
	symbols := packer.Pack(evt).Symbols()
	f.Add(packer.Pack(evt).Text())
	f.Fuzz(func(t *testing.T, text string) {
		packed, err := event.Restore(text, symbols)
		if err != nil {
			return
		}
		want := packed.Unpack()
		if got := roundTrip(want); shown(t, got) != shown(t, want) {
			t.Fatalf("got  %s\nwant %s", shown(t, got), shown(t, want))
		}
	})
}

// shown shows an event without addresses, and what is no number too.
func shown(t *testing.T, evt *event.Event) string {
	t.Helper()
	overflow, err := json.Marshal(evt.Overflow) //nolint:musttag // nobody reads it back
	if _, unsupported := errors.AsType[*json.UnsupportedValueError](err); err != nil && !unsupported {
		t.Fatal(err)
	}
	rest := *evt
	rest.Overflow = event.RuntimeAlert{}
	if evt.Type != event.Overflow {
		overflow = nil
	}
	return fmt.Sprintf("%+v %s", rest, overflow)
}

// webEvent is about what a line of a web server becomes.
func webEvent() *event.Event {
	evt := event.New(event.Line{
		Raw: `192.0.2.10 - - [14/Mar/2026:09:26:53 +0000] "GET /article/0?page=2 HTTP/1.1" 200 612 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"`,
		Src: "/var/log/nginx/access.log", Module: "file", Process: true, Time: noon, Labels: map[string]string{"type": "nginx"},
	}, event.Live)
	evt.Stage, evt.StrTime, evt.MarshaledTime, evt.Time = "s02-enrich", "14/Mar/2026:09:26:53 +0000", "2026-03-14T09:26:53Z", noon
	for i := range 20 {
		evt.Parsed[fmt.Sprint("parsed_field_", i)] = "a value of some length"
	}
	evt.Meta = map[string]string{
		"service": "http", "log_type": "http_access-log", "source_ip": "192.0.2.10", "http_status": "200", "http_path": "/article/0?page=2", "http_verb": "GET",
		"http_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "http_args_len": "6", "timestamp": "2026-03-14T09:26:53Z",
	}
	evt.Enriched["IsoCode"] = "DE"
	return evt
}

func BenchmarkPack(b *testing.B) {
	for name, footprint := range map[string]event.Footprint{"everything": event.Everything(), "usual": event.Footprint{}.With("Time").With("Enriched", "IsoCode")} {
		b.Run(name, func(b *testing.B) {
			packer, evt := event.NewPacker(footprint), webEvent()
			var packed event.Packed
			b.ReportAllocs()
			for b.Loop() {
				packed = packer.Pack(evt)
			}
			b.ReportMetric(float64(len(packed.Text())), "bytes/event")
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	packed := event.NewPacker(event.Footprint{}.With("Time").With("Enriched", "IsoCode")).Pack(webEvent())
	b.ReportAllocs()
	for b.Loop() {
		packed.Unpack()
	}
}

// BenchmarkPackLines packs what lines of sshd become, which differ in who and when.
func BenchmarkPackLines(b *testing.B) {
	footprint := event.Footprint{}.With("Time")
	for _, name := range []string{"ASNumber", "ASNNumber", "IsoCode", "ASNOrg", "Latitude", "Longitude"} {
		footprint = footprint.With("Enriched", name)
	}
	lines := make([]*event.Event, 1024)
	for i := range lines {
		lines[i] = sshLine(i)
	}
	packer, size := event.NewPacker(footprint), 0
	b.ReportAllocs()
	n := 0
	for ; b.Loop(); n++ {
		size += len(packer.Pack(lines[n%len(lines)]).Text())
	}
	b.ReportMetric(float64(size)/float64(n), "bytes/event")
}

// sshLine is about what a failed login becomes.
func sshLine(i int) *event.Event {
	evt := &event.Event{}
	evt.Renew(event.Line{Time: noon}, event.TimeMachine)
	evt.MarshaledTime, evt.Time = fmt.Sprintf("2026-03-14T09:%02d:%02dZ", i/60%60, i%60), noon.Add(time.Duration(i)*time.Second)
	for _, meta := range [][2]string{
		{"datasource_path", "/var/log/auth.log"},
		{"datasource_type", "file"},
		{"service", "ssh"},
		{"log_type", "ssh_failed-auth"},
		{"machine", fmt.Sprint("web", i%4)},
		{"target_user", fmt.Sprint("user", i*7919%1000)},
		{"source_ip", fmt.Sprintf("192.0.%d.%d", i*31%256, i*17%256)},
		{"timestamp", evt.MarshaledTime},
		{"IsoCode", fmt.Sprint("C", i%50)},
		{"ASNNumber", fmt.Sprint(i % 700)},
		{"ASNOrg", fmt.Sprint("Org ", i%700)},
		{"IsInEU", "false"},
		{"SourceRange", fmt.Sprintf("192.0.%d.0/24", i*31%256)},
	} {
		event.MetaField(meta[0]).Set(evt, meta[1])
	}
	for _, enriched := range [][2]string{
		{"IsoCode", fmt.Sprint("C", i%50)},
		{"IsInEU", "false"},
		{"Latitude", fmt.Sprint(i%90) + ".000000"},
		{"Longitude", fmt.Sprint(i%180) + ".000000"},
		{"ASNNumber", fmt.Sprint(i % 700)},
		{"ASNumber", fmt.Sprint(i % 700)},
		{"ASNOrg", fmt.Sprint("Org ", i%700)},
		{"SourceRange", fmt.Sprintf("192.0.%d.0/24", i*31%256)},
	} {
		event.EnrichedField(enriched[0]).Set(evt, enriched[1])
	}
	for i := range 12 {
		event.ParsedField(fmt.Sprint("parsed_", i)).Set(evt, "something")
	}
	return evt
}

func BenchmarkUnpacker(b *testing.B) {
	packer, queue := event.NewPacker(event.Footprint{}.With("Time").With("Enriched", "IsoCode")), make([]event.Packed, 6)
	for n := range 20 {
		queue[n%len(queue)] = packer.Pack(sshLine(n))
	}
	var unpacker event.Unpacker
	b.ReportAllocs()
	for b.Loop() {
		unpacker.Unpack(queue)
	}
}
