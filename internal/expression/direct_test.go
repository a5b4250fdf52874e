package expression_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/datafile"
)

// Direct is as those of events are. Environments of these tests come as values and as pointers.
func (variables) Direct(path []string) any {
	switch strings.Join(path, ".") {
	case "text":
		return func(env any) string { return variablesOf(env).Text }
	case "other":
		return func(env any) string { return variablesOf(env).Other }
	case "value":
		return func(env any) any { return variablesOf(env).Value }
	case "into":
		return func(env any) map[string]any { return variablesOf(env).Into }
	case "labels":
		return labels{}
	case "thing.Name":
		return func(env any) (string, bool) {
			if thing := variablesOf(env).Thing; thing != nil {
				return thing.Name, true
			}
			return "", false
		}
	case "thing.Called":
		return func(env any, name string) string { return variablesOf(env).Thing.Called(name) }
	}
	if len(path) != 2 || path[0] != "labels" {
		return nil
	}
	return func(env any) string { return variablesOf(env).Labels[path[1]] }
}

// labels are the Labels of variables.
type labels struct{}

func (labels) All(env any) map[string]string { return variablesOf(env).Labels }

func (labels) Has(env any, key string) bool {
	_, has := variablesOf(env).Labels[key]
	return has
}

func (variables) Settle(any) {}

// Ready is as that of events is.
func (variables) Ready(env any) bool {
	switch env := env.(type) {
	case *variables:
		return env != nil
	case variables:
		return true
	}
	return false
}

func variablesOf(env any) *variables {
	if pointer, ok := env.(*variables); ok {
		return pointer
	}
	value, _ := env.(variables)
	return &value
}

// Rename changes the thing, as evt.SetMeta does an event.
func (t *thing) Rename(name, more string) bool {
	t.Name = name + more
	return true
}

// Called depends on the thing, as evt.GetMeta does on an event.
func (t *thing) Called(name string) string { return t.Name + name }

