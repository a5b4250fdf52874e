package expression_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/expr-lang/expr"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/expression"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	lib := bare()
	compileBool := func(text string, env any) error { _, err := lib.CompileBool(text, env); return err }
	compileString := func(text string, env any) error { _, err := lib.CompileString(text, env); return err }
	compileAny := func(text string, env any) error { _, err := lib.CompileAny(text, env); return err }
	for _, test := range []struct {
		name    string
		compile func(string, any) error
		text    string
		want    string // the whole message
	}{
		{"unknown name", compileBool, "Foo", "unknown name Foo (1:1)"},
		{"unknown function", compileBool, "text == 'a' && Foo(1)", "unknown name Foo (1:16)"},
		{"unknown field", compileAny, "thing.Nope", "type expression_test.thing has no field Nope (1:7)"},
		{"position on a later line", compileAny, "text ==\n  'a' || Foo", "unknown name Foo (2:10)"},
		{"list of any for list of text", compileAny, "Join(['a'], ',')", "cannot use []interface {} as argument (type []string) to call Join (1:6)"},
		{"number for text", compileAny, "Lower(1)", "cannot use int as argument (type string) to call Lower (1:7)"},
		{"nil for text", compileAny, "Lower(nil)", "cannot use nil as argument (type string) to call Lower (1:7)"},
		{"too few arguments", compileAny, "Split(text)", "not enough arguments to call Split (1:1)"},
		{"too many arguments", compileAny, "Lower(text, text)", "too many arguments to call Lower (1:1)"},
		{"too few arguments before the files", compileAny, "MatchKnownBot(text, text)", "not enough arguments to call MatchKnownBot (1:1)"},
		{"unknown field of a helper's result", compileAny, "GeoIPEnrich(text).Nope", "type geoip.Record has no field Nope (1:19)"},
		{"text as filter", compileBool, "text", "expected bool, but got string"},
		{"error as filter", compileBool, "UnmarshalJSON(text, into, 'x')", "expected bool, but got error"},
		{"boolean as text", compileString, "text == ''", "expected string, but got bool"},
		{"bad regular expression", compileBool, "text matches '('", "error parsing regexp: missing closing ): `(` (1:6)"},
		{"half an expression", compileBool, "text ==", "unexpected token EOF (1:7)"},
		{"nothing", compileBool, "", "unexpected token EOF (1:1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.compile(test.text, variables{})
			if err == nil || err.Error() != test.want {
				t.Fatalf("error %v, want %s", err, test.want)
			}
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("kind %v, want invalid", fault.KindOf(err))
			}
		})
	}
}

func TestEvalChecksWhatCompilingCannot(t *testing.T) {
	t.Parallel()
	lib := bare()
	asBool, err := lib.CompileBool("value", variables{})
	if err != nil {
		t.Fatal(err)
	}
	asString, err := lib.CompileString("value", variables{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := asBool.Eval(variables{Value: true}); err != nil || !got {
		t.Errorf("true yields %v, %v", got, err)
	}
	if _, err := asBool.Eval(variables{Value: "true"}); err == nil || err.Error() != "invalid operation: bool(string) (1:1)" {
		t.Errorf("a text as filter: error %v", err)
	}
	if got, err := asBool.Eval(variables{}); err != nil || got {
		t.Errorf("nil as filter: yields %v, %v, want false", got, err)
	}
	if got, err := asString.Eval(variables{Value: "x"}); err != nil || got != "x" {
		t.Errorf("x yields %q, %v", got, err)
	}
	if _, err := asString.Eval(variables{Value: 1}); err == nil || err.Error() != "expression yields int, want string" {
		t.Errorf("a number as text: error %v", err)
	}
}

func TestRunTimeErrorsAreReturnedInOneLine(t *testing.T) {
	t.Parallel()
	run(t, bare(), []row{
		{expr: "Lower(value)", err: "Lower: argument 1 is int, want string (1:1)"},
		{expr: "Split(text, value)", err: "Split: argument 2 is int, want string (1:1)"},
		{expr: "Lower(into.missing)", err: "Lower: argument 1 is <nil>, want string (1:1)"},
		{expr: "into.missing.deeper", err: "cannot fetch deeper from <nil> (1:14)"},
		{expr: "thing.Name", err: "cannot get Name from thing (1:1)"},
		{expr: "thing.Burst()", err: "burst (1:"},
		{expr: "list[3]", err: "index out of range: 3 (array length is 0) (1:5)"},
		{expr: "'a' +\n value", err: "(1:5)"},
	}, variables{Value: 1})
}

func TestErrorsOfHelpersKeepTheirChain(t *testing.T) {
	t.Parallel()
	lib := expression.New(expression.Deps{Hostname: func() (string, error) { return "", errLost }})
	_, err := eval(t, lib, "Hostname()", variables{})
	if !errors.Is(err, errLost) {
		t.Fatalf("error %v does not wrap its cause", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Fatalf("error has several lines: %q", err)
	}
}

var errLost = errors.New("lost\nin translation")

func TestProgramsAreSharedByGoroutines(t *testing.T) {
	t.Parallel()
	lib := bare()
	program, err := lib.CompileString(
		`let words = Split(text, " "); Join(map(filter(words, {# != ""}), {Upper(#)}) == [] ? list : words, "+")`,
		variables{})
	if err != nil {
		t.Fatal(err)
	}
	failing, err := lib.CompileBool(`into.missing.deeper == text`, variables{})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			text := strings.Repeat("a ", i) + "z"
			want := strings.ReplaceAll(text, " ", "+")
			for range 200 {
				if got, err := program.Eval(variables{Text: text}); err != nil || got != want {
					t.Errorf("yields %q, %v, want %q", got, err, want)
					return
				}
				if _, err := failing.Eval(variables{Text: text}); err == nil {
					t.Error("a missing value is no error")
					return
				}
			}
		})
	}
	group.Wait()
}

func TestEnvironmentMayBePointerOrMap(t *testing.T) {
	t.Parallel()
	lib := bare()
	for name, env := range map[string]any{
		"pointer": &variables{Text: "A"},
		"map":     map[string]any{"text": "A"},
	} {
		program, err := lib.CompileBool("Lower(text) == 'a'", env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := program.Eval(env); err != nil || !got {
			t.Errorf("%s: yields %v, %v", name, got, err)
		}
		if _, err := lib.CompileBool("nope == 'a'", env); err == nil {
			t.Errorf("%s: an unknown name compiles", name)
		}
	}
}

func TestOptionsBringTheHelpers(t *testing.T) {
	t.Parallel()
	options := append(bare().Options(), expr.Env(variables{}))
	code, err := expr.Compile("Upper(text)", options...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := expr.Run(code, variables{Text: "a"}); err != nil || got != "A" {
		t.Fatalf("yields %v, %v", got, err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"text == 'a'", "Lower(text) contains \"b\" ? 1 : nil", "any(list, {# startsWith text})",
		"let x = into?.a ?? 1; x", "[1,2][-1:]", "{a: 1}.a", "((((", "'\n", "text matches text", "1 / 0 == 1",
	} {
		f.Add(seed)
	}
	lib := bare()
	f.Fuzz(func(t *testing.T, text string) {
		program, err := lib.CompileAny(text, variables{})
		if err == nil {
			_, err = program.Eval(variables{Text: "a", List: []string{"b"}, Into: map[string]any{}})
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Fatalf("error has several lines: %q", err)
		}
	})
}
