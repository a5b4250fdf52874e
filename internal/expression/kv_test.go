package expression_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"shieldwall/internal/expression"
)

func TestParseKV(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want map[string]string // nil: an error
	}{
		{`a=1 b=2`, map[string]string{"a": "1", "b": "2"}},
		{`a="x y" b=`, map[string]string{"a": "x y", "b": ""}},
		{`a="x \"y\" \\"`, map[string]string{"a": `x \"y\" \\`}},
		{`a=""`, map[string]string{"a": ""}},
		{`a="open b=2`, map[string]string{"a": `"open`, "b": "2"}},
		{`a="open\" b=2`, map[string]string{"a": `"open\"`, "b": "2"}},
		{`a="x"b=2`, map[string]string{"a": "x", "b": "2"}},
		{`a= b=2`, map[string]string{"a": "", "b": "2"}},
		{`a==b c=d`, map[string]string{"a": "", "c": "d"}},
		{`a=b=c=d`, map[string]string{"a": "b", "c": "d"}},
		{`word a=1,`, map[string]string{"a": "1,"}},
		{`msg=audit(1:2): pid=3`, map[string]string{"msg": "audit(1:2):", "pid": "3"}},
		{"a=1\tb=2\r\nc=3\fd=4", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}},
		{`é=ü "q=1`, map[string]string{"é": "ü", `"q`: "1"}},
		{`a=1 a=2`, map[string]string{"a": "2"}},
		{"a=\"two\nlines\"", map[string]string{"a": "two\nlines"}},
		{``, nil},
		{`no pair here`, nil},
		{`= =a`, nil},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			checkPairs(t, "ParseKV", test.text, test.want)
		})
	}
}