func TestDirectShapes(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, text := range []string{
		`text`, `labels.a`, `labels["a b"]`, `'x'`, `1`, `1.5`, `true`, `nil`, `into`, `value`, `labels`, `text == 'a'`, `text != other`, `not (text == "a")`,
		`!(text == "a") && other contains 'b' || labels.a startsWith 'c'`, `text in ['a', 'b']`, `text not in ["a", nil]`,
		`text in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']`, `len(text) in [1, 2]`, `value in ['a', 1, 1.5, true]`, `value in [nil, 'a']`, `value in ['', 'a']`,
		`'a' in labels`, `text in into`, `text endsWith other`, `text matches '^a+$'`, `text matches Upper('a.c')`, `value matches 'a'`,
		`value contains text`, `Lower(text) contains 'a'`, `Upper(text) == 'A'`, `Upper(text) in ['A', 'B']`, `Lower(other) in ['x', 'K', 'ſ']`, `text == 'a' ? other : labels.a`, `text == 'a' ? 1 : nil`,
		`value ?? 'none'`, `text ?? 'none'`, `text + '-' + other + '-' + labels.a`, `value + text`, `len(text) + 1`, `len(text) * 2 - 1`, `-len(text)`,
		`len(text) > 2 && len(text) <= 4`, `text < other`, `float(text) > 1`, `int(text) >= 7`, `int(value)`, `len(value)`, `Atof(text) < 1.5`,
		`any(['a', 'b'], {text contains #})`, `all(['a', 'b'], {# != text})`, `none(['a'], {# == text})`, `one(['a', 'b'], {# in [text, 'a']}) || true`,
		`count(['a', 'b'], {text contains #}) > 1`, `len(filter(['a', 'b'], {text contains #}))`, `any(value, {.a == text})`, `any(value, {# == 1})`,
		`any(File('lines.txt'), {text contains #})`, `any(File('lines.txt'), {Upper(text) contains Upper(#)})`, `any(File('lines.txt'), {Lower(text) == #})`,
		`any(File('lines.txt'), {text startsWith # || Lower(other) endsWith #})`, `any(File('lines.txt'), {text matches #})`, `text in File('lines.txt')`,
		`any(File('missing.txt'), {text contains #})`, `any(File('ranges.txt'), {IpInRange(text, #)})`, `any(File('ranges.txt'), {len(#) > 0 && text endsWith #})`,
		`any(File('ranges.txt'), {len(#) > 0 and IpInRange(text, #)})`, `any(File('objects.txt'), {text contains JsonExtract(#, 'a')})`,
		`any(File('objects.txt'), {text contains JsonExtract(#, 'a') ? other == JsonExtract(#, 'b') : false})`,
		`IpInRange(text, '192.0.2.0/24') || IpInRange(other, '2001:db8::/32') || IpInRange(text, 'none')`, `all(File('lines.txt'), {len(#) > 2})`, `RegexpInFile(text, 'lines.re')`, `len(File('lines.txt')) > 1`,
		`Split(text, ',')[1]`, `Split(text, ',')[-1]`, `Get(Split(text, ','), 3)`, `Join(Split(text, ','), '+')`, `TrimSpace(text)`, `trimPrefix(text)`,
		`TrimPrefix(TrimSuffix(text, "]"), "[")`, `Replace(text, 'a', 'b', 1)`, `ReplaceAll(text, 'a', other)`, `lastIndexOf(text, 'a')`, `hasSuffix(text, 'a')`,
		`lower(text)`, `trim(text)`, `trim(text, 'ab')`, `split(text, ',')`, `text[1:3]`, `text[:2]`, `text[1:]`, `into.a`, `into.a.b`, `into.a?.b`, `into?.a?.b.c`,
		`into['a']`, `into.a[0]`, `into.a[-1].b`, `into.a != nil`, `into.a == 'x' || into.a == 1`, `into.a`, `into.a?.b ?? text`, `into.flag ? 'y' : 'n'`,
		`UnmarshalJSON(text, into, 'doc') in ['', nil]`, `UnmarshalJSON(text, into, 'doc') == nil && into.doc.a == 1`, `ParseKV(text, into, 'kv')`,
		`let x = Lower(text); x contains 'a' or x == other`, `let n = len(text); n > 1 && n < 9`, `let v = value ?? 'a'; v == text`, `let b = text == 'a'; b || other == 'a'`,
		`thing.Name == 'a'`, `thing.Called(text)`, `Distance(text, '1', '2', other) > 100`, `IpInRange(text, '10.0.0.0/8')`,
		`JsonExtract(text, 'a')`, `XMLGetNodeValue(text, '/a')`, `if text == 'a' { other } else { 'b' }`, `PathUnescape(text)`, `Match('a*', text)`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			both := p.compile(t, text)
			if !both.fast.IsDirect() {
				t.Fatal("is not direct")
			}
			if both.slow.IsDirect() {
				t.Fatal("a plain library takes shortcuts")
			}
			for _, vars := range situations() {
				both.compare(t, vars)
			}
		})
	}
}

// situations returns new environments: expressions may change them.
func situations() []func() *variables {
	var all []func() *variables
	for _, text := range []string{"", "a", "A", "ab", " a,b ", "7", "1.5", "[x]", `{"a": 1}`, "a=b", "10.1.2.3", "İa", "Ka\xff", "%41", "AABBCC", "lines"} {
		for _, value := range []any{nil, "a", "A", 1.5, 1, true, []any{map[string]any{"a": text}, 1.0}, []any{}, map[string]any{"b": text}, map[string]string{"b": text}, []string{text}} {
			all = append(all, func() *variables {
				return &variables{
					Text: text, Other: strings.ToLower(text), Value: value, Labels: map[string]string{"a": text},
					Into: map[string]any{"a": value, "flag": text == "a"}, Thing: &thing{Name: text},
				}
			})
		}
	}
	return append(all, func() *variables { return &variables{} })
}

type pair struct{ fast, slow *expression.Library }

func newPair(tb testing.TB) pair {
	tb.Helper()
	dir := tb.TempDir()
	data := datafile.New(slog.New(slog.DiscardHandler), time.Now)
	for name, lines := range map[string]string{
		"lines.txt": "aabb\nlines\n[x]\nA+\n", "lines.re": "^a+$\n(?i)lines?\n", "literal.re": "ab\n(?i)k+\n(é|7)\n", "all.re": "b\n.*\n", "letters.txt": "a\nB\né\n",
		"ranges.txt": "192.0.2.0/24\n\nnone\n2001:db8::/32\n::ffff:198.51.100.0/120\n", "objects.txt": "{\"a\": \"ab\", \"b\": \"x\"}\n\n{\"a\": \"é\"}\nnone\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o600); err != nil {
			tb.Fatal(err)
		}
		kind := map[bool]string{true: "regexp", false: "string"}[strings.HasSuffix(name, ".re")]
		if err := data.Load(datafile.Entry{DestFile: name, Type: kind}, dir); err != nil {
			tb.Fatal(err)
		}
	}
	return pair{expression.New(expression.Deps{Data: data}), expression.New(expression.Deps{Data: data, Plain: true})}
}

