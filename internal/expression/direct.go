package expression

import (
	"errors"
	"reflect"

	"github.com/expr-lang/expr/ast"

	"shieldwall/internal/expression/datafile"
)

// Direct is what a type of environment implements whose expressions shall run as Go functions. Environments
// without it work too, more slowly.
type Direct interface {
	// Direct returns how the member at path, such as evt, Meta, service, is read or called; nil when it is not
	// known. What it returns is a func(env any) string, bool, int, any or map[string]any that yields what reflection
	// would; Texts for a map[string]string; a func(env any) (string, bool) or (bool, bool) for a member that may not be
	// there; or, of a method, one of these or a func(env any, argument string) string. None of them changes
	// anything, and only the last two may go wrong for an environment that is Ready.
	Direct(path []string) any
	// Ready reports whether env has all its variables.
	Ready(env any) bool
	// Settle prepares env for reflection, which reads it next.
	Settle(env any)
}

// Texts is a map of texts that need not be a map.
type Texts interface {
	// All returns the map.
	All(env any) map[string]string
	// Has reports whether the map has a key.
	Has(env any, key string) bool
}

// A form is a piece of an expression as a Go function of its static type: one of the functions is set, or none
// when there is no short form. Where evaluating goes wrong, the function panics and the machine is asked to say it
// in its own words.
type form struct {
	text   func(env any, l *locals) string
	flag   func(env any, l *locals) bool
	whole  func(env any, l *locals) int
	real   func(env any, l *locals) float64
	texts  func(env any, l *locals) []string
	value  func(env any, l *locals) any // known at run time only
	fields Texts
	things func(env any, l *locals) map[string]any

	constant any      // the value, when it is always the same
	isNil    bool     // it is the constant nil
	subject  *subject // of a text that nothing but the environment decides
	isLocal  bool     // locals decide it
	safe     bool     // it cannot go wrong and changes nothing
	ahead    ahead    // of a flag, even of one that has no function
}

// ahead is what can be said of a condition before it is evaluated.
type ahead struct {
	// guard is a flag: if it is false, so is the condition, and evaluating it does nothing else. nil is true.
	guard func(env any, l *locals) bool
	facts facts
	exact bool       // it is true exactly if its only clause is
	all   []conjunct // of a && b && c; nil: it is one by itself
}

// errUnfit leaves the short form. Nothing sees it but the recover at the top.
var errUnfit = errors.New("not the usual case")

func unfit() { panic(errUnfit) }

// director turns checked trees into forms.
type director struct {
	members Direct
	helpers map[string]*helper
	data    *datafile.Set
	dialect *dialect

	variables []variable // let, innermost last
	elements  []form     // of predicates, innermost last
	used      taken
	touched   bool // an element was asked for
	calls     bool // something is called, which may have mistakes
	acts      bool // something is called that changes something
}

type variable struct {
	name string
	form form
}

func (d *director) form(node ast.Node) form {
	switch node := node.(type) {
	case *ast.StringNode:
		return constantText(node.Value)
	case *ast.IntegerNode:
		return constantWhole(node.Value, node.Type())
	case *ast.FloatNode:
		return constantReal(node.Value, node.Type())
	case *ast.BoolNode:
		return constantFlag(node.Value)
	case *ast.NilNode:
		return form{value: always[any](nil), isNil: true, safe: true}
	case *ast.IdentifierNode:
		return d.identifier(node)
	case *ast.MemberNode:
		return d.member(node)
	case *ast.ChainNode:
		return d.chain(node)
	case *ast.PointerNode:
		return d.element(node)
	case *ast.SliceNode:
		return d.slice(node)
	case *ast.UnaryNode:
		return d.unary(node)
	case *ast.BinaryNode:
		return d.binary(node)
	case *ast.ConditionalNode:
		return d.conditional(node)
	case *ast.VariableDeclaratorNode:
		return d.let(node)
	case *ast.CallNode:
		return d.call(node)
	case *ast.BuiltinNode:
		return d.builtin(node)
	}
	return form{}
}

func (d *director) forms(nodes []ast.Node) []form {
	forms := make([]form, len(nodes))
	for i, node := range nodes {
		forms[i] = d.form(node)
	}
	return forms
}

// member returns how the member of the environment is read that the form is, nil when it is something else.
func (f *form) member() func(env any) string {
	if f.subject == nil || f.isLocal {
		return nil
	}
	return f.subject.member
}

func (f *form) isNone() bool {
	return f.text == nil && f.flag == nil && f.whole == nil && f.real == nil && f.texts == nil && f.value == nil &&
		f.fields == nil && f.things == nil
}

// asText takes what is known at run time only for a text; unfit when it is none.
func (f *form) asText() func(any, *locals) string {
	value := f.value
	if f.text != nil || value == nil {
		return f.text
	}
	return func(env any, l *locals) string {
		text, ok := value(env, l).(string)
		if !ok {
			unfit()
		}
		return text
	}
}

// asFlag is asText for booleans.
func (f *form) asFlag() func(any, *locals) bool {
	value := f.value
	if f.flag != nil || value == nil {
		return f.flag
	}
	return func(env any, l *locals) bool {
		flag, ok := value(env, l).(bool)
		if !ok {
			unfit()
		}
		return flag
	}
}

// asReal takes whole numbers too.
func (f *form) asReal() func(any, *locals) float64 {
	whole := f.whole
	if f.real != nil || whole == nil {
		return f.real
	}
	return func(env any, l *locals) float64 { return float64(whole(env, l)) }
}

// asValue boxes whatever it is.
func (f *form) asValue() func(any, *locals) any {
	switch {
	case f.constant != nil:
		return always(f.constant)
	case f.value != nil:
		return f.value
	case f.text != nil:
		return boxed(f.text)
	case f.flag != nil:
		return boxed(f.flag)
	case f.whole != nil:
		return boxed(f.whole)
	case f.real != nil:
		return boxed(f.real)
	case f.texts != nil:
		return boxed(f.texts)
	case f.fields != nil:
		return boxed(ofEnv(f.fields.All))
	case f.things != nil:
		return boxed(f.things)
	}
	return nil
}

func boxed[T any](get func(any, *locals) T) func(any, *locals) any {
	return func(env any, l *locals) any { return get(env, l) }
}

// boolean is asFlag for a whole expression: there, nil is false.
func (f *form) boolean() func(any, *locals) bool {
	value := f.value
	if f.flag != nil || value == nil {
		return f.flag
	}
	return func(env any, l *locals) bool {
		result := value(env, l)
		flag, ok := result.(bool)
		if !ok && result != nil {
			unfit()
		}
		return flag
	}
}

// yields reports whether a whole expression that has to yield a kind, Invalid for any, has a short form.
func (f *form) yields(kind reflect.Kind) bool {
	switch kind { //nolint:exhaustive // no others are asked for
	case reflect.Bool:
		return f.boolean() != nil
	case reflect.String:
		return f.asText() != nil
	}
	return !f.isNone()
}
