package expression

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// in has a short form for constant lists, of which expr makes sets where it can, for lists of texts and for keys
// of maps.
func (d *director) in(node *ast.BinaryNode) form {
	needle := d.form(node.Left)
	switch right := node.Right.(type) {
	case *ast.ConstantNode:
		return inConstant(needle, right.Value)
	case *ast.ArrayNode:
		return d.inArray(needle, right)
	}
	if file, ok := d.constantFile(node.Right); ok {
		return d.inFile(needle, file)
	}
	list := d.form(node.Right)
	text := needle.text
	switch safe := needle.safe && list.safe; {
	case text == nil:
		return form{}
	case list.texts != nil:
		texts := list.texts
		return flagForm(func(env any, l *locals) bool { return slices.Contains(texts(env, l), text(env, l)) }, safe)
	case list.fields != nil:
		fields := list.fields
		return flagForm(func(env any, l *locals) bool { return fields.Has(env, text(env, l)) }, safe)
	case list.things != nil:
		things := list.things
		return flagForm(func(env any, l *locals) bool { _, has := things(env, l)[text(env, l)]; return has }, safe)
	}
	return form{}
}

func inConstant(needle form, list any) form {
	switch list := list.(type) {
	case map[string]struct{}:
		return inTexts(needle, list)
	case map[int]struct{}:
		if whole := needle.whole; whole != nil {
			return flagForm(func(env any, l *locals) bool { _, in := list[whole(env, l)]; return in }, needle.safe)
		}
	case []any:
		return inValues(needle, list)
	}
	return form{}
}

// inTexts looks for nil as for the empty text, as the machine does.
func inTexts(needle form, set map[string]struct{}) form {
	if text := needle.text; text != nil {
		f := flagForm(isOneOf(text, set), needle.safe)
		if flag := testedInCase("==", needle, f.flag, slices.Sorted(maps.Keys(set))...); flag != nil {
			f.flag = flag
		}
		f.ahead = exactly(factOfOneOf(&needle, set))
		return f
	}
	value := needle.value
	if value == nil {
		return form{}
	}
	return flagForm(func(env any, l *locals) bool {
		text := ""
		switch value := value(env, l).(type) {
		case nil:
		case string:
			text = value
		default:
			unfit()
		}
		_, in := set[text]
		return in
	}, false)
}

// isOneOf compares with few texts faster than a map finds one.
func isOneOf(text func(any, *locals) string, set map[string]struct{}) func(any, *locals) bool {
	const few = 6
	if len(set) > few {
		return func(env any, l *locals) bool { _, in := set[text(env, l)]; return in }
	}
	list := make([]string, 0, len(set))
	for member := range set {
		list = append(list, member)
	}
	slices.Sort(list)
	return func(env any, l *locals) bool { return slices.Contains(list, text(env, l)) }
}

// inValues is for lists of several types.
func inValues(needle form, list []any) form {
	value := needle.asValue()
	if value == nil {
		return form{}
	}
	return flagForm(func(env any, l *locals) bool {
		wanted := value(env, l)
		return slices.ContainsFunc(list, func(member any) bool { return isEqual(member, wanted) })
	}, false)
}

// inArray is for lists with nil among constant texts.
func (d *director) inArray(needle form, array *ast.ArrayNode) form {
	set := make(map[string]struct{}, len(array.Nodes))
	hasNil := false
	for _, node := range array.Nodes {
		switch node := node.(type) {
		case *ast.StringNode:
			set[node.Value] = struct{}{}
		case *ast.NilNode:
			hasNil = true
		default:
			return form{}
		}
	}
	if needle.text != nil {
		return inTexts(needle, set)
	}
	value := needle.value
	if value == nil || !hasNil {
		return form{}
	}
	return flagForm(func(env any, l *locals) bool {
		found := value(env, l)
		if text, ok := found.(string); ok {
			_, in := set[text]
			return in
		}
		return isNothing(found)
	}, false)
}