// bothWays is an expression compiled for both ways, as all that it can be.
type bothWays struct {
	text                   string
	fast, slow             *expression.Any
	fastFilter, slowFilter *expression.Bool
	fastText, slowText     *expression.String
}

// reporter is what testing.T and rapid.T have in common.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

func (p pair) compile(t reporter, text string) bothWays {
	t.Helper()
	both := bothWays{text: text}
	both.fast, both.slow = compileTwice(t, text, p.fast.CompileAny, p.slow.CompileAny)
	both.fastFilter, both.slowFilter = compileTwice(t, text, p.fast.CompileBool, p.slow.CompileBool)
	both.fastText, both.slowText = compileTwice(t, text, p.fast.CompileString, p.slow.CompileString)
	return both
}

// compileTwice wants the same mistakes to be found.
func compileTwice[P any](t reporter, text string, fast, slow func(string, any) (*P, error)) (a, b *P) {
	t.Helper()
	a, err := fast(text, variables{})
	b, wantErr := slow(text, variables{})
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%s: error %v, want %v", text, err, wantErr)
	}
	return a, b
}

func (b bothWays) compare(t reporter, vars func() *variables) {
	t.Helper()
	if b.fast != nil {
		compareOne(t, b.text, vars, b.fast.Eval, b.slow.Eval)
		if text := b.fast.AsString(); text != nil {
			compareOne(t, b.text, vars, boxing(text.Eval), b.slow.Eval)
		}
	}
	if b.fastFilter != nil {
		compareOne(t, b.text, vars, b.fastFilter.Eval, b.slowFilter.Eval)
	}
	if b.fastText != nil {
		compareOne(t, b.text, vars, b.fastText.Eval, b.slowText.Eval)
	}
}

func boxing[T any](eval func(any) (T, error)) func(any) (any, error) {
	return func(env any) (any, error) {
		result, err := eval(env)
		if err != nil {
			return nil, err
		}
		return result, nil
	}
}

func compareOne[T any](t reporter, text string, vars func() *variables, fast, slow func(any) (T, error)) {
	t.Helper()
	a, b := vars(), vars()
	got, err := fast(a)
	want, wantErr := slow(b)
	if describe(got) != describe(want) || fmt.Sprint(err) != fmt.Sprint(wantErr) || describe(*a) != describe(*b) {
		t.Fatalf("%s\nyields %s, %v\nwant   %s, %v\nfor    %s\nafter  %s\nand    %s", text,
			describe(got), err, describe(want), wantErr, describe(*vars()), describe(*a), describe(*b))
	}
}

// describe tells values apart that fmt does not, but functions.
func describe(value any) string {
	if reflect.ValueOf(value).Kind() == reflect.Func {
		return "a function"
	}
	if vars, ok := value.(variables); ok {
		return fmt.Sprintf("%#v %#v", vars.Thing, append([]any{vars.Text, vars.Other, vars.Value}, vars.Into, vars.Labels, vars.List))
	}
	return fmt.Sprintf("%#v", value)
}

func TestDirectIsTheMachine(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	rapid.Check(t, func(t *rapid.T) {
		both := p.compile(t, anyExpression(3).Draw(t, "expression"))
		for range 4 {
			both.compare(t, drawVariables(t))
		}
	})
}