func TestParseKVLax(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text string
		want map[string]string // nil: an error
	}{
		{`a=1 b=2`, map[string]string{"a": "1", "b": "2"}},
		{`msg=more than one word act=blocked`, map[string]string{"msg": "more than one word", "act": "blocked"}},
		{`_a.b-c1=x`, map[string]string{"_a.b-c1": "x"}},
		{`a=x 1b=y c=z`, map[string]string{"a": "x 1b=y", "c": "z"}},
		{`a="b=c d=e" f=g`, map[string]string{"a": "b=c d=e", "f": "g"}},
		{`a="say \"hi\"" b=1`, map[string]string{"a": `say "hi"`, "b": "1"}},
		{`a="C:\\dir\\" b=1`, map[string]string{"a": `C:\dir\`, "b": "1"}},
		{`a="\\\\\"" b=1`, map[string]string{"a": `\\"`, "b": "1"}},
		{`a=5" disk b=2`, map[string]string{"a": `5" disk`, "b": "2"}},
		{`a= b=`, map[string]string{"a": "", "b": ""}},
		{`url=http://x/?q=1 b=2`, map[string]string{"url": "http://x/?q=1", "b": "2"}},
		{`a=x "quoted part" y b=2`, map[string]string{"a": `x "quoted part" y`, "b": "2"}},
		{`before a=1`, map[string]string{"a": "1"}},
		{`a="`, map[string]string{"a": `"`}},
		{``, nil},
		{`nothing = here`, nil},
		{`"a=1"`, nil},
	} {
		t.Run(test.text, func(t *testing.T) {
			t.Parallel()
			checkPairs(t, "ParseKVLax", test.text, test.want)
		})
	}
}

func checkPairs(t *testing.T, helper, text string, want map[string]string) {
	t.Helper()
	into := map[string]any{}
	got, err := eval(t, bare(), helper+`(text, into, "kv")`, variables{Text: text, Into: into})
	if want == nil {
		if err == nil || !strings.Contains(err.Error(), "no key=value pair") || len(into) != 0 {
			t.Fatalf("error %v, map %v", err, into)
		}
		return
	}
	if err != nil || got != nil {
		t.Fatalf("yields %v, %v, want nil", got, err)
	}
	if pairs, ok := into["kv"].(map[string]string); !ok || !maps.Equal(pairs, want) {
		t.Fatalf("map holds %q, want %q", into["kv"], want)
	}
}

func TestParseKVDestination(t *testing.T) {
	t.Parallel()
	for _, helper := range []string{"ParseKV", "ParseKVLax"} {
		into := map[string]any{"kv": map[string]string{"a": "old", "z": "kept"}, "text": "taken", "nil": nil}
		run(t, bare(), []row{
			{expr: helper + `("a=1", into, "kv") == nil`, want: true},
			{expr: helper + `("a=1", into, "kv") in ["", nil]`, want: true},
			{expr: helper + `("a=1", into, "nil") == nil`, want: true},
			{expr: helper + `("a=1", into, "text")`, err: `key "text" holds string, want map[string]string`},
			{expr: helper + `("a=1", value, "kv")`, err: "argument 2 is <nil>"},
		}, variables{Into: into})
		if got, ok := into["kv"].(map[string]string); !ok || got["a"] != "1" || got["z"] != "kept" {
			t.Errorf("%s does not merge: %v", helper, got)
		}
		if _, err := eval(t, bare(), helper+`("a=1", into, "kv")`, variables{}); err == nil {
			t.Errorf("%s fills a nil map", helper)
		}
	}
}

// Each of these keeps a parser that looks ahead from every key busy for hours.
func TestParseKVIsLinear(t *testing.T) {
	t.Parallel()
	const times = 1 << 20
	lib := bare()
	for _, unit := range []string{`="`, `a="`, `a="\`, `a="\" `, `a`, `a `, `=`, `"`, `a=`, `a="\\`, `" a=`, `\"`} {
		for _, helper := range []string{"ParseKV", "ParseKVLax"} {
			_, err := eval(t, lib, helper+`(text, into, "kv")`,
				variables{Text: strings.Repeat(unit, times), Into: map[string]any{}})
			if err != nil && !strings.Contains(err.Error(), "no key=value pair") {
				t.Errorf("%s of %q: %v", helper, unit, err)
			}
		}
	}
}

// strictPairs is the published definition of ParseKV as a regular expression.
var strictPairs = regexp.MustCompile(`(?s)([^=\s]+)=(?:"((?:[^"\\]|\\.)*)"|([^=\s]*))`)

func FuzzParseKV(f *testing.F) {
	for _, seed := range []string{`a=1 b="x y"`, `a="\"" b`, `a==b`, `a="open b=c`, "é=\xff", `k="v"x=y`} {
		f.Add(seed)
	}
	program := compileKV(f, "ParseKV")
	f.Fuzz(func(t *testing.T, text string) {
		want := map[string]string{}
		for _, match := range strictPairs.FindAllStringSubmatch(text, -1) {
			want[match[1]] = match[2] + match[3]
		}
		into := map[string]any{}
		_, err := program.Eval(variables{Text: text, Into: into})
		if (err != nil) != (len(want) == 0) {
			t.Fatalf("error %v, want pairs %q", err, want)
		}
		if got, _ := into["kv"].(map[string]string); !maps.Equal(got, want) {
			t.Fatalf("pairs %q, want %q", got, want)
		}
	})
}

func FuzzParseKVLax(f *testing.F) {
	for _, seed := range []string{`a=1 b="x y"`, `a="\"" b`, `a=b c=d e`, `a="open b=c`, "a=\xff", `"a=1`} {
		f.Add(seed)
	}
	program := compileKV(f, "ParseKVLax")
	name := regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_.-]*\z`)
	f.Fuzz(func(t *testing.T, text string) {
		into := map[string]any{}
		_, err := program.Eval(variables{Text: text, Into: into})
		got, _ := into["kv"].(map[string]string)
		if (err != nil) != (len(got) == 0) {
			t.Fatalf("error %v, pairs %q", err, got)
		}
		for key, value := range got {
			if !name.MatchString(key) || !strings.Contains(text, key+"=") || len(value) > len(text) {
				t.Fatalf("pair %q=%q comes from nowhere", key, value)
			}
		}
	})
}

func compileKV(f *testing.F, helper string) *expression.Any {
	f.Helper()
	program, err := bare().CompileAny(helper+`(text, into, "kv")`, variables{})
	if err != nil {
		f.Fatal(err)
	}
	return program
}
