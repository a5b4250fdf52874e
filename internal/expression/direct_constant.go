package expression

import (
	"reflect"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

func always[T any](value T) func(any, *locals) T {
	return func(any, *locals) T { return value }
}

func constantText(text string) form {
	return form{text: always(text), constant: text, safe: true}
}

func constantFlag(flag bool) form {
	return form{flag: always(flag), constant: flag, safe: true}
}

// constantWhole leaves out the numbers that stand for one of another type.
func constantWhole(number int, as reflect.Type) form {
	switch as.Kind() { //nolint:exhaustive // the others have no short form
	case reflect.Int, reflect.Interface:
		return form{whole: always(number), constant: number, safe: true}
	case reflect.Float64:
		return constantReal(float64(number), as)
	}
	return form{}
}

func constantReal(number float64, as reflect.Type) form {
	if kind := as.Kind(); kind != reflect.Float64 && kind != reflect.Interface {
		return form{}
	}
	return form{real: always(number), constant: number, safe: true}
}

// constantTexts returns the texts of a constant list, false when there is anything else in it.
func constantTexts(node ast.Node) ([]string, bool) {
	constant, ok := node.(*ast.ConstantNode)
	if !ok {
		return nil, false
	}
	values, ok := constant.Value.([]any)
	if !ok {
		return nil, false
	}
	texts := make([]string, len(values))
	for i, value := range values {
		if texts[i], ok = value.(string); !ok {
			return nil, false
		}
	}
	return texts, true
}

// quoted writes a constant for the name of a subject.
func quoted(constant any) (string, bool) {
	switch constant := constant.(type) {
	case string:
		return strconv.Quote(constant), true
	case int:
		return strconv.Itoa(constant), true
	}
	return "", false
}
