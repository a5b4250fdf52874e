package savepoint

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/wire"
)

var today = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// shape is a bucket that never overflows.
func shape(string) *bucket.Config {
	return &bucket.Config{Kind: bucket.Leaky, Capacity: 1 << 30, Keep: -1, Leakspeed: time.Hour}
}

// failer is a test or a property.
type failer interface {
	Fatalf(format string, args ...any)
}

// roundTrip pours an event into a live bucket and returns what a restarted store holds.
func roundTrip(t failer, evt *event.Event) *event.Event {
	store := bucket.NewStore(today)
	store.Everything()
	live := *evt
	live.ExpectMode = event.Live // what is not live is not kept
	store.Pour(bucket.Key{}, shape(""), bucket.Input{Event: &live, At: today})
	text, err := appendChanges(header(), store.Changes())
	if err != nil {
		t.Fatalf("%v", err)
	}
	restored, err := readJournal(bytes.NewReader(text), today)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	restored.Retain(shape)
	queue := restored.Pour(bucket.Key{}, shape(""), bucket.Input{Event: evt, At: today})[0].State.Queue
	back := *queue[0]
	back.ExpectMode = evt.ExpectMode
	return &back
}

// TestEventsKeepEveryField fills every field that an event has now, or will have one day.
func TestEventsKeepEveryField(t *testing.T) {
	t.Parallel()
	evt := &event.Event{}
	fill(t, reflect.ValueOf(evt).Elem(), "event")
	evt.Overflow.APIAlerts = []*wire.Alert{evt.Overflow.Alert, {Source: evt.Overflow.Sources["key"]}}
	evt.Unmarshaled = map[string]any{
		"nothing": nil, "true": true, "text": "a", "number": 1.5, "round": 1.6e9, "int": 3, "infinite": math.Inf(-1),
		"list": []any{1.0, "a", nil, []any{}, map[string]any{}}, "object": map[string]any{"int": "5", "a": map[string]any{"b": 1.0}},
		"pairs": map[string]string{"a": "b"}, "no pairs": map[string]string{}, "texts": []string{"a", "b"},
		"\xff": "\xfe", "\x00": "\x00AA==", "": "",
	}
	evt.Appsec.MatchedRules = event.MatchedRules{{"id": 1, "tags": []string{"a"}, "disruptive": true}}
	got := roundTrip(t, evt)
	if !reflect.DeepEqual(got, evt) {
		t.Errorf("got  %#v\nwant %#v", got, evt)
	}
	if got.Overflow.Alert != got.Overflow.APIAlerts[0] {
		t.Error("the alert is not the first of all alerts any more")
	}
	if got.Overflow.APIAlerts[1].Source != got.Overflow.Sources["key"] {
		t.Error("sources are not shared any more")
	}
}

// fill sets everything below v to something that is not its zero value.
func fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(path + "\t\"\\ü\u2028")
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
			v.Set(reflect.ValueOf(today))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s: nobody thought of a %s", path, v.Type())
	}
}

func TestEventsKeepNilAndEmptyApart(t *testing.T) {
	t.Parallel()
	for name, evt := range map[string]*event.Event{"zero": {}, "new": event.New(event.Line{}, event.Live)} {
		if got := roundTrip(t, evt); !reflect.DeepEqual(got, evt) {
			t.Errorf("%s: got %#v, want %#v", name, got, evt)
		}
	}
}

func TestTimesKeepTheirZone(t *testing.T) {
	t.Parallel()
	evt := event.New(event.Line{}, event.Live)
	evt.Time = time.Date(2026, 3, 1, 23, 30, 0, 1, time.FixedZone("", 5*3600+1800))
	if got := roundTrip(t, evt).Time; !got.Equal(evt.Time) || got.Hour() != 23 {
		t.Errorf("got %v, want %v", got, evt.Time)
	}
	evt.Time = time.Date(12026, 3, 1, 0, 0, 0, 0, time.UTC)
	if got := roundTrip(t, evt).Time; !got.IsZero() {
		t.Errorf("a year that cannot be written came back as %v", got)
	}
}

