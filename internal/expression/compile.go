package expression

import (
	"errors"
	"reflect"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"shieldwall/internal/domain/fault"
)

// source is what is compiled: a text, the environment that it is checked against and the kind of its result,
// reflect.Invalid for any.
type source struct {
	text string
	env  any
	want reflect.Kind
}

// sourceKey tells sources apart.
type sourceKey struct {
	text string
	env  reflect.Type
	want reflect.Kind
}

// dialect checks expressions against one type of environment. Setting it up costs as much as many expressions.
type dialect struct {
	mu       sync.Mutex // the configuration remembers types
	config   *conf.Config
	subjects map[string]*subject // guarded by mu
}

func (l *Library) newDialect(env any) *dialect {
	config := conf.CreateNew()
	for _, option := range l.Options() {
		option(config)
	}
	expr.Env(env)(config)
	expr.AsAny()(config)
	return &dialect{config: config, subjects: map[string]*subject{}}
}

// dialect returns the dialect of an environment. That of a map depends on what is in it, so it is not kept.
func (l *Library) dialect(env any) *dialect {
	kept, isKept := typeOfEnv(env)
	if !isKept {
		return l.newDialect(env)
	}
	l.compiling.Lock()
	defer l.compiling.Unlock()
	if l.dialects[kept] == nil {
		l.dialects[kept] = l.newDialect(env)
	}
	return l.dialects[kept]
}

// typeOfEnv reports whether the type of an environment says all about it.
func typeOfEnv(env any) (reflect.Type, bool) {
	if env == nil {
		return nil, false
	}
	of := reflect.TypeOf(env)
	return of, of.Kind() == reflect.Struct || of.Kind() == reflect.Pointer && of.Elem().Kind() == reflect.Struct
}

// compileOnce returns what the same source was compiled to before, or compiles it: items of the hub repeat each
// other a lot.
func compileOnce[P any](l *Library, from source, finish func(*compiled) *P) (*P, error) {
	env, isKept := typeOfEnv(from.env)
	key := sourceKey{text: from.text, env: env, want: from.want}
	if isKept {
		if known, ok := l.programs.Get(key); ok {
			if program, ok := known.(*P); ok {
				return program, nil
			}
		}
	}
	result, err := l.compile(from)
	if err != nil {
		return nil, fault.Mark(fault.Invalid, inOneLine(err))
	}
	program := finish(result)
	if isKept {
		l.programs.Put(key, program)
	}
	return program, nil
}

// compiled is a checked expression: its short form, if it has one, and how it runs on the machine.
type compiled struct {
	program program
	form    form
	locals  *sync.Pool         // nil: the form needs none
	ready   func(env any) bool // for such environments it cannot go wrong; nil: it can
	acts    bool               // evaluating it may change something
}

// compile leaves out the code for the machine when there is a short form: it is made when it is needed.
func (l *Library) compile(from source) (*compiled, error) {
	d := l.dialect(from.env)
	d.mu.Lock()
	defer d.mu.Unlock()
	tree, err := d.check(from)
	if err != nil {
		return nil, err
	}
	result := &compiled{program: program{machines: &l.machines}, acts: true}
	members, ok := from.env.(Direct)
	if ok {
		result.program.settle = members.Settle
	}
	if ok && !l.plain {
		director := director{members: members, helpers: l.byName, data: l.data, dialect: d}
		result.form = director.form(tree.Node)
		result.acts = director.acts || result.form.isNone()
		if director.used != (taken{}) {
			result.locals = &l.locals
		}
		if result.form.safe && !director.calls {
			result.ready = members.Ready
		}
	}
	if result.form.yields(from.want) {
		result.program.isDirect = true
		result.program.code = sync.OnceValues(func() (*vm.Program, error) { return d.code(from) })
		return result, nil
	}
	code, err := compiler.Compile(tree, d.config)
	if err != nil {
		return nil, err
	}
	result.program.code = func() (*vm.Program, error) { return code, nil }
	return result, nil
}

// code compiles a source that has been checked before.
func (d *dialect) code(from source) (*vm.Program, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tree, err := d.check(from)
	if err != nil {
		return nil, err
	}
	return compiler.Compile(tree, d.config)
}

// check returns the optimised tree, from which expr makes code for the machine.
func (d *dialect) check(from source) (*parser.Tree, error) {
	d.config.Expect = from.want
	tree, err := checker.ParseCheck(from.text, d.config)
	if err != nil {
		return nil, err
	}
	if err := optimizer.Optimize(&tree.Node, d.config); err != nil {
		if located, ok := errors.AsType[*file.Error](err); ok {
			return nil, located.Bind(tree.Source)
		}
		return nil, err
	}
	return tree, nil
}