func drawVariables(t *rapid.T) func() *variables {
	text := rapid.SampledFrom([]string{
		"", "a", "A", "ab", "aB", "b,a", "7", "x7", "a.b", "Ka", "\xff", `{"a": "b"}`, "10.0.0.1", "lines", "%61b", "a%2Eb", "%4", "a+b", "7%2B",
		strings.Repeat("-", 60) + "AaBb", strings.Repeat("é", 30) + "lines",
	})
	scalar := rapid.OneOf(rapid.Just(any(nil)), rapid.Map(text, func(s string) any { return s }), rapid.Just(any(1.5)), rapid.Just(any(7)), rapid.Just(any(true)))
	list := rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(l []any) any { return l })
	object := rapid.Map(scalar, func(s any) any { return map[string]any{"a": s, "b": map[string]any{"c": s}} })
	value := rapid.OneOf(scalar, list, object)
	a, b, c, d, e, label := text.Draw(t, "text"), text.Draw(t, "other"), value.Draw(t, "value"), value.Draw(t, "a"), value.Draw(t, "b"), text.Draw(t, "label")
	return func() *variables {
		return &variables{
			Text: a, Other: b, Value: c, Into: map[string]any{"a": d, "b": e}, Labels: map[string]string{"a": label}, Thing: &thing{Name: a},
		}
	}
}

// anyExpression is a grammar of what rules say, and of some things that nobody should.
func anyExpression(depth int) *rapid.Generator[string] {
	return rapid.OneOf(flagExpression(depth), textExpression(depth), wholeExpression(depth), valueExpression(depth))
}

func pattern(format string, parts ...*rapid.Generator[string]) *rapid.Generator[string] {
	if len(parts) == 0 {
		return rapid.Just(format)
	}
	return rapid.Custom(func(t *rapid.T) string {
		texts := make([]any, len(parts))
		for i, part := range parts {
			texts[i] = part.Draw(t, "part")
		}
		return fmt.Sprintf(format, texts...)
	})
}

func constant() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{`"a"`, `'b'`, `""`, `"ab"`, `"A"`, `"7"`, `"a.b"`, `"K"`, `"é"`, `","`, `"192.0.2.7"`, `"2001:db8::1"`})
}

func textExpression(depth int) *rapid.Generator[string] {
	leaf := rapid.OneOf(constant(), rapid.SampledFrom([]string{"text", "other", "labels.a", `labels["b"]`, "thing.Name"}))
	if depth == 0 {
		return leaf
	}
	text, flag := textExpression(depth-1), flagExpression(depth-1)
	return rapid.OneOf(leaf, pattern("Lower(%s)", text), pattern("Upper(%s)", text), pattern("TrimSpace(%s)", text), pattern("%s + %s", text, text),
		pattern("(%s ? %s : %s)", flag, text, text), pattern("Split(%s, %s)[%s]", text, constant(), rapid.SampledFrom([]string{"0", "1", "-1"})),
		pattern("%s[1:3]", leaf), pattern("ReplaceAll(%s, %s, %s)", text, constant(), text), pattern("(let x = %s; x + x)", text),
		pattern("lower(%s)", text), pattern("(%s ?? %s)", text, text), pattern("JsonExtract(%s, 'a')", text), pattern("thing.Called(%s)", text),
		pattern("trimPrefix(%s, %s)", text, constant()), pattern("QueryUnescape(%s)", text), pattern("Get(Split(%s, ','), %s)", text, wholeExpression(0)))
}

func wholeExpression(depth int) *rapid.Generator[string] {
	leaf := rapid.OneOf(rapid.SampledFrom([]string{"0", "1", "2", "7"}), pattern("len(%s)", textExpression(0)), pattern("int(%s)", textExpression(0)))
	if depth == 0 {
		return leaf
	}
	text, whole := textExpression(depth-1), wholeExpression(depth-1)
	return rapid.OneOf(leaf, pattern("%s + %s", whole, whole), pattern("len(%s)", text), pattern("Index(%s, %s)", text, text), pattern("int(%s)", valueExpression(depth-1)),
		pattern("count([%s, %s], {# contains %s})", constant(), constant(), text), pattern("len(%s)", valueExpression(depth-1)),
		pattern("(%s ? %s : %s)", flagExpression(depth-1), whole, whole), pattern("(let n = %s; n * n)", whole), pattern("len(Split(%s, ','))", text))
}

func valueExpression(depth int) *rapid.Generator[string] {
	leaf := rapid.SampledFrom([]string{"value", "into.a", "into.b.a", "into.a?.b", "into?.c?.a", "into.b[0]", "nil", "into.a?.b?.c"})
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(leaf, pattern("(%s ?? %s)", valueExpression(depth-1), anyExpression(depth-1)),
		pattern("(%s ? %s : %s)", flagExpression(depth-1), valueExpression(depth-1), anyExpression(depth-1)), pattern("(let v = %s; v)", valueExpression(depth-1)))
}

