package yamlfile_test

import (
	"strings"
	"testing"

	"shieldwall/internal/platform/yamlfile"
)

// TestMistakesHaveAPlace: what is no YAML is reported where it begins, under the last key before, in every document of
// a text.
func TestMistakesHaveAPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{":                          "line 1: ",
		"- [":                        "line 1: ",
		"name: [a\ndescription: b\n": "line 1: name: ",
		"name: a\nfilter: 'a' == 'b'\nkeys: []\n":       "line 2: filter: ",
		"name: a\n  filter: b\nkeys: []\n":              "line 2: filter: ",
		"name: a\nfilter: 'b\n\nkeys: []\n":             "line 2: filter: ",
		"name: a\nkeys:\n\t- b\n":                       "line 3: keys: ",
		"name: a\nkeys: [\n  b,\n  c\n]\nx: @y\n":       "line 6: x: ",
		"name: a\n---\nname: b\nkeys:\n- a: }\n":        "line 5: a: ",
		"name: a\nkeys: *nobody\n":                      "line 2: keys: ",
		"name: a\ntext: |\n  b\nkeys: \x01\n":           "line 4: keys: ",
		"name: a\n\"text\": \"\\q\"\n":                  "line 2: text: ",
		"name: a\nx: [\n" + strings.Repeat("b,\n", 100): "line 2: x: ",
	} {
		_, err := yamlfile.DecodeAll[map[string]any]("f.yaml", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), "f.yaml: "+want) || strings.Count(err.Error(), "line ") != 1 {
			t.Errorf("%.60q: error %v, want f.yaml: %s…", text, err, want)
		}
	}
}

// TestLongTextsAreNotSearched: in them the line is the library's, which is soon found.
func TestLongTextsAreNotSearched(t *testing.T) {
	t.Parallel()
	text := "a: [\n" + strings.Repeat("b,\n", 5_000)
	if _, err := yamlfile.DecodeAll[map[string]any]("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "f: line ") {
		t.Errorf("error %v", err)
	}
}

func FuzzDecodeAll(f *testing.F) {
	f.Add("a: 1\n---\nb: [\n")
	f.Add("a: &x {b: *x}\n\tc: *y\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		var empty struct{}
		_ = yamlfile.Decode("f", []byte(text), &empty)
		_, err := yamlfile.DecodeAll[map[string]int]("f", []byte(text))
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
	})
}
