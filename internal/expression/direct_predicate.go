package expression

import "github.com/expr-lang/expr/ast"

// predicate asks every element of a list: of constants, of a file, or of what a document holds.
func (d *director) predicate(node *ast.BuiltinNode) form {
	if len(node.Arguments) != 2 {
		return form{}
	}
	predicate, ok := node.Arguments[1].(*ast.PredicateNode)
	if !ok {
		return form{}
	}
	if f := d.askedOfFile(node, predicate); !f.isNone() {
		return f
	}
	if texts, ok := constantTexts(node.Arguments[0]); ok {
		return d.askedOfConstants(node.Name, texts, predicate)
	}
	switch list := d.form(node.Arguments[0]); {
	case list.texts != nil:
		f := d.askedOfTexts(node.Name, list, predicate)
		f.ahead = d.aheadOfFile(node, predicate)
		return f
	case list.value != nil:
		return d.askedOfValues(node.Name, list, predicate)
	}
	return form{}
}

func (d *director) askedOfConstants(name string, texts []string, predicate *ast.PredicateNode) form {
	f := d.askedOfTexts(name, form{texts: always(texts), safe: true}, predicate)
	if name == "any" && !f.isNone() {
		f.ahead.facts = d.factsOfElements(texts, predicate)
	}
	return f
}

func (d *director) askedOfTexts(name string, list form, predicate *ast.PredicateNode) form {
	get, set, ok := local(&d.used.texts, textsOf)
	if !ok {
		return form{}
	}
	test := d.askedOf(form{text: get, isLocal: true, safe: true}, predicate)
	return quantified(name, test, list.safe, counted(list.texts, set))
}

func (d *director) askedOfValues(name string, list form, predicate *ast.PredicateNode) form {
	get, set, ok := local(&d.used.values, valuesOf)
	if !ok {
		return form{}
	}
	value := list.value
	elements := func(env any, l *locals) []any {
		elements, ok := value(env, l).([]any)
		if !ok {
			unfit()
		}
		return elements
	}
	test := d.askedOf(form{value: get, isLocal: true, safe: true}, predicate)
	return quantified(name, test, false, counted(elements, set))
}

func (d *director) askedOf(element form, predicate *ast.PredicateNode) form {
	d.elements = append(d.elements, element)
	test := d.form(predicate.Node)
	d.elements = d.elements[:len(d.elements)-1]
	return test
}

// counter counts the elements that pass a test, until there are so many.
type counter func(env any, l *locals, test func(any, *locals) bool, until int) int

func counted[T any](elements func(any, *locals) []T, set func(*locals, T)) counter {
	return func(env any, l *locals, test func(any, *locals) bool, until int) int {
		count := 0
		for _, element := range elements(env, l) {
			set(l, element)
			if !test(env, l) {
				continue
			}
			if count++; count == until {
				break
			}
		}
		return count
	}
}

// quantified stops where the machine does: a predicate further on may go wrong.
func quantified(name string, predicate form, safe bool, count counter) form {
	test := predicate.asFlag()
	if test == nil {
		return form{}
	}
	failing := func(env any, l *locals) bool { return !test(env, l) }
	safe = safe && predicate.isSafeFlag()
	switch name {
	case "any":
		return flagForm(func(env any, l *locals) bool { return count(env, l, test, 1) > 0 }, safe)
	case "none":
		return flagForm(func(env any, l *locals) bool { return count(env, l, test, 1) == 0 }, safe)
	case "all":
		return flagForm(func(env any, l *locals) bool { return count(env, l, failing, 1) == 0 }, safe)
	case "one":
		return flagForm(func(env any, l *locals) bool { return count(env, l, test, -1) == 1 }, safe)
	}
	return form{whole: func(env any, l *locals) int { return count(env, l, test, -1) }, safe: safe}
}
