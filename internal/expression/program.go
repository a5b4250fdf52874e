package expression

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// Bool is a compiled expression that yields a boolean. It is safe for concurrent use.
type Bool struct {
	program
	direct shortcut[bool]
	guard  shortcut[bool] // false where the expression is; nil when there is the direct one
	facts  facts
	parts  []conjunct // what it is true of is true of all; empty: all of it has to be evaluated
	acts   bool       // evaluating it may change something
}

// String is a compiled expression that yields a text. It is safe for concurrent use.
type String struct {
	program
	direct shortcut[string]
	member func(env any) string // it is nothing but this member of ready environments; nil: it is more
}

// Any is a compiled expression that yields anything. It is safe for concurrent use.
type Any struct {
	program
	direct shortcut[any]
	text   *String // nil: that it is a text is not known before it is evaluated
}

// CompileBool compiles text against env, a struct, pointer or map whose members are the variables. What is
// known not to be a boolean is refused; what turns out not to be one is an error of Eval, but nil is false.
// Errors are of kind fault.Invalid.
func (l *Library) CompileBool(text string, env any) (*Bool, error) {
	return compileOnce(l, source{text, env, reflect.Bool}, func(c *compiled) *Bool {
		result := &Bool{
			program: c.program, direct: shortcut[bool]{run: c.form.boolean(), locals: c.locals, ready: c.readyIf(c.form.flag != nil)},
			guard: shortcut[bool]{run: c.form.ahead.guard, locals: c.locals}, facts: c.form.ahead.facts, acts: c.acts,
		}
		if c.form.flag != nil && !c.acts {
			result.parts = c.form.conjuncts()
		}
		return result
	})
}

// CompileString is CompileBool for expressions that yield a text.
func (l *Library) CompileString(text string, env any) (*String, error) {
	return compileOnce(l, source{text, env, reflect.String}, (*compiled).string)
}

// CompileAny is CompileBool for expressions that may yield anything.
func (l *Library) CompileAny(text string, env any) (*Any, error) {
	return compileOnce(l, source{text, env, reflect.Invalid}, func(c *compiled) *Any {
		result := &Any{program: c.program, direct: shortcut[any]{run: c.form.asValue(), locals: c.locals, ready: c.ready}}
		if c.form.text != nil {
			result.text = c.string()
		}
		return result
	})
}

// readyIf leaves out what is a text or a flag only if it turns out to be one.
func (c *compiled) readyIf(typed bool) func(env any) bool {
	if !typed {
		return nil
	}
	return c.ready
}

func (c *compiled) string() *String {
	result := &String{program: c.program, direct: shortcut[string]{run: c.form.asText(), locals: c.locals, ready: c.readyIf(c.form.text != nil)}}
	if of := c.form.subject; of != nil && result.direct.ready != nil {
		result.member = of.member
	}
	return result
}

// Acts reports whether evaluating the expression may change something.
func (b *Bool) Acts() bool { return b.acts }

// Eval runs the expression over env, which has the type that it was compiled with.
func (b *Bool) Eval(env any) (bool, error) {
	if result, done := b.direct.eval(env); done {
		return result, nil
	}
	if open, done := b.guard.eval(env); done && !open {
		return false, nil
	}
	return evalAs[bool](&b.program, env)
}

// Eval runs the expression over env, which has the type that it was compiled with.
func (s *String) Eval(env any) (string, error) {
	if s.member != nil && s.direct.ready(env) {
		return s.member(env), nil
	}
	if result, done := s.direct.eval(env); done {
		return result, nil
	}
	return evalAs[string](&s.program, env)
}

// Eval runs the expression over env, which has the type that it was compiled with.
func (a *Any) Eval(env any) (any, error) {
	if result, done := a.direct.eval(env); done {
		return result, nil
	}
	return a.run(env)
}

// AsString returns the same expression as one that yields a text, nil when that it does is not known before it is
// evaluated. Its Eval spares making an interface value of the text.
func (a *Any) AsString() *String { return a.text }

// shortcut is an expression as a Go function.
type shortcut[T any] struct {
	run    func(env any, l *locals) T // nil: there is none
	locals *sync.Pool                 // nil: it needs none
	ready  func(env any) bool         // for such environments it cannot go wrong; nil: it can
}

// eval reports false where the machine has to be asked.
func (s *shortcut[T]) eval(env any) (result T, done bool) {
	switch {
	case s.run == nil:
		return result, false
	case s.locals == nil && s.ready != nil && s.ready(env):
		return s.run(env, nil), true
	}
	return s.evalWithCare(env)
}

func (s *shortcut[T]) evalWithCare(env any) (result T, done bool) {
	// Whatever went wrong goes wrong on the machine too, which says what it was.
	defer func() {
		if recover() != nil {
			done = false
		}
	}()
	if s.locals == nil {
		return s.run(env, nil), true
	}
	kept, ok := s.locals.Get().(*locals)
	if !ok {
		kept = new(locals)
	}
	result = s.run(env, kept)
	*kept = locals{} // texts of the event must not be kept
	s.locals.Put(kept)
	return result, true
}

// program is how an expression runs on the machine of expr.
type program struct {
	code     func() (*vm.Program, error)
	machines *sync.Pool
	settle   func(env any) // prepares env for the machine; nil: it is as it is
	isDirect bool
}

// IsDirect reports whether the expression runs as Go functions rather than on the machine.
func (p *program) IsDirect() bool { return p.isDirect }

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
	code, err := p.code()
	if err != nil {
		return nil, inOneLine(err)
	}
	if p.settle != nil {
		p.settle(env)
	}
	machine, ok := p.machines.Get().(*vm.VM)
	if !ok {
		machine = new(vm.VM)
	}
	result, err = machine.Run(code, env)
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
