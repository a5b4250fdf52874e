package expression

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"shieldwall/internal/domain/fault"
)

// Bool is a compiled expression that yields a boolean. It is safe for concurrent use.
type Bool struct{ program }

// String is a compiled expression that yields a text. It is safe for concurrent use.
type String struct{ program }

// Any is a compiled expression that yields anything. It is safe for concurrent use.
type Any struct{ program }

// CompileBool compiles text against env, a struct, pointer or map whose members are the variables. What is
// known not to be a boolean is refused; what turns out not to be one is an error of Eval, but nil is false.
// Errors are of kind fault.Invalid.
func (l *Library) CompileBool(text string, env any) (*Bool, error) {
	compiled, err := l.compile(text, env, expr.AsBool())
	if err != nil {
		return nil, err
	}
	return &Bool{compiled}, nil
}

// CompileString is CompileBool for expressions that yield a text.
func (l *Library) CompileString(text string, env any) (*String, error) {
	compiled, err := l.compile(text, env, expr.AsKind(reflect.String))
	if err != nil {
		return nil, err
	}
	return &String{compiled}, nil
}

// CompileAny is CompileBool for expressions that may yield anything.
func (l *Library) CompileAny(text string, env any) (*Any, error) {
	compiled, err := l.compile(text, env, expr.AsAny())
	if err != nil {
		return nil, err
	}
	return &Any{compiled}, nil
}

// Eval runs the expression over env, which has the type that it was compiled with.
func (b *Bool) Eval(env any) (bool, error) { return evalAs[bool](&b.program, env) }

// Eval runs the expression over env, which has the type that it was compiled with.
func (s *String) Eval(env any) (string, error) { return evalAs[string](&s.program, env) }

// Eval runs the expression over env, which has the type that it was compiled with.
func (a *Any) Eval(env any) (any, error) { return a.run(env) }

type program struct {
	code     *vm.Program
	machines *sync.Pool
}

func (l *Library) compile(text string, env any, result expr.Option) (program, error) {
	code, err := expr.Compile(text, slices.Concat(l.options, []expr.Option{expr.Env(env), result})...)
	if err != nil {
		return program{}, fault.Mark(fault.Invalid, inOneLine(err))
	}
	return program{code: code, machines: &l.machines}, nil
}

func evalAs[T any](p *program, env any) (T, error) {
	result, err := p.run(env)
	if err != nil {
		var none T
		return none, err
	}
	typed, ok := result.(T)
	if !ok {
		return typed, fmt.Errorf("expression yields %T, want %T", result, typed)
	}
	return typed, nil
}

func (p *program) run(env any) (result any, err error) {
	defer func() {
		// The machine turns panics of helpers into errors; this is for panics of its own.
		if cause := recover(); cause != nil {
			result, err = nil, fmt.Errorf("evaluating expression: %v", cause)
		}
	}()
	machine, ok := p.machines.Get().(*vm.VM)
	if !ok {
		machine = new(vm.VM)
	}
	result, err = machine.Run(p.code, env)
	if err != nil {
		return nil, inOneLine(err) // the machine stopped half way: it is not used again
	}
	p.machines.Put(machine)
	return result, nil
}

// flatError is an error with another text.
type flatError struct {
	text  string
	cause error
}

func (e *flatError) Error() string { return e.text }

func (e *flatError) Unwrap() error { return e.cause }

// inOneLine leaves out the drawing of the source that expr adds, but keeps the position.
func inOneLine(err error) error {
	text := err.Error()
	if located, ok := errors.AsType[*file.Error](err); ok {
		text = located.Message
		if located.Line > 0 {
			text = fmt.Sprintf("%s (%d:%d)", strings.TrimSpace(text), located.Line, located.Column+1)
		}
	}
	return &flatError{text: strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(text), cause: err}
}
