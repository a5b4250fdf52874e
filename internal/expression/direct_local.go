package expression

import (
	"net/netip"

	"github.com/expr-lang/expr/ast"
)

// locals are the values of let variables and of the elements that predicates look at.
type locals struct {
	texts  [localsOfKind]string
	flags  [localsOfKind]bool
	wholes [localsOfKind]int
	values [localsOfKind]any
	memo   *memo // nil: nothing is remembered

	addressText string // what was read as an address last; "": nothing
	addressRead netip.Addr
	isAddress   bool
}

// address reads an address, once if it is asked for again.
func (l *locals) address(text string) (netip.Addr, bool) {
	if l == nil {
		return parseAddr(text)
	}
	if text != l.addressText || text == "" {
		l.addressRead, l.isAddress = parseAddr(text)
		l.addressText = text
	}
	return l.addressRead, l.isAddress
}

const localsOfKind = 6

// taken counts the locals of an expression.
type taken struct{ texts, flags, wholes, values int }

func textsOf(l *locals) *[localsOfKind]string { return &l.texts }
func flagsOf(l *locals) *[localsOfKind]bool   { return &l.flags }
func wholesOf(l *locals) *[localsOfKind]int   { return &l.wholes }
func valuesOf(l *locals) *[localsOfKind]any   { return &l.values }

// local takes one of the locals of a kind; ok is false when there are no more.
func local[T any](used *int, of func(*locals) *[localsOfKind]T) (get func(any, *locals) T, set func(*locals, T), ok bool) {
	i := *used
	if i == localsOfKind {
		return nil, nil, false
	}
	*used++
	return func(_ any, l *locals) T { return of(l)[i] }, func(l *locals, value T) { of(l)[i] = value }, true
}

// let computes a variable once, before what it is for.
func (d *director) let(node *ast.VariableDeclaratorNode) form {
	value := d.form(node.Value)
	read, compute := d.variable(&value)
	if compute == nil {
		return form{}
	}
	d.variables = append(d.variables, variable{name: node.Name, form: read})
	body := d.form(node.Expr)
	d.variables = d.variables[:len(d.variables)-1]
	return body.after(&declaration{compute}, value.safe)
}

// variable returns a form that reads a local, and what computes it; nil when that cannot be.
func (d *director) variable(value *form) (read form, compute func(env any, l *locals)) {
	read = form{subject: value.subject, isLocal: true, safe: true}
	switch {
	case value.text != nil:
		read.text, compute = declared(&d.used.texts, textsOf, value.text)
	case value.flag != nil:
		read.flag, compute = declared(&d.used.flags, flagsOf, value.flag)
	case value.whole != nil:
		read.whole, compute = declared(&d.used.wholes, wholesOf, value.whole)
	case value.value != nil:
		read.value, compute = declared(&d.used.values, valuesOf, value.value)
	}
	return read, compute
}

func declared[T any](used *int, of func(*locals) *[localsOfKind]T, value func(any, *locals) T) (func(any, *locals) T, func(any, *locals)) {
	get, set, ok := local(used, of)
	if !ok {
		return nil, nil
	}
	return get, func(env any, l *locals) { set(l, value(env, l)) }
}

// after returns f with a variable computed before it.
func (f form) after(let *declaration, safe bool) form {
	g := form{safe: f.safe && safe}
	if safe {
		g.ahead.facts, g.ahead.all = f.ahead.facts, let.below(f.conjuncts())
	}
	set := let.compute
	switch {
	case f.text != nil:
		g.text = following(set, f.text)
	case f.flag != nil:
		g.flag = following(set, f.flag)
	case f.whole != nil:
		g.whole = following(set, f.whole)
	case f.real != nil:
		g.real = following(set, f.real)
	case f.value != nil:
		g.value = following(set, f.value)
	case f.texts != nil:
		g.texts = following(set, f.texts)
	}
	return g
}

func following[T any](set func(any, *locals), get func(any, *locals) T) func(any, *locals) T {
	return func(env any, l *locals) T {
		set(env, l)
		return get(env, l)
	}
}
