package event

import (
	"reflect"
)

// The types of unpacked values.
const (
	valueNil = iota
	valueFalse
	valueTrue
	valueText
	valueFloat
	valueInt
	valueTexts   // []string
	valueTextMap // map[string]string
	valueList
	valueMap
)

// value writes any value that a helper of rules makes; anything else, and what is nested too deep, becomes nil.
func (w *writer) value(value any, depth int) {
	if depth == 0 {
		w.byte(valueNil)
		return
	}
	switch value := value.(type) {
	case bool:
		if value {
			w.byte(valueTrue)
		} else {
			w.byte(valueFalse)
		}
	case string:
		w.byte(valueText)
		w.text(value)
	case float64:
		w.byte(valueFloat)
		w.float(value)
	case int:
		w.byte(valueInt)
		w.varint(int64(value))
	case []string:
		w.byte(valueTexts)
		w.uvarint(uint64(len(value)))
		for _, text := range value {
			w.text(text)
		}
	case map[string]string:
		w.byte(valueTextMap)
		w.texts(value)
	case []any:
		w.byte(valueList)
		w.uvarint(uint64(len(value)))
		for _, element := range value {
			w.value(element, depth-1)
		}
	case map[string]any:
		w.byte(valueMap)
		w.values(value, depth-1)
	default:
		w.byte(valueNil)
	}
}

func (w *writer) values(values map[string]any, depth int) {
	w.uvarint(uint64(len(values)))
	for key, value := range values {
		w.text(key)
		w.value(value, depth)
	}
}

func (w *writer) rules(rules MatchedRules) {
	w.uvarint(uint64(len(rules)))
	for _, rule := range rules {
		w.values(rule, maxDepth)
	}
}

func (r *reader) value(depth int) any {
	if depth == 0 && r.rest != "" && r.rest[0] >= valueTexts {
		r.fail("nested too deep")
	}
	switch r.byte() {
	case valueNil:
		return nil
	case valueFalse:
		return false
	case valueTrue:
		return true
	case valueText:
		return r.text()
	case valueFloat:
		return r.float()
	case valueInt:
		return int(r.varint())
	case valueTexts:
		return list(r, r.text)
	case valueTextMap:
		return r.texts()
	case valueList:
		return list(r, func() any { return r.value(depth - 1) })
	case valueMap:
		return r.values(depth - 1)
	}
	r.fail("value of no known type")
	return nil
}

func (r *reader) values(depth int) map[string]any {
	values := map[string]any{}
	for range r.count() {
		key := r.text()
		values[key] = r.value(depth)
	}
	return values
}

func (r *reader) rules() MatchedRules {
	return list(r, func() map[string]any { return r.values(maxDepth) })
}

// list grows with what is there, whatever length is claimed.
func list[E any](r *reader, element func() E) []E {
	elements := []E{}
	for range r.count() {
		elements = append(elements, element())
	}
	return elements
}

// An overflow is rare, and holds what the network knows: it is written as its types are, whatever fields they
// have one day. Values that its parts share are shared afterwards too.

func (w *writer) overflow(overflow *RuntimeAlert) {
	w.pointers = map[any]uint64{}
	w.reflected(reflect.ValueOf(overflow).Elem())
}

func (r *reader) overflow(into *RuntimeAlert) {
	r.reflected(reflect.ValueOf(into).Elem())
}

func (w *writer) reflected(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // a test fills every field that there is
	case reflect.String:
		w.text(v.String())
	case reflect.Bool:
		w.bool(v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		w.varint(v.Int())
	case reflect.Float32, reflect.Float64:
		w.float(v.Float())
	case reflect.Struct:
		for i := range v.NumField() {
			w.reflected(v.Field(i))
		}
	case reflect.Pointer:
		w.pointer(v)
	case reflect.Slice:
		if w.lengthOf(v) {
			for i := range v.Len() {
				w.reflected(v.Index(i))
			}
		}
	case reflect.Map:
		if w.lengthOf(v) {
			for entries := v.MapRange(); entries.Next(); {
				w.reflected(entries.Key())
				w.reflected(entries.Value())
			}
		}
	}
}

// pointer writes 0 for nil, 1 before something new, and otherwise which of the pointers before it is.
func (w *writer) pointer(v reflect.Value) {
	if v.IsNil() {
		w.uvarint(0)
		return
	}
	if number, known := w.pointers[v.Interface()]; known {
		w.uvarint(number)
		return
	}
	w.uvarint(1)
	w.pointers[v.Interface()] = uint64(len(w.pointers)) + 2
	w.reflected(v.Elem())
}

// lengthOf writes 0 for nil, otherwise a number above the length.
func (w *writer) lengthOf(v reflect.Value) bool {
	if v.IsNil() {
		w.uvarint(0)
		return false
	}
	w.uvarint(uint64(v.Len()) + 1) //nolint:gosec // never negative
	return true
}

func (r *reader) reflected(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // as above
	case reflect.String:
		v.SetString(r.text())
	case reflect.Bool:
		v.SetBool(r.bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(r.varint())
	case reflect.Float32, reflect.Float64:
		v.SetFloat(r.float())
	case reflect.Struct:
		for i := range v.NumField() {
			r.reflected(v.Field(i))
		}
	case reflect.Pointer:
		r.pointer(v)
	case reflect.Slice:
		r.slice(v)
	case reflect.Map:
		r.mapping(v)
	}
}

func (r *reader) pointer(v reflect.Value) {
	switch number := r.uvarint(); {
	case number == 0:
	case number == 1:
		v.Set(reflect.New(v.Type().Elem()))
		r.pointers = append(r.pointers, v.Interface())
		r.reflected(v.Elem())
	case number-2 < uint64(len(r.pointers)) && reflect.TypeOf(r.pointers[number-2]) == v.Type():
		v.Set(reflect.ValueOf(r.pointers[number-2]))
	default:
		r.fail("pointer to nothing")
	}
}

// length undoes lengthOf.
func (r *reader) length() (length uint64, exists bool) {
	number := r.uvarint()
	if number > uint64(len(r.rest))+1 {
		r.fail(endsEarly)
		return 0, false
	}
	return max(number, 1) - 1, number > 0
}

func (r *reader) slice(v reflect.Value) {
	length, exists := r.length()
	if exists {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	element := reflect.New(v.Type().Elem()).Elem()
	for i := uint64(0); i < length && r.err == nil; i++ {
		element.SetZero()
		r.reflected(element)
		v.Set(reflect.Append(v, element))
	}
}

func (r *reader) mapping(v reflect.Value) {
	length, exists := r.length()
	if exists {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for i := uint64(0); i < length && r.err == nil; i++ {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		r.reflected(key)
		r.reflected(value)
		v.SetMapIndex(key, value)
	}
}
