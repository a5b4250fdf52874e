package expression_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const document = `{
 "text": "plain", "escaped": "a\"b\\n\u00e9", "number": 1.50, "big": 12345678901234567890, "yes": true, "nothing": null,
 "empty": "", "object": {"deep": {"er": "found"}, "list": [1, "two", {"three": 3}, [4, 5]]}, "list": [ {"a": "b"} ],
 "t": {"$date": "now"}, "looks": "{}", "with space": 1, "": "unnamed"
}`

func TestJSONHelpers(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: `JsonExtract(text, "text")`, want: "plain"},
		{expr: `JsonExtract(text, "escaped")`, want: `a\"b\\n\u00e9`},
		{expr: `JsonExtract(text, "number")`, want: "1.50"},
		{expr: `JsonExtract(text, "big")`, want: "12345678901234567890"},
		{expr: `JsonExtract(text, "yes")`, want: "true"},
		{expr: `JsonExtract(text, "nothing")`, want: "null"},
		{expr: `JsonExtract(text, "empty")`, want: ""},
		{expr: `JsonExtract(text, "object.deep")`, want: `{"er": "found"}`},
		{expr: `JsonExtract(text, "object.deep.er")`, want: "found"},
		{expr: `JsonExtract(text, "object.list[1]")`, want: "two"},
		{expr: `JsonExtract(text, "object.list[2].three")`, want: "3"},
		{expr: `JsonExtract(text, "object.list[3][1]")`, want: "5"},
		{expr: `JsonExtract(text, "object.list[9]")`, want: ""},
		{expr: `JsonExtract(text, "object.list[x]")`, want: ""},
		{expr: `JsonExtract(text, "list[0].a")`, want: "b"},
		{expr: `JsonExtract(text, "list")`, want: `[ {"a": "b"} ]`},
		{expr: `JsonExtract(text, "t.$date")`, want: "now"},
		{expr: `JsonExtract(text, "with space")`, want: "1"},
		{expr: `JsonExtract(text, "missing")`, want: ""},
		{expr: `JsonExtract(text, "text.deeper")`, want: ""},
		{expr: `JsonExtract(text, "deep.er")`, want: ""},
		{expr: `JsonExtract("[10, 20]", "[1]")`, want: "20"},
		{expr: `JsonExtract("not json", "a")`, want: ""},
		{expr: `JsonExtract("", "a")`, want: ""},

		{expr: `JsonExtractLib(text, "object", "deep", "er")`, want: "found"},
		{expr: `JsonExtractLib(text, "missing")`, want: ""},

		{expr: `JsonExtractUnescape(text, "escaped")`, want: "a\"b\\né"},
		{expr: `JsonExtractUnescape(text, "text", "ignored")`, want: "plain"},
		{expr: `JsonExtractUnescape(text, "object", "deep")`, want: ""},
		{expr: `JsonExtractUnescape(text, "number")`, want: ""},
		{expr: `JsonExtractUnescape(text, "missing")`, want: ""},
		{expr: `JsonExtractUnescape(text)`, err: "no key given"},

		{expr: `JsonExtractObject(text, "object.deep")`, want: map[string]any{"er": "found"}},
		{expr: `JsonExtractObject(text, "list")`, want: map[string]any(nil)},
		{expr: `JsonExtractObject(text, "looks")`, want: map[string]any(nil)},
		{expr: `JsonExtractObject(text, "missing")`, want: map[string]any(nil)},
		{expr: `JsonExtractSlice(text, "list")`, want: []any{map[string]any{"a": "b"}}},
		{expr: `JsonExtractSlice(text, "object")`, want: []any(nil)},
		{expr: `JsonExtractSlice(text, "missing")`, want: []any(nil)},
		{expr: `len(JsonExtractSlice(text, "missing"))`, want: 0},
	}, variables{Text: document})
}

func TestUnmarshalJSON(t *testing.T) {
	t.Parallel()
	into := map[string]any{"bad": "before"}
	run(t, bare(), []row{
		{expr: `UnmarshalJSON("{\"n\": 3, \"l\": [1.5, null]}", into, "object") in ["", nil]`, want: true},
		{expr: `UnmarshalJSON("\"a\\nb\"", into, "text")`, want: nil},
		{expr: `UnmarshalJSON("{} {}", into, "bad")`, err: "decoding json"},
		{expr: `UnmarshalJSON("nope", into, "bad")`, err: "decoding json"},
	}, variables{Into: into})
	want := map[string]any{"bad": "before", "text": "a\nb", "object": map[string]any{"n": 3.0, "l": []any{1.5, nil}}}
	if !reflect.DeepEqual(into, want) {
		t.Fatalf("map is %#v, want %#v", into, want)
	}
	if _, err := eval(t, bare(), `UnmarshalJSON("1", into, "x")`, variables{}); err == nil {
		t.Fatal("a nil map is filled")
	}
}

func TestJSONExtractFindsWhatWasEncoded(t *testing.T) {
	t.Parallel()
	program, err := bare().CompileString("JsonExtract(text, other)", variables{})
	if err != nil {
		t.Fatal(err)
	}
	name := rapid.StringMatching(`[a-z$_ "\\é]{1,5}`)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny()).Draw(t, "value")
		path := rapid.SliceOfN(name, 1, 4).Draw(t, "path")
		text := encode(t, value)
		for i := len(path) - 1; i >= 0; i-- {
			text = `{"~": [0], ` + encode(t, path[i]) + `: ` + text + `}`
		}
		want := encode(t, value)
		if _, ok := value.(string); ok {
			want = want[1 : len(want)-1]
		}
		got, err := program.Eval(variables{Text: text, Other: strings.Join(path, ".")})
		if err != nil || got != want {
			t.Fatalf("JsonExtract(%s, %q) is %q, %v, want %q", text, path, got, err, want)
		}
	})
}

func encode(t *rapid.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func FuzzJSONExtract(f *testing.F) {
	f.Add(document, "object.list[2].three")
	f.Add(`[1,[2]]`, "[1][0]")
	f.Add(`{"a":{"b":[`, "a.b[0].")
	f.Add(`{"a"`, "a[")
	f.Add(`{"\u00`, "[-1]")
	program, err := bare().CompileAny(
		"[JsonExtract(text, other), JsonExtractUnescape(text, other), JsonExtractLib(text, other), "+
			"JsonExtractObject(text, other), JsonExtractSlice(text, other)]", variables{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		if _, err := program.Eval(variables{Text: text, Other: path}); err != nil {
			t.Fatal(err)
		}
	})
}
