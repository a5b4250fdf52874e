package expression

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// builtin is a call of a function of the language itself.
func (d *director) builtin(node *ast.BuiltinNode) form {
	switch node.Name {
	case "any", "all", "none", "one", "count":
		return d.predicate(node)
	}
	arguments := d.forms(node.Arguments)
	if len(arguments) == 1 {
		return d.builtin1(node.Name, arguments[0])
	}
	if f := d.builtinOfTexts(node.Name, arguments); !f.isNone() {
		return f
	}
	return form{}
}

func (d *director) builtin1(name string, argument form) form {
	switch name {
	case "len":
		return length(argument)
	case "int":
		return toWhole(argument)
	case "float":
		return toReal(argument)
	}
	function, known := map[string]func(string) string{
		"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace,
		"trimPrefix": func(text string) string { return strings.TrimPrefix(text, " ") },
		"trimSuffix": func(text string) string { return strings.TrimSuffix(text, " ") },
	}[name]
	if !known {
		return form{}
	}
	return d.builtinCall(name, function, argument)
}

func (d *director) builtinOfTexts(name string, arguments []form) form {
	functions := map[string]any{
		"trim": strings.Trim, "trimPrefix": strings.TrimPrefix, "trimSuffix": strings.TrimSuffix,
		"hasPrefix": strings.HasPrefix, "hasSuffix": strings.HasSuffix, "indexOf": strings.Index,
		"lastIndexOf": strings.LastIndex, "split": strings.Split, "replace": strings.ReplaceAll,
	}
	function, known := functions[name]
	if !known || len(arguments) > 3 {
		return form{}
	}
	return d.builtinCall(name, function, arguments...)
}

func (d *director) builtinCall(name string, function any, arguments ...form) form {
	return d.folded(&helper{name: name, typed: function, effect: pure}, arguments)
}

// length counts characters of a text, not bytes.
func length(of form) form {
	switch {
	case of.text != nil:
		text := of.text
		return form{whole: func(env any, l *locals) int { return utf8.RuneCountInString(text(env, l)) }, safe: of.safe}
	case of.texts != nil:
		texts := of.texts
		return form{whole: func(env any, l *locals) int { return len(texts(env, l)) }, safe: of.safe}
	case of.value != nil:
		value := of.value
		return form{whole: func(env any, l *locals) int { return lengthOf(value(env, l)) }}
	}
	return form{}
}

func lengthOf(value any) int {
	switch value := value.(type) {
	case string:
		return utf8.RuneCountInString(value)
	case []any:
		return len(value)
	case map[string]any:
		return len(value)
	}
	unfit()
	return 0
}

func toWhole(of form) form {
	switch {
	case of.whole != nil:
		return of
	case of.text != nil:
		text := of.text
		return form{whole: func(env any, l *locals) int { return must(strconv.Atoi(text(env, l))) }}
	case of.value != nil:
		value := of.value
		return form{whole: func(env any, l *locals) int { return wholeOf(value(env, l)) }}
	}
	return form{}
}

func wholeOf(value any) int {
	switch value := value.(type) {
	case float64:
		return int(value)
	case int:
		return value
	case string:
		return must(strconv.Atoi(value))
	}
	unfit()
	return 0
}

func toReal(of form) form {
	switch {
	case of.real != nil:
		return of
	case of.text != nil:
		text := of.text
		return form{real: func(env any, l *locals) float64 { return must(strconv.ParseFloat(text(env, l), 64)) }}
	}
	return form{}
}