func flagExpression(depth int) *rapid.Generator[string] {
	text := textExpression(max(depth-1, 0))
	leaf := rapid.OneOf(pattern("%s == %s", text, constant()), pattern("%s contains %s", text, constant()), pattern("%s in [%s, %s]", text, constant(), constant()),
		rapid.SampledFrom([]string{"true", "false", "into.flag ?? true"}))
	if depth == 0 {
		return leaf
	}
	flag, whole, value := flagExpression(depth-1), wholeExpression(depth-1), valueExpression(depth-1)
	operator := rapid.SampledFrom([]string{"==", "!=", "contains", "startsWith", "endsWith", "not contains", "<", ">="})
	quantifier := rapid.SampledFrom([]string{"any", "all", "none", "one"})
	return rapid.OneOf(leaf,
		pattern("(%s && %s)", flag, flag), pattern("(%s || %s)", flag, flag), pattern("(%s and %s or %s)", flag, flag, flag), pattern("not (%s)", flag),
		pattern("%s %s %s", text, operator, text), pattern("%s matches %s", text, rapid.SampledFrom([]string{`"a+"`, `"(?i)^A"`, `Upper("a|b")`, `"^$"`, `other`})),
		pattern("%s %s %s", whole, rapid.SampledFrom([]string{"==", "<", "<=", ">", ">=", "!="}), whole), pattern("%s == %s", value, anyExpression(depth-1)),
		pattern("%s != nil", value), pattern("%s in ['a', nil]", value), pattern("%s in [1.5, 'a', 7]", value), pattern("%s in ['a', '']", value), pattern("%s in [1, 2]", whole),
		pattern("%s([%s, %s], {%s contains #})", quantifier, constant(), constant(), text), pattern("%s([%s, %s], {Lower(%s) contains Lower(#)})", quantifier, constant(), constant(), text),
		pattern("%s(%s, {# == %s})", quantifier, value, text), pattern("%s(File('lines.txt'), {%s contains #})", quantifier, text), pattern("any(File('lines.txt'), {Upper(%s) startsWith Upper(#)})", text),
		pattern("%s in File('lines.txt')", text), pattern("%s in labels", text), pattern("(let b = %s; b || %s)", flag, flag), pattern("IsIPV4(%s)", text), pattern("IsIPV6(%s)", text), pattern("IpInRange(%s, '192.0.2.0/24')", text),
		pattern("any(File('ranges.txt'), {len(#) > 0 && IpInRange(%s, #)})", text), pattern("any(File('objects.txt'), {%s contains JsonExtract(#, 'a') ? %s : false})", text, leaf),
		pattern("any(File('objects.txt'), {%s contains JsonExtract(#, 'a') ? thing.Rename(JsonExtract(#, 'b'), 'x') : false})", text),
		pattern("UnmarshalJSON(%s, into, 'a') in ['', nil]", text), pattern("thing.Rename(%s, 'x')", text), pattern("%s contains %s", value, text),
		pattern("(%s ? %s : %s)", flag, flag, flag), pattern("(%s ? %s : false)", flag, flag), pattern("RegexpInFile(%s, 'lines.re')", text))
}

func FuzzDirect(f *testing.F) {
	for _, seed := range []string{
		`text == "a" && any(["a"], {text contains #})`, `let x = into?.a ?? 'b'; x + text`, `any(File("lines.txt"), {Lower(text) endsWith # or # == other})`,
		`value in [nil, 1] ? int(text) : labels.a[1:2]`, `all(value, {.a not in ["x"]})`, `Split(text, ",")[-1] matches "^a"`,
	} {
		f.Add(seed, "a", "B")
	}
	p := newPair(f)
	f.Fuzz(func(t *testing.T, expression, text, other string) {
		if strings.Contains(expression, "repeat") || strings.Contains(expression, "now") || strings.Contains(expression, "TimeNow") || strings.Contains(expression, "keys") {
			return // endless, or another result each time
		}
		both := p.compile(t, expression)
		both.compare(t, func() *variables {
			return &variables{
				Text: text, Other: other, Value: []any{text, map[string]any{"a": other}}, Into: map[string]any{"a": other},
				Labels: map[string]string{"a": other}, Thing: &thing{Name: text},
			}
		})
	})
}
