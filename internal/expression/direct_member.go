package expression

import (
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// identifier is a variable of a let; those of the environment are read by their members.
func (d *director) identifier(node *ast.IdentifierNode) form {
	for i := len(d.variables) - 1; i >= 0; i-- {
		if d.variables[i].name == node.Value {
			return d.variables[i].form
		}
	}
	return d.ofEnv([]string{node.Value})
}

func (d *director) member(node *ast.MemberNode) form {
	if node.Type().Kind() == reflect.Func {
		return form{}
	}
	if path, ok := d.path(node); ok {
		if f := d.ofEnv(path); !f.isNone() {
			return f
		}
	}
	if node.Optional {
		return form{}
	}
	base := d.form(node.Node)
	switch property := node.Property.(type) {
	case *ast.StringNode:
		return fieldOf(base, property.Value)
	case *ast.IntegerNode:
		return elementOf(base, property.Value)
	}
	return form{}
}

// path returns the names that lead from the environment to a member.
func (d *director) path(node ast.Node) ([]string, bool) {
	length := 1
	for at := node; ; length++ {
		member, ok := at.(*ast.MemberNode)
		if !ok {
			break
		}
		at = member.Node
	}
	path := make([]string, length)
	for i := length - 1; i > 0; i-- {
		member, _ := node.(*ast.MemberNode)
		name, named := member.Property.(*ast.StringNode)
		if !named || member.Optional {
			return nil, false
		}
		path[i], node = name.Value, member.Node
	}
	first, ok := node.(*ast.IdentifierNode)
	if !ok || d.isVariable(first.Value) {
		return nil, false
	}
	path[0] = first.Value
	return path, true
}

func (d *director) isVariable(name string) bool {
	return slices.ContainsFunc(d.variables, func(v variable) bool { return v.name == name })
}

func (d *director) ofEnv(path []string) form {
	switch get := d.members.Direct(path).(type) {
	case func(any) string:
		return d.dialect.memberSubject(strings.Join(path, "."), get).form(true)
	case func(any) bool:
		return flagForm(ofEnv(get), true)
	case func(any) (string, bool):
		return form{text: sure(get)}
	case func(any) (bool, bool):
		return form{flag: sure(get)}
	case func(any) int:
		return form{whole: ofEnv(get), safe: true}
	case func(any) any:
		return form{value: ofEnv(get), safe: true}
	case Texts:
		return form{fields: get, safe: true}
	case func(any) map[string]any:
		return form{things: ofEnv(get), safe: true}
	}
	return form{}
}

func ofEnv[T any](get func(any) T) func(any, *locals) T {
	return func(env any, _ *locals) T { return get(env) }
}

// sure is unfit where the machine does not find the member.
func sure[T any](get func(any) (T, bool)) func(any, *locals) T {
	return func(env any, _ *locals) T {
		value, ok := get(env)
		if !ok {
			unfit()
		}
		return value
	}
}

// fieldOf reads a member of a map. Where there is no map, the machine has something to say.
func fieldOf(base form, key string) form {
	switch {
	case base.value != nil:
		from := base.value
		return form{value: func(env any, l *locals) any { return field(from(env, l), key) }}
	case base.things != nil:
		from := base.things
		return form{value: func(env any, l *locals) any { return from(env, l)[key] }, safe: base.safe}
	}
	return form{}
}

func field(from any, key string) any {
	switch from := from.(type) {
	case map[string]any:
		return from[key]
	case map[string]string:
		return from[key]
	}
	unfit()
	return nil
}

func elementOf(base form, index int) form {
	switch {
	case base.texts != nil:
		from := base.texts
		return form{text: func(env any, l *locals) string { return at(from(env, l), index) }}
	case base.value != nil:
		from := base.value
		return form{value: func(env any, l *locals) any {
			list, ok := from(env, l).([]any)
			if !ok {
				unfit()
			}
			return at(list, index)
		}}
	}
	return form{}
}

// at counts negative indexes from the end.
func at[T any](list []T, index int) T {
	if index < 0 {
		index += len(list)
	}
	return list[index]
}

// absent is what a chain yields from where a link of it is missing.
type absent struct{}

// chain reads members as long as there are any: evt.Unmarshaled.a?.b.
func (d *director) chain(node *ast.ChainNode) form {
	links := d.link(node.Node)
	if links == nil {
		return form{}
	}
	return form{value: func(env any, l *locals) any {
		value := links(env, l)
		if _, gone := value.(absent); gone || isNothing(value) {
			return nil // not a nil of some type
		}
		return value
	}}
}

func (d *director) link(node ast.Node) func(env any, l *locals) any {
	member, ok := node.(*ast.MemberNode)
	if !ok {
		f := d.form(node)
		return f.asValue()
	}
	name, named := member.Property.(*ast.StringNode)
	if f := d.form(member); f.value != nil || !named {
		return f.value
	}
	from := d.link(member.Node)
	if from == nil {
		return nil
	}
	return func(env any, l *locals) any {
		value := from(env, l)
		if _, gone := value.(absent); gone || member.Optional && isNothing(value) {
			return absent{}
		}
		return field(value, name.Value)
	}
}

// isNil says what the machine takes for nil. unfit for values of unusual types.
func isNothing(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string, bool, int, float64:
		return false
	case map[string]any:
		return value == nil
	case map[string]string:
		return value == nil
	case []any:
		return value == nil
	case []string:
		return value == nil
	}
	unfit()
	return false
}

// element is what a predicate looks at, #.
func (d *director) element(node *ast.PointerNode) form {
	if node.Name != "" || len(d.elements) == 0 {
		return form{}
	}
	d.touched = true
	return d.elements[len(d.elements)-1]
}

// slice cuts bytes out of a text: text[from:to] with constants.
func (d *director) slice(node *ast.SliceNode) form {
	of := d.form(node.Node)
	from, to := bound(node.From, 0), bound(node.To, -1)
	text := of.text
	if text == nil || from < 0 || node.To != nil && to < 0 {
		return form{}
	}
	return form{safe: of.safe, text: func(env any, l *locals) string {
		whole := text(env, l)
		end := len(whole)
		if to >= 0 {
			end = min(to, end)
		}
		return whole[min(from, end):end]
	}}
}

// bound returns -1 for what is no constant.
func bound(node ast.Node, missing int) int {
	switch node := node.(type) {
	case nil:
		return missing
	case *ast.IntegerNode:
		return node.Value
	}
	return -1
}
