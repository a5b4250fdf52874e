package expression

import (
	"reflect"
	"slices"
)

func listHelpers() []helper {
	return []helper{
		of1("Distinct", distinct),
		ofRest("Flatten", flatten),
		ofRest("FlattenDistinct", func(values ...any) []any { return distinct(flatten(values...)) }),
		of2("KeyExists", func(key string, values map[string]any) bool {
			_, ok := values[key]
			return ok
		}),
	}
}

// distinct returns the different values of a list in order, nil for what is no list.
func distinct(list any) []any {
	items := reflect.ValueOf(list)
	if !isList(items) {
		return nil
	}
	seen := map[any]bool{}
	var unhashable []any
	unique := []any{}
	for i := range items.Len() {
		item := items.Index(i)
		value := item.Interface()
		switch {
		case item.Comparable() && seen[value], !item.Comparable() && containsDeep(unhashable, value):
			continue
		case item.Comparable():
			seen[value] = true
		default:
			unhashable = append(unhashable, value)
		}
		unique = append(unique, value)
	}
	return unique
}

func containsDeep(values []any, wanted any) bool {
	return slices.ContainsFunc(values, func(value any) bool { return reflect.DeepEqual(value, wanted) })
}

// flatten returns the values and, in place of lists, what is in them.
func flatten(values ...any) []any {
	flat := []any{}
	for _, value := range values {
		flat = appendFlat(flat, reflect.ValueOf(value))
	}
	return flat
}

func appendFlat(flat []any, value reflect.Value) []any {
	if value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	switch {
	case !value.IsValid():
		return append(flat, nil)
	case !isList(value):
		return append(flat, value.Interface())
	}
	for i := range value.Len() {
		flat = appendFlat(flat, value.Index(i))
	}
	return flat
}

func isList(value reflect.Value) bool {
	return value.Kind() == reflect.Slice || value.Kind() == reflect.Array
}
