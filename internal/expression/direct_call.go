package expression

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// call is a call of a helper or of a method of a member.
func (d *director) call(node *ast.CallNode) form {
	arguments := d.forms(node.Arguments)
	switch callee := node.Callee.(type) {
	case *ast.IdentifierNode:
		if h := d.helper(callee.Value); h != nil {
			d.acts = d.acts || h.effect == acts
			return d.folded(h, arguments)
		}
	case *ast.MemberNode:
		if path, ok := d.path(callee); ok {
			return calledMember(d.members.Direct(path), arguments)
		}
	}
	return form{}
}

// helper returns nil for a name that means something else here.
func (d *director) helper(name string) *helper {
	if _, taken := d.dialect.config.Env.Get(&d.dialect.config.NtCache, name); taken || d.isVariable(name) {
		return nil
	}
	return d.helpers[name]
}

// calledMember is a call of a method that changes nothing: where the short form goes wrong half way, the machine
// does everything again.
func calledMember(method any, arguments []form) form {
	switch method := method.(type) {
	case func(any) string:
		if len(arguments) == 0 {
			return form{text: ofEnv(method), safe: true}
		}
	case func(any) (string, bool):
		if len(arguments) == 0 {
			return form{text: sure(method)}
		}
	case func(any) int:
		if len(arguments) == 0 {
			return form{whole: ofEnv(method), safe: true}
		}
	case func(any, string) string:
		if texts := textArguments(arguments, 1); texts != nil {
			a := texts[0]
			return form{text: func(env any, l *locals) string { return method(env, a(env, l)) }}
		}
	}
	return form{}
}

// textArguments returns nil when there are not so many, or one is known not to be a text.
func textArguments(arguments []form, count int) []func(any, *locals) string {
	if len(arguments) != count {
		return nil
	}
	texts := make([]func(any, *locals) string, count)
	for i := range arguments {
		if texts[i] = arguments[i].asText(); texts[i] == nil {
			return nil
		}
	}
	return texts
}

// folded calls a helper while compiling when its result cannot change.
func (d *director) folded(h *helper, arguments []form) form {
	d.calls = true
	f := called(h.typed, arguments)
	if is := askedOfAddress(h, arguments); is != nil {
		f.flag = is
	}
	if h.name == "RegexpInFile" && f.flag != nil {
		f.ahead.facts = d.factOfConstantRegexps(arguments)
	}
	f.safe = f.safe && h.effect != acts && allSafe(arguments)
	if h.effect != pure {
		return f
	}
	isConstant := !slices.ContainsFunc(arguments, func(a form) bool { return a.constant == nil })
	switch {
	case f.text == nil || !f.safe:
	case isConstant:
		return constantText(f.text(nil, nil))
	default:
		if of := d.subjectOfCall(h.name, arguments, f.text); of != nil {
			return of.form(true)
		}
	}
	return f
}

// askedOfAddress is a helper that reads an address which others may have read before; nil for others.
func askedOfAddress(h *helper, arguments []form) func(any, *locals) bool {
	switch texts := textArguments(arguments, len(arguments)); len(texts) {
	case 1:
		return isAddress(h.name, texts[0])
	case 2:
		if cidr, ok := arguments[1].constant.(string); ok && h.name == "IpInRange" {
			return isInConstantRange(texts[0], cidr)
		}
	}
	return nil
}

// allSafe asks for texts that are known as such, too: a value may not be one.
func allSafe(arguments []form) bool {
	return !slices.ContainsFunc(arguments, func(a form) bool { return !a.safe || a.value != nil })
}

// called returns the form of a call of a Go function; it is safe when the function cannot fail.
func called(function any, arguments []form) form {
	switch function := function.(type) {
	case func([]string, string) string:
		return calledOnList(function, arguments)
	case func([]string, int) (string, error):
		return calledAt(function, arguments)
	case func(string, map[string]any, string) error:
		return calledInto(function, arguments)
	case func(string, string, string, int) (string, error):
		return calledTimes(function, arguments)
	}
	texts := textArguments(arguments, len(arguments))
	if texts == nil {
		return form{}
	}
	switch len(texts) {
	case 1:
		return called1(function, texts[0])
	case 2:
		return called2(function, texts[0], texts[1])
	case 3:
		return called3(function, texts[0], texts[1], texts[2])
	case 4:
		return called4(function, texts)
	}
	return form{}
}

