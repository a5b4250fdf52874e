package sql

import (
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/domain"
)

// What is written without escapes is read without encoding/json.
func TestPlainMetaIsReadAsWritten(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[ -!#-%'-;=?-\[\]-~]{0,6}`) // but for " & < > \
	rapid.Check(t, func(t *rapid.T) {
		meta := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) domain.KeyValue {
			return domain.KeyValue{Key: text.Draw(t, "key"), Value: text.Draw(t, "value")}
		}), 1, 5).Draw(t, "meta")
		written, err := encodeMeta(nil, meta)
		if err != nil {
			t.Fatal(err)
		}
		if read, ok := plainMeta(string(written)); !ok || !slices.Equal(read, meta) {
			t.Fatalf("%s: read %v, %v", written, read, ok)
		}
	})
}

// FuzzPlainMeta: what it reads, encoding/json reads too, with the same outcome.
func FuzzPlainMeta(f *testing.F) {
	for _, seed := range []string{
		`[{"key":"source_ip","value":"192.0.2.1"},{"key":"","value":""}]`, `[]`, `null`, `[{"key":"a","value":"b","c":1}]`,
		`[{"key":"a\"","value":"b"}]`, `[{"key":"é","value":"b"}]`, `[{"value":"b","key":"a"}]`, `[{"key":"a","value":"b"}`, `[{"key":"a","value":"b"}]]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := plainMeta(text)
		if !ok {
			return
		}
		var want []metaItem
		if err := json.Unmarshal([]byte(text), &want); err != nil || len(got) != len(want) {
			t.Fatalf("%q: read %v, encoding/json %v, %v", text, got, want, err)
		}
		for i := range want {
			if got[i] != domain.KeyValue(want[i]) {
				t.Fatalf("%q: read %v, encoding/json %v", text, got, want)
			}
		}
	})
}
