package csconfig

import (
	"fmt"
	"reflect"
	"strings"
)

// Literal writes value as --key shows it: strings bare, everything else as Go would spell it, over several lines where it
// has parts. A nil pointer is "nil".
func Literal(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return literal(reflect.ValueOf(value), "")
}

func literal(v reflect.Value, indent string) string {
	if !v.IsValid() {
		return "nil"
	}
	switch v.Kind() {
	case reflect.Interface:
		return literal(v.Elem(), indent)
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return "&" + literal(v.Elem(), indent)
	case reflect.Struct:
		return structure(v, indent)
	case reflect.Slice, reflect.Map:
		return collection(v, indent)
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	default:
		return fmt.Sprint(v.Interface())
	}
}

func structure(v reflect.Value, indent string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s{\n", v.Type())
	for field, value := range v.Fields() {
		fmt.Fprintf(&text, "%s  %s: %s,\n", indent, field.Name, literal(value, indent+"  "))
	}
	return text.String() + indent + "}"
}

func collection(v reflect.Value, indent string) string {
	if v.IsNil() {
		return "nil"
	}
	if bytes, ok := v.Interface().([]byte); ok {
		return fmt.Sprintf("[]byte(%q)", bytes)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s{\n", v.Type())
	for key, value := range v.Seq2() {
		prefix := ""
		if v.Kind() == reflect.Map {
			prefix = literal(key, "") + ": "
		}
		fmt.Fprintf(&text, "%s  %s%s,\n", indent, prefix, literal(value, indent+"  "))
	}
	return text.String() + indent + "}"
}
