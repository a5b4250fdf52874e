package hub

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestDecodeIndexIsEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		offered := rapid.MapOfN(rapid.SampledFrom([]string{"parsers", "scenarios", "other"}), rapid.MapOf(rapid.String(), anyItem()), 0, 3)
		text, err := json.MarshalIndent(offered.Draw(t, "index"), "", rapid.SampledFrom([]string{"", "\t"}).Draw(t, "indent"))
		if err != nil {
			t.Fatal(err)
		}
		var want index
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if got, err := decodeIndex(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nis %+v, %v", text, got, err)
		}
	})
}

// anyItem is an entry with all that is read of it, or not, and with other things between.
func anyItem() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		item := map[string]any{}
		for _, key := range []string{"path", "stage", "version", "content", "labels", "author", "references"} {
			switch rapid.IntRange(0, 2).Draw(t, key) {
			case 0:
				item[key] = rapid.String().Draw(t, "text")
			case 1:
				if key == "labels" || key == "references" {
					item[key] = anything(3).Draw(t, "anything")
				}
			}
		}
		if rapid.Bool().Draw(t, "versions") {
			item["versions"] = rapid.MapOf(rapid.String(), rapid.Custom(func(t *rapid.T) map[string]any {
				return map[string]any{"digest": rapid.String().Draw(t, "digest"), "deprecated": rapid.Bool().Draw(t, "deprecated")}
			})).Draw(t, "numbers")
		}
		return item
	})
}

func anything(depth int) *rapid.Generator[any] {
	text := rapid.Map(rapid.OneOf(rapid.String(), rapid.StringMatching(`[\\"{}\[\],:]*`)), func(s string) any { return s })
	leaf := rapid.OneOf(text, rapid.Just[any](nil), rapid.Just[any](true), rapid.Just[any](-1.5e9))
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(anything(depth-1), 0, 3), func(list []any) any { return list }),
		rapid.Map(rapid.MapOfN(rapid.String(), anything(depth-1), 0, 3), func(object map[string]any) any { return object }))
}

func TestDecodeIndexRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `[]`, `"`, `{`, `{"parsers"`, `{"parsers":`, `{"parsers":{}`, `{"parsers":{}} {}`, `{"parsers":{},}`, `{"parsers" {}}`, `{"parsers":5}`,
		`{"parsers":{"a/b":"x"}}`, `{"parsers":{"a/b":{"path":5}}}`, `{"parsers":{"a/b":{"path":"x}}}`, `{"parsers":{"a/b":{"content":}}}`,
		`{"parsers":{"a/b":{"content":[1,{"x":"y"}}`, `{"parsers":{"a/b":{"versions":[]}}}`, `{"parsers":{"a/b":{"versions":{"1":{"digest":{}}}}}}`, `{parsers:{}}`,
	} {
		if got, err := decodeIndex([]byte(text)); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}

// What encoding/json accepts is accepted; nothing makes decodeIndex panic or go on for ever.
func FuzzDecodeIndex(f *testing.F) {
	f.Add([]byte(`{"parsers":{"a/b":{"path":"parsers\/s\u00e9","stage":"s","versions":{"0.1":{"digest":"ab"}},"labels":[1,{"\\":"}"}],"x":null}}}`))
	f.Add([]byte(`{"parsers":{"a/b":{"path":null,"version":"1","content":"\\\"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want index
		_, err := decodeIndex(text)
		if wantErr := json.Unmarshal(text, &want); wantErr == nil && err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
