package sql

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

func TestEncodeMetaShortens(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, row := range map[string]struct {
		values []string
		want   []string // lengths are enough to tell
	}{
		"fits":                    {[]string{long(4000), long(4000)}, []string{long(4000), long(4000)}},
		"one long value":          {[]string{long(9000), "short"}, []string{long(2048) + "<stripped>", "short"}},
		"not over twice the cut":  {[]string{long(4096), long(4097)}, []string{long(4096), long(2048) + "<stripped>"}},
		"several rounds":          {[]string{long(4096), long(4096)}, []string{long(1024) + "<stripped>", long(1024) + "<stripped>"}},
		"characters are not torn": {[]string{strings.Repeat("é", 4500) + "e", long(5)}, []string{strings.Repeat("é", 1024) + "<stripped>", long(5)}},
		"characters on the edge":  {[]string{"e" + strings.Repeat("é", 4500)}, []string{"e" + strings.Repeat("é", 1023) + "<stripped>"}},
	} {
		got := roundTrip(t, pairs(row.values))
		if want := pairs(row.want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %d items, %.60v…", name, len(got), got)
		}
	}
}

func TestEncodeMetaGivesUp(t *testing.T) {
	t.Parallel()
	text, err := encodeMeta(nil, []domain.KeyValue{{Key: strings.Repeat("k", 8192)}})
	if len(text) > 0 || err != nil {
		t.Errorf("got %d bytes, %v; want none", len(text), err)
	}
	if got := roundTrip(t, []domain.KeyValue{{Key: strings.Repeat("k", 8192)}}); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestEncodeMetaLaw(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.String(), rapid.Map(rapid.IntRange(0, 9000), func(n int) string { return strings.Repeat("é", n) }))
	rapid.Check(t, func(t *rapid.T) {
		meta := pairs(rapid.SliceOfN(value, 0, 40).Draw(t, "values"))
		encoded, err := encodeMeta([]byte("what was there before"), meta)
		text := string(encoded)
		if err != nil || len(text) > maxEventMeta || !utf8.ValidString(text) {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		items := []metaItem{}
		for _, item := range meta {
			items = append(items, metaItem(item))
		}
		if whole, err := json.Marshal(items); err != nil || len(whole) <= maxEventMeta && text != string(whole) {
			t.Fatalf("wrote %s, want %s (%v)", text, whole, err)
		}
		if _, err := decodeMeta(text); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add(`[{"key":"source_ip","value":"192.0.2.1"}]`)
	f.Add(``)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		meta, err := decodeMeta(text)
		if err != nil || len(text) > maxEventMeta/8 {
			return
		}
		if got := roundTrip(t, meta); !reflect.DeepEqual(got, meta) {
			t.Fatalf("%q: read %v, then %v", text, meta, got)
		}
	})
}

func pairs(values []string) []domain.KeyValue {
	var meta []domain.KeyValue
	for _, value := range values {
		meta = append(meta, domain.KeyValue{Key: "k", Value: value})
	}
	return meta
}

func roundTrip(t *testing.T, meta []domain.KeyValue) []domain.KeyValue {
	t.Helper()
	text, err := encodeMeta(nil, meta)
	if err != nil {
		t.Fatal(err)
	}
	read, err := decodeMeta(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return read
}
