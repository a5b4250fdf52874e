package expression

import (
	"fmt"
	"reflect"

	"github.com/expr-lang/expr"
)

// helper is one function that expressions may call.
type helper struct {
	name   string
	call   func(args ...any) (any, error)
	types  []any // what calls are checked against
	typed  any   // the Go function itself; nil: it can only be called with values that are checked at run time
	effect effect
}

// effect says what calling a helper does beside yielding a value.
type effect int

const (
	acts  effect = iota // it changes something
	reads               // it looks at what may change, or tells the log
	pure                // nothing: the same arguments always yield the same
)

func withEffect(kind effect, groups ...[]helper) []helper {
	var tagged []helper
	for _, group := range groups {
		for _, h := range group {
			h.effect = kind
			tagged = append(tagged, h)
		}
	}
	return tagged
}

func (h *helper) option() expr.Option { return expr.Function(h.name, h.call, h.types...) }

// The functions below turn Go functions into typed helpers: ofN cannot fail, tryN can, doN yields nil when it
// succeeds. The Go signature is what expressions are checked against; what is only known at run time is checked
// then.

func newHelper(name string, call func(...any) (any, error), f any) helper {
	return helper{name: name, call: call, types: []any{f}, typed: f}
}

func typedAs(f any, h helper) helper {
	h.typed = f
	return h
}

func of1[A, R any](name string, f func(A) R) helper {
	return typedAs(f, try1(name, func(a A) (R, error) { return f(a), nil }))
}

func of2[A, B, R any](name string, f func(A, B) R) helper {
	return typedAs(f, try2(name, func(a A, b B) (R, error) { return f(a, b), nil }))
}

func of3[A, B, C, R any](name string, f func(A, B, C) R) helper {
	return typedAs(f, try3(name, func(a A, b B, c C) (R, error) { return f(a, b, c), nil }))
}

func do3[A, B, C any](name string, f func(A, B, C) error) helper {
	return typedAs(f, try3(name, func(a A, b B, c C) (error, error) { return nil, f(a, b, c) }))
}

func do4[A, B, C, D any](name string, f func(A, B, C, D) error) helper {
	return typedAs(f, try4(name, func(a A, b B, c C, d D) (error, error) { return nil, f(a, b, c, d) }))
}

func try0[R any](name string, f func() (R, error)) helper {
	return newHelper(name, func(...any) (any, error) { return f() }, f)
}

func try1[A, R any](name string, f func(A) (R, error)) helper {
	return newHelper(name, func(args ...any) (any, error) {
		a, err := argument[A](name, args, 0)
		if err != nil {
			return nil, err
		}
		return f(a)
	}, f)
}

func try2[A, B, R any](name string, f func(A, B) (R, error)) helper {
	return newHelper(name, func(args ...any) (any, error) {
		a, err := argument[A](name, args, 0)
		if err != nil {
			return nil, err
		}
		b, err := argument[B](name, args, 1)
		if err != nil {
			return nil, err
		}
		return f(a, b)
	}, f)
}

func try3[A, B, C, R any](name string, f func(A, B, C) (R, error)) helper {
	return newHelper(name, func(args ...any) (any, error) {
		a, err := argument[A](name, args, 0)
		if err != nil {
			return nil, err
		}
		b, err := argument[B](name, args, 1)
		if err != nil {
			return nil, err
		}
		c, err := argument[C](name, args, 2)
		if err != nil {
			return nil, err
		}
		return f(a, b, c)
	}, f)
}

func try4[A, B, C, D, R any](name string, f func(A, B, C, D) (R, error)) helper {
	return newHelper(name, func(args ...any) (any, error) {
		a, err := argument[A](name, args, 0)
		if err != nil {
			return nil, err
		}
		b, err := argument[B](name, args, 1)
		if err != nil {
			return nil, err
		}
		c, err := argument[C](name, args, 2)
		if err != nil {
			return nil, err
		}
		d, err := argument[D](name, args, 3)
		if err != nil {
			return nil, err
		}
		return f(a, b, c, d)
	}, f)
}

// ofRest is for helpers that take any number of any values. They must not keep the slice: it is reused.
func ofRest[R any](name string, f func(...any) R) helper {
	return newHelper(name, func(args ...any) (any, error) { return f(args...), nil }, f)
}

// tryRest is for helpers that take a text and any number of values of one type.
func tryRest[T, R any](name string, f func(string, ...T) (R, error)) helper {
	return newHelper(name, func(args ...any) (any, error) {
		first, err := argument[string](name, args, 0)
		if err != nil {
			return nil, err
		}
		rest := make([]T, 0, len(args)-1)
		for i := 1; i < len(args); i++ {
			value, err := argument[T](name, args, i)
			if err != nil {
				return nil, err
			}
			rest = append(rest, value)
		}
		return f(first, rest...)
	}, f)
}

func argument[T any](name string, args []any, i int) (T, error) {
	value, ok := args[i].(T)
	if ok || args[i] == nil && takesNil[T]() {
		return value, nil
	}
	return value, fmt.Errorf("%s: argument %d is %T, want %v", name, i+1, args[i], reflect.TypeFor[T]())
}

func takesNil[T any]() bool {
	kind := reflect.TypeFor[T]().Kind()
	return kind == reflect.Interface || kind == reflect.Pointer
}
