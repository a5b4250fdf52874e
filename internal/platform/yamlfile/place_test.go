package yamlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"shieldwall/internal/platform/yamlfile"
)

var errWrong = errors.New("is wrong")

func TestLine(t *testing.T) {
	t.Parallel()
	text := []byte(`# nothing yet
---
a: 1
b: &anchor
  c: 2
---
list:
  - x: 1
    y: 2
  -
    x: 3
again: &other {z: 1}
alias: *other
`)
	in, entry := yamlfile.In, yamlfile.Entry
	for _, test := range []struct {
		document int
		err      error
		want     int
		text     string
	}{
		{0, errWrong, 3, "is wrong"},
		{0, in("a", errWrong), 3, "a: is wrong"},
		{0, in("b", in("c", errWrong)), 5, "b.c: is wrong"},
		{0, in("b", in("missing", errWrong)), 4, "b.missing: is wrong"},
		{0, in("b", entry(0, errWrong)), 4, "b[0]: is wrong"},
		{0, in("missing", in("c", errWrong)), 3, "missing.c: is wrong"},
		{1, in("list", entry(0, in("y", errWrong))), 9, "list[0].y: is wrong"},
		{1, in("list", entry(1, in("x", errWrong))), 11, "list[1].x: is wrong"},
		{1, in("list", entry(2, in("x", errWrong))), 7, "list[2].x: is wrong"},
		{1, fmt.Errorf("doing: %w", in("list", fmt.Errorf("more: %w", entry(1, errWrong)))), 11, "doing: list: more: [1]: is wrong"},
		{1, in("alias", in("z", errWrong)), 12, "alias.z: is wrong"},
		{2, in("a", errWrong), 1, "a: is wrong"},
	} {
		if got := yamlfile.Line(text, test.document, test.err); got != test.want {
			t.Errorf("document %d, %q: line %d, want %d", test.document, test.err, got, test.want)
		}
		if test.err.Error() != test.text || !errors.Is(test.err, errWrong) {
			t.Errorf("error %q, want %q", test.err, test.text)
		}
	}
	if in("a", nil) != nil || entry(0, nil) != nil {
		t.Error("nothing became an error")
	}
}

func TestWrongTypesNameTheirKey(t *testing.T) {
	t.Parallel()
	type inner struct {
		Number int `yaml:"number"`
	}
	type document struct {
		Number int      `yaml:"number"`
		Texts  []string `yaml:"texts"`
		Inner  inner    `yaml:"inner"`

		List    []inner        `yaml:"list"`
		Labels  map[string]any `yaml:"labels"`
		Lasting time.Duration  `yaml:"lasting"`
	}
	for text, want := range map[string]string{
		"number: many":                            "line 1: number: cannot unmarshal !!str `many` into int",
		"number: quite a lot of them":             "line 1: number: cannot unmarshal !!str `quite a...` into int",
		"number: 1\ntexts: {a: b}":                "line 2: texts: cannot unmarshal !!map into a list",
		"texts:\n  - a\n  - [b]":                  "line 3: texts[1]: cannot unmarshal !!seq into string",
		"number: [1]\ninner: {number: no}":        "line 1: number: cannot unmarshal !!seq into int; line 2: inner.number: cannot unmarshal !!str `no` into int",
		"list:\n  - {number: 1}\n  - number: x":   "line 3: list[1].number: cannot unmarshal !!str `x` into int",
		"inner: {number: 1}\n---\n\nnumber: none": "line 4: number: cannot unmarshal !!str `none` into int",
		"labels: [a]\nlasting: soon":              "line 1: labels: cannot unmarshal !!seq into a mapping; line 2: lasting: cannot unmarshal !!str `soon` into a duration",
		"just text":                               "line 1: cannot unmarshal !!str `just text` into yamlfile_test.document",
	} {
		_, err := yamlfile.DecodeAll[document]("f.yaml", []byte(text))
		if err == nil || err.Error() != "f.yaml: "+want {
			t.Errorf("%q: error %v, want f.yaml: %s", text, err, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a: {b: [1, 2]}\n---\n- x\n", 0, "a")
	f.Add("a: &a {b: *a}", 0, "b")
	f.Add("a: *b", 1, "a")
	f.Fuzz(func(t *testing.T, text string, document int, key string) {
		line := yamlfile.Line([]byte(text), document, yamlfile.In(key, yamlfile.Entry(1, yamlfile.In(key, errWrong))))
		if line < 1 || line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 {
			t.Errorf("line %d of %q", line, text)
		}
	})
}