func called1(function any, a func(any, *locals) string) form {
	switch f := function.(type) {
	case func(string) string:
		return form{text: func(env any, l *locals) string { return f(a(env, l)) }, safe: true}
	case func(string) bool:
		return flagForm(func(env any, l *locals) bool { return f(a(env, l)) }, true)
	case func(string) float64:
		return form{real: func(env any, l *locals) float64 { return f(a(env, l)) }, safe: true}
	case func(string) []string:
		return form{texts: func(env any, l *locals) []string { return f(a(env, l)) }, safe: true}
	case func(string) (string, error):
		return form{text: func(env any, l *locals) string { return must(f(a(env, l))) }}
	}
	return form{}
}

func called2(function any, a, b func(any, *locals) string) form {
	switch f := function.(type) {
	case func(string, string) string:
		return form{text: func(env any, l *locals) string { return f(a(env, l), b(env, l)) }, safe: true}
	case func(string, string) bool:
		return flagForm(func(env any, l *locals) bool { return f(a(env, l), b(env, l)) }, true)
	case func(string, string) int:
		return form{whole: func(env any, l *locals) int { return f(a(env, l), b(env, l)) }, safe: true}
	case func(string, string) []string:
		return form{texts: func(env any, l *locals) []string { return f(a(env, l), b(env, l)) }, safe: true}
	}
	return form{}
}

func called3(function any, a, b, c func(any, *locals) string) form {
	if f, ok := function.(func(string, string, string) string); ok {
		return form{text: func(env any, l *locals) string { return f(a(env, l), b(env, l), c(env, l)) }, safe: true}
	}
	return form{}
}

func called4(function any, texts []func(any, *locals) string) form {
	f, ok := function.(func(string, string, string, string) (float64, error))
	if !ok {
		return form{}
	}
	a, b, c, d := texts[0], texts[1], texts[2], texts[3]
	return form{real: func(env any, l *locals) float64 { return must(f(a(env, l), b(env, l), c(env, l), d(env, l))) }}
}

// calledOnList is Join.
func calledOnList(f func([]string, string) string, arguments []form) form {
	if len(arguments) != 2 || arguments[0].texts == nil || arguments[1].text == nil {
		return form{}
	}
	a, b := arguments[0].texts, arguments[1].text
	return form{text: func(env any, l *locals) string { return f(a(env, l), b(env, l)) }, safe: true}
}

// calledAt is Get.
func calledAt(f func([]string, int) (string, error), arguments []form) form {
	if len(arguments) != 2 || arguments[0].texts == nil || arguments[1].whole == nil {
		return form{}
	}
	a, b := arguments[0].texts, arguments[1].whole
	return form{text: func(env any, l *locals) string { return must(f(a(env, l), b(env, l))) }}
}

// calledTimes is Replace.
func calledTimes(f func(string, string, string, int) (string, error), arguments []form) form {
	if len(arguments) != 4 || arguments[3].whole == nil {
		return form{}
	}
	texts := textArguments(arguments[:3], 3)
	if texts == nil {
		return form{}
	}
	a, b, c, times := texts[0], texts[1], texts[2], arguments[3].whole
	return form{text: func(env any, l *locals) string { return must(f(a(env, l), b(env, l), c(env, l), times(env, l))) }}
}

// calledInto is for helpers that decode a text into a map, such as UnmarshalJSON. They yield nil.
func calledInto(f func(string, map[string]any, string) error, arguments []form) form {
	if len(arguments) != 3 || arguments[1].things == nil {
		return form{}
	}
	a, b, c := arguments[0].asText(), arguments[1].things, arguments[2].asText()
	if a == nil || c == nil {
		return form{}
	}
	return form{value: func(env any, l *locals) any {
		if err := f(a(env, l), b(env, l), c(env, l)); err != nil {
			panic(err)
		}
		return nil
	}}
}

// must leaves the short form on an error: the machine meets it again, and tells where.
func must[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

// subjectOfCall names a text that is computed from other named texts and constants.
func (d *director) subjectOfCall(function string, arguments []form, text func(any, *locals) string) *subject {
	if slices.ContainsFunc(arguments, func(a form) bool { return a.isLocal }) {
		return nil
	}
	names := make([]string, len(arguments))
	for i := range arguments {
		name, known := quoted(arguments[i].constant)
		if of := arguments[i].subject; of != nil {
			name, known = of.name, true
		}
		if !known {
			return nil
		}
		names[i] = name
	}
	called := d.dialect.subject(function+"("+strings.Join(names, ", ")+")", text)
	called.madeOf(function, arguments[0].subject)
	return called
}
