package savepoint

import (
	"bufio"
	"bytes"
	"fmt"
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

// book is a store and the journal that is kept of it.
type book struct {
	store   *bucket.Store
	packer  *event.Packer
	journal *journal
	file    bytes.Buffer
}

func newBook() *book {
	b := &book{store: bucket.NewStore(today), packer: event.NewPacker(event.Everything()), journal: newJournal()}
	b.store.Watch()
	b.file.WriteString(header())
	return b
}

func (b *book) pour(key bucket.Key, evt *event.Event) { b.family(key).Pour(key.Group, b.input(evt)) }

func (b *book) family(key bucket.Key) *bucket.Family { return b.store.Family(key.Scenario, shape("")) }

func (b *book) input(evt *event.Event) bucket.Input {
	return bucket.Input{Kept: b.packer.Pack(evt), Clock: evt.ExpectMode, At: today}
}

// save writes a save point, with everything or with what changed.
func (b *book) save(t failer, changes bucket.Changes) {
	if err := b.journal.savePoint(newSink(&b.file, 0, 0, math.MaxInt64), changes); err != nil {
		t.Fatalf("%v", err)
	}
}

func read(text []byte) (*bucket.Store, error) {
	return readJournal(&source{in: bufio.NewReader(bytes.NewReader(text))}, today)
}

// contents are the events of a store that was read, with what else it tells of its buckets.
func contents(store *bucket.Store) map[bucket.Key][]*event.Event {
	found := map[bucket.Key][]*event.Event{}
	for change := range store.Everything().Buckets {
		for _, evt := range change.Added {
			found[change.Key] = append(found[change.Key], evt.Unpack())
		}
	}
	return found
}

// TestEventsComeBack whatever they hold, save point after save point.
func TestEventsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, want := newBook(), map[bucket.Key][]*event.Event{}
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		for range rapid.IntRange(0, 20).Draw(t, "pours") {
			evt := event.New(event.Line{Raw: text.Draw(t, "raw")}, event.Live)
			evt.Meta = rapid.MapOf(text, text).Draw(t, "meta")
			key := bucket.Key{Scenario: rapid.SampledFrom([]string{"a", "b", "\xff"}).Draw(t, "scenario"), Group: text.Draw(t, "group")}
			b.pour(key, evt)
			want[key] = append(want[key], evt)
			switch rapid.IntRange(0, 5).Draw(t, "save") {
			case 0:
				b.save(t, b.store.Changes())
			case 1:
				b.file.Truncate(len(header()))
				b.journal = newJournal()
				b.save(t, b.store.Everything())
			}
		}
		b.save(t, b.store.Changes())
		store, err := read(b.file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(store); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

// TestBucketsComeBack with all that is known of them.
func TestBucketsComeBack(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -5*3600-1800)
	for name, want := range map[string]bucket.Change{
		"least": {Total: 1, First: today, Last: today},
		"most": {
			Clock: event.Live, First: today.In(zone), Last: time.Date(9999, 1, 1, 0, 0, 0, 0, zone), Deadline: -5, Total: math.MaxInt32, Tokens: 0.1,
			Evidence: []bool{true, false}, Seen: []string{"", "a", "\xff", strings.Repeat("b", 10_000)},
		},
		"long group": {Key: bucket.Key{Scenario: "s", Group: strings.Repeat("g", 100)}, Total: 3, First: today, Last: today, Seen: []string{"a"}},
	} {
		want.New = true
		store := bucket.NewStore(today)
		if err := store.Apply(want); err != nil {
			t.Fatal(err)
		}
		silence := bucket.Silence{Key: want.Key, Clock: event.Live, Until: today.In(zone)}
		store.Hush(silence)
		b := newBook()
		b.save(t, store.Everything())
		restored, err := read(b.file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		changes := restored.Everything()
		for got := range changes.Buckets {
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("%s: got  %+v\nwant %+v", name, got, want)
			}
		}
		if fmt.Sprint(changes.Silences) != fmt.Sprint([]bucket.Silence{silence}) || changes.Turned != today.Unix() {
			t.Errorf("%s: got %v, turned %d", name, changes.Silences, changes.Turned)
		}
	}
}

// TestBucketsOfOneEventShareIt again after a restart, as memory is bounded by that.
func TestBucketsOfOneEventShareIt(t *testing.T) {
	t.Parallel()
	b := newBook()
	in := b.input(event.New(event.Line{Raw: "shared"}, event.Live))
	for _, scenario := range []string{"a", "b"} {
		b.store.Family(scenario, shape("")).Pour("", in)
	}
	b.save(t, b.store.Changes())
	if count := bytes.Count(b.file.Bytes(), []byte("shared")); count != 1 {
		t.Errorf("written %d times", count)
	}
	restored, err := read(b.file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Packed
	for change := range restored.Everything().Buckets {
		events = append(events, change.Added...)
	}
	if len(events) != 2 || events[0] != events[1] {
		t.Errorf("got %+v", events)
	}
}

// TestTwoTablesOfSymbols: buckets that outlive a reload have events of both packers.
func TestTwoTablesOfSymbols(t *testing.T) {
	t.Parallel()
	b, evt := newBook(), event.New(event.Line{}, event.Live)
	for i := range 60 {
		if i%20 == 0 {
			b.packer = event.NewPacker(event.Everything())
		}
		evt.Meta = map[string]string{fmt.Sprint("key", i/20): "value"}
		b.pour(bucket.Key{}, evt)
		b.save(t, b.store.Changes())
	}
	restored, err := read(b.file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i, evt := range contents(restored)[bucket.Key{}] {
		if evt.Meta[fmt.Sprint("key", i/20)] != "value" {
			t.Errorf("event %d has %v", i, evt.Meta)
		}
	}
}

func TestSinkEnds(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.pour(bucket.Key{}, event.New(event.Line{Raw: strings.Repeat("x", 1000)}, event.Live))
	if err := b.journal.savePoint(newSink(&b.file, 0, 0, 999), b.store.Everything()); err != errTooLarge { //nolint:errorlint // itself
		t.Errorf("got %v", err)
	}
	if b.file.Len() > 999 {
		t.Errorf("%d bytes", b.file.Len())
	}
}

func TestJournalRefuses(t *testing.T) {
	t.Parallel()
	end := string([]byte{kindEnd, 2})
	records := func(of ...byte) string { return header() + string(of) + end }
	for name, text := range map[string]string{
		"empty":                        "",
		"the first version":            `{"buckets":1}` + "\n",
		"another layout":               strings.Replace(header(), header()[20:], "00000000\n", 1),
		"unknown record":               records(99),
		"half a record":                header() + string([]byte{kindEnd}),
		"half a save point":            header() + string([]byte{kindScenario, 1, 'a'}),
		"scenario that is missing":     records(kindGone, 0, 0),
		"table that is missing":        records(kindEvent, 0, 1, 0),
		"table before the first":       records(kindSymbols, 1, 0),
		"symbol that is missing":       records(kindSymbols, 0, 0, kindEvent, 0, 4, 0, 8, 1, 1),
		"symbol twice":                 records(kindSymbols, 0, 2, 1, 'a', 1, 'a'),
		"text that is longer than all": records(kindScenario, 0xff, 0xff, 0xff, 0xff, 0x07, 'a'),
		"text without end":             records(kindScenario, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"event that is missing":        records(kindScenario, 1, 's', kindBucket, 0, 0, flagNew, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0),
		"event of another save":        records(kindSymbols, 0, 0, kindEvent, 0, 1, 0, kindEnd, 2, kindScenario, 1, 's', kindBucket, 0, 0, flagNew, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0),
		"change of nothing":            records(kindScenario, 1, 's', kindBucket, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
		"time of no second":            records(kindScenario, 1, 's', kindSilence, 0, 0, 1, 0, 0x80, 0x94, 0xeb, 0xdc, 0x03, 0),
		"zone of no day":               records(kindScenario, 1, 's', kindSilence, 0, 0, 1, 0, 0, 0xc0, 0x16),
	} {
		if _, err := read([]byte(text)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := read([]byte(records(kindSymbols, 0, 0, kindEvent, 0, 1, 0, kindScenario, 1, 's', kindBucket, 0, 0, flagNew, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0))); err != nil {
		t.Errorf("what is right is refused: %v", err)
	}
}

// FuzzReadJournal: anything is refused or read, and what is read can be written and read again.
func FuzzReadJournal(f *testing.F) {
	b, evt := newBook(), event.New(event.Line{Raw: "raw\xff"}, event.Live)
	evt.Unmarshaled["a"] = map[string]any{"b": []any{1.5, map[string]string{"c": "d"}, nil, true}}
	f.Add(b.file.Bytes()[len(header()):])
	value, key := "distinct", bucket.Key{Scenario: "s", Group: "g"}
	for range 2 {
		in := b.input(evt)
		in.Distinct, in.Differs = value, true
		b.family(key).Pour(key.Group, in)
		b.store.Silenced(bucket.Result{Key: key, At: today, State: &bucket.State{}}, time.Minute)
		b.save(f, b.store.Changes())
		f.Add(bytes.Clone(b.file.Bytes()[len(header()):]))
		evt.Type = event.Overflow
		evt.Overflow = event.RuntimeAlert{Mapkey: "m", Sources: map[string]*wire.Source{"a": {Value: "a"}}, APIAlerts: []*wire.Alert{{Source: &wire.Source{Value: "a"}}}}
		evt.Appsec.MatchedRules, value = event.MatchedRules{{"id": 1}}, "other"
	}
	f.Fuzz(func(t *testing.T, records []byte) {
		store, err := read(append([]byte(header()), records...))
		if err != nil {
			return
		}
		again := newBook()
		again.save(t, store.Everything())
		copied, err := read(again.file.Bytes())
		if err != nil {
			t.Fatalf("%v in:\n%q", err, again.file.Bytes())
		}
		if copied.Len() != store.Len() {
			t.Fatalf("%d buckets, want %d", copied.Len(), store.Len())
		}
		copied.Retain(shape)
		copied.Expire(today.Add(time.Hour))
	})
}