// TestAnyLine: whatever is in a line, and whatever JSON in it was unpacked, comes back as it was.
func TestAnyLine(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	rapid.Check(t, func(t *rapid.T) {
		evt := event.New(event.Line{Raw: text.Draw(t, "raw"), Labels: map[string]string{text.Draw(t, "label"): text.Draw(t, "value")}}, event.Live)
		evt.Parsed = rapid.MapOf(text, text).Draw(t, "parsed")
		evt.Unmarshaled = rapid.MapOf(text, drawValue(text, 3)).Draw(t, "unmarshaled")
		got := roundTrip(t, evt)
		if !reflect.DeepEqual(got, evt) {
			t.Fatalf("got  %#v\nwant %#v", got, evt)
		}
	})
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

func TestDeepValuesEnd(t *testing.T) {
	t.Parallel()
	var deep any
	if err := json.Unmarshal([]byte(strings.Repeat(`{"a":[`, 4000)+strings.Repeat(`]}`, 4000)), &deep); err != nil {
		t.Fatal(err)
	}
	evt := event.New(event.Line{}, event.Live)
	evt.Unmarshaled["deep"] = deep
	if roundTrip(t, evt).Unmarshaled["deep"] == nil {
		t.Error("nothing came back")
	}
	evt.Unmarshaled["deep"] = struct{}{}
	if got, kept := roundTrip(t, evt).Unmarshaled["deep"]; got != nil || !kept {
		t.Errorf("a value of no known type came back as %v", got)
	}
}

// TestBucketsOfOneEventShareIt again after a restart, as memory is bounded by that.
func TestBucketsOfOneEventShareIt(t *testing.T) {
	t.Parallel()
	store := bucket.NewStore(today)
	store.Everything()
	evt := event.New(event.Line{Raw: "shared"}, event.Live)
	for _, scenario := range []string{"a", "b"} {
		store.Pour(bucket.Key{Scenario: scenario}, shape(""), bucket.Input{Event: evt, At: today})
	}
	text, err := appendChanges(header(), store.Changes())
	if err != nil {
		t.Fatal(err)
	}
	if count := bytes.Count(text, []byte("shared")); count != 1 {
		t.Errorf("written %d times", count)
	}
	restored, err := readJournal(bytes.NewReader(text), today)
	if err != nil {
		t.Fatal(err)
	}
	changes := restored.Everything().Buckets
	if len(changes) != 2 || changes[0].Added[0] != changes[1].Added[0] {
		t.Errorf("got %+v", changes)
	}
}

func TestJournalRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"buckets":1}` + "\n"
	for name, text := range map[string]string{
		"empty":                  "",
		"other version":          `{"buckets":2}` + "\n",
		"no version":             "{}\n",
		"not json":               head + "x\n",
		"unknown record":         head + "{}\n",
		"half a line":            head + `{"turned":1}`,
		"half a save point":      head + `{"event":{}}` + "\n",
		"event that is missing":  head + `{"bucket":{"new":true,"total":1,"added":[0]}}` + "\n" + `{"turned":1}` + "\n",
		"event of another save":  head + `{"event":{}}` + "\n" + `{"turned":1}` + "\n" + `{"bucket":{"new":true,"total":1,"added":[0]}}` + "\n" + `{"turned":1}` + "\n",
		"change of nothing":      head + `{"bucket":{"total":1}}` + "\n" + `{"turned":1}` + "\n",
		"damaged escape":         head + `{"event":{"stage":"\u0000!"}}` + "\n" + `{"turned":1}` + "\n",
		"value of no known type": head + `{"event":{"unmarshaled":{"a":{"b":1}}}}` + "\n" + `{"turned":1}` + "\n",
	} {
		if _, err := readJournal(strings.NewReader(text), today); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// FuzzReadJournal: anything is refused or read, and what is read can be written and read again.
func FuzzReadJournal(f *testing.F) {
	evt := event.New(event.Line{Raw: "raw\xff"}, event.Live)
	evt.Unmarshaled["a"] = map[string]any{"b": []any{1.5, map[string]string{"c": "d"}, nil, true}}
	store := bucket.NewStore(today)
	value := "distinct"
	store.Everything()
	f.Add([]byte(`{"buckets":1}` + "\n"))
	for _, at := range []time.Duration{0, time.Second} {
		result := store.Pour(bucket.Key{Scenario: "s", Group: "g"}, shape(""), bucket.Input{Event: evt, At: today.Add(at), Distinct: &value})[0]
		store.Silenced(bucket.Result{Key: result.Key, At: today, State: result.State}, time.Minute)
		text, err := appendChanges(header(), store.Everything())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	evt.Overflow = event.RuntimeAlert{Mapkey: "m", Sources: map[string]*wire.Source{"a": {Value: "a"}}, APIAlerts: []*wire.Alert{{Source: &wire.Source{Value: "a"}}}}
	evt.Appsec.MatchedRules = event.MatchedRules{{"id": 1}}
	text, err := appendChanges(header(), store.Everything())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		store, err := readJournal(bytes.NewReader(text), today)
		if err != nil {
			return
		}
		again, err := appendChanges(header(), store.Everything())
		if err != nil {
			t.Fatal(err)
		}
		copied, err := readJournal(bytes.NewReader(again), today)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, again)
		}
		if copied.Len() != store.Len() {
			t.Fatalf("%d buckets, want %d", copied.Len(), store.Len())
		}
		copied.Retain(shape)
		copied.Expire(today.Add(time.Hour))
	})
}
