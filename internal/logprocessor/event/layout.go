package event

import (
	"hash/crc32"
	"reflect"
	"strings"
)

// Layout identifies what packed overflows look like: it changes with the fields of an overflow. What was packed
// with another one cannot be restored.
func Layout() uint32 {
	var text strings.Builder
	describe(&text, reflect.TypeFor[RuntimeAlert]())
	return crc32.ChecksumIEEE([]byte(text.String()))
}

// describe writes types that do not contain themselves.
func describe(text *strings.Builder, shape reflect.Type) {
	text.WriteString(shape.Kind().String())
	switch shape.Kind() { //nolint:exhaustive // the others contain nothing
	case reflect.Pointer, reflect.Slice:
		describe(text, shape.Elem())
	case reflect.Map:
		describe(text, shape.Key())
		describe(text, shape.Elem())
	case reflect.Struct:
		for i := range shape.NumField() {
			text.WriteString(" " + shape.Field(i).Name + " ")
			describe(text, shape.Field(i).Type)
		}
	}
}
