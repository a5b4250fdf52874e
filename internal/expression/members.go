package expression

import (
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Members returns which members of items of a struct type an expression can read: paths of one or two names,
// as in item.Time and item.Meta.user, wherever in its variables the items are, in lists too. known is false
// when it cannot be told: an item is compared, handed to a function, or asked for a member whose name is not
// fixed. Items must reach the expression through variables whose static types show them.
func (p *program) Members(item reflect.Type) (paths [][]string, known bool) {
	code, err := p.code()
	if err != nil {
		return nil, false
	}
	t := tracer{item: item, variables: map[string]trace{}}
	t.read(t.follow(code.Node()))
	return t.paths, !t.lost
}

// maxPath is how many names a path has at most.
const maxPath = 2

// trace is what a part of an expression can lead to: an item or a member of it, something that holds items, or
// neither.
type trace struct {
	item  bool
	path  []string // from the item
	holds bool
	shape reflect.Type // of what holds items, nil when it is not known
}

func (t trace) plain() bool { return !t.item && !t.holds }

// tracer follows an expression like a machine that knows types instead of values.
type tracer struct {
	item      reflect.Type
	variables map[string]trace
	elements  []trace // what "#" stands for, innermost last
	paths     [][]string
	lost      bool
}

// read notes that the value of a trace is looked at.
func (t *tracer) read(of trace) {
	switch {
	case of.plain():
	case of.holds || len(of.path) == 0:
		t.lost = true
	case !slices.ContainsFunc(t.paths, func(known []string) bool { return slices.Equal(known, of.path) }):
		t.paths = append(t.paths, of.path)
	}
}

func (t *tracer) readAll(nodes ...ast.Node) trace {
	for _, node := range nodes {
		t.read(t.follow(node))
	}
	return trace{}
}

// follow returns where a node leads, and notes what is looked at on the way.
func (t *tracer) follow(node ast.Node) trace {
	switch node := node.(type) {
	case nil, *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.BytesNode, *ast.ConstantNode:
		return trace{}
	case *ast.IdentifierNode:
		return t.identifier(node)
	case *ast.MemberNode:
		return t.member(node)
	case *ast.ChainNode:
		return t.follow(node.Node)
	case *ast.SliceNode:
		t.readAll(node.From, node.To)
		return t.list(t.follow(node.Node))
	case *ast.UnaryNode:
		return t.readAll(node.Node)
	case *ast.BinaryNode:
		return t.binary(node)
	case *ast.CallNode:
		return t.call(node)
	case *ast.BuiltinNode:
		return t.builtin(node)
	case *ast.PredicateNode:
		return t.follow(node.Node)
	case *ast.PointerNode:
		return t.pointer(node)
	case *ast.ConditionalNode:
		t.readAll(node.Cond)
		return t.either(t.follow(node.Exp1), t.follow(node.Exp2))
	case *ast.VariableDeclaratorNode:
		return t.declaration(node)
	case *ast.SequenceNode:
		t.readAll(node.Nodes[:len(node.Nodes)-1]...)
		return t.follow(node.Nodes[len(node.Nodes)-1])
	case *ast.ArrayNode:
		return t.literal(node.Nodes)
	case *ast.MapNode:
		return t.literal(node.Pairs)
	case *ast.PairNode:
		t.readAll(node.Key)
		return t.follow(node.Value)
	}
	t.lost = true
	return trace{}
}

// of returns where a value of a static type leads.
func (t *tracer) of(shape reflect.Type) trace {
	switch {
	case shape == nil:
		return trace{}
	case shape == t.item || shape == reflect.PointerTo(t.item):
		return trace{item: true}
	case t.within(shape, nil):
		return trace{holds: true, shape: shape}
	}
	return trace{}
}

// within reports whether a value of a type can hold items.
func (t *tracer) within(shape reflect.Type, above []reflect.Type) bool {
	if shape == t.item {
		return true
	}
	if slices.Contains(above, shape) {
		return false
	}
	above = append(above, shape)
	switch shape.Kind() { //nolint:exhaustive // the others hold nothing
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return t.within(shape.Elem(), above)
	case reflect.Struct:
		for i := range shape.NumField() {
			if t.within(shape.Field(i).Type, above) {
				return true
			}
		}
	}
	return false
}

func (t *tracer) identifier(node *ast.IdentifierNode) trace {
	if known, declared := t.variables[node.Value]; declared {
		return known
	}
	if node.Value == "$env" {
		return trace{holds: true}
	}
	return t.of(node.Type())
}

func (t *tracer) declaration(node *ast.VariableDeclaratorNode) trace {
	before, shadowed := t.variables[node.Name]
	t.variables[node.Name] = t.follow(node.Value)
	result := t.follow(node.Expr)
	delete(t.variables, node.Name)
	if shadowed {
		t.variables[node.Name] = before
	}
	return result
}

func (t *tracer) pointer(node *ast.PointerNode) trace {
	if node.Name != "" || len(t.elements) == 0 {
		return trace{} // an index, or what a reduction gathers: that reads its list
	}
	return t.elements[len(t.elements)-1]
}

func (t *tracer) member(node *ast.MemberNode) trace {
	base := t.follow(node.Node)
	name, fixed := node.Property.(*ast.StringNode)
	switch {
	case base.item && fixed:
		return base.below(name.Value)
	case base.holds && fixed:
		return t.named(base, name.Value)
	case base.holds:
		t.readAll(node.Property)
		return t.element(base)
	}
	t.read(base)
	return t.readAll(node.Property)
}

func (t trace) below(name string) trace {
	if len(t.path) < maxPath {
		t.path = append(slices.Clone(t.path), name)
	}
	return t
}

// named follows a name below what holds items.
func (t *tracer) named(base trace, name string) trace {
	if base.shape == nil {
		t.lost = t.lost || hasMember(t.item, name) // a key like any other, or an item after all
		return base
	}
	shape := base.shape
	if shape.Kind() == reflect.Pointer {
		shape = shape.Elem()
	}
	if shape.Kind() == reflect.Map {
		return t.of(shape.Elem())
	}
	if shape.Kind() == reflect.Struct {
		if field, ok := fieldNamed(shape, name); ok {
			return t.of(field.Type)
		}
	}
	t.lost = true
	return trace{}
}

// fieldNamed finds a field by the name that expressions have for it.
func fieldNamed(shape reflect.Type, name string) (reflect.StructField, bool) {
	for _, field := range reflect.VisibleFields(shape) {
		tag, _, _ := strings.Cut(field.Tag.Get("expr"), ",")
		if tag == name || tag == "" && field.Name == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

func hasMember(item reflect.Type, name string) bool {
	_, field := fieldNamed(item, name)
	_, method := reflect.PointerTo(item).MethodByName(name)
	return field || method
}

// element returns where an element of a list, or of a map, leads.
func (t *tracer) element(list trace) trace {
	if !list.holds {
		t.read(list)
		return trace{}
	}
	if list.shape == nil {
		return list
	}
	switch list.shape.Kind() { //nolint:exhaustive // the others have no elements
	case reflect.Slice, reflect.Array, reflect.Map:
		return t.of(list.shape.Elem())
	}
	t.lost = true
	return trace{}
}

// list returns where a part of a list leads. A member of an item is looked at: it may be a list itself.
func (t *tracer) list(base trace) trace {
	if base.holds {
		return base
	}
	t.read(base)
	return trace{}
}

// either returns where two alternatives lead.
func (t *tracer) either(a, b trace) trace {
	a, b = t.itemOrNothing(a), t.itemOrNothing(b)
	switch {
	case b.plain() || a.item && b.item:
		return a
	case a.plain():
		return b
	case a.holds && b.holds && a.shape == b.shape:
		return a
	}
	return trace{holds: true}
}

// itemOrNothing reads what is only a member of an item.
func (t *tracer) itemOrNothing(of trace) trace {
	if of.item && len(of.path) > 0 {
		t.read(of)
		return trace{}
	}
	return of
}

func (t *tracer) literal(nodes []ast.Node) trace {
	var all trace
	for _, node := range nodes {
		if one := t.itemOrNothing(t.follow(node)); !one.plain() {
			all = trace{holds: true}
		}
	}
	return all
}

func (t *tracer) binary(node *ast.BinaryNode) trace {
	left, right := t.follow(node.Left), t.follow(node.Right)
	switch {
	case node.Operator == "??":
		return t.either(left, right)
	case (node.Operator == "==" || node.Operator == "!=") && (isNilLiteral(node.Left) || isNilLiteral(node.Right)):
		t.itemOrNothing(left)
		t.itemOrNothing(right)
		return trace{}
	}
	t.read(left)
	t.read(right)
	return trace{}
}

func isNilLiteral(node ast.Node) bool {
	_, ok := node.(*ast.NilNode)
	return ok
}

// call follows a method to what it yields; a function that gets an item may read all of it.
func (t *tracer) call(node *ast.CallNode) trace {
	callee, isMember := node.Callee.(*ast.MemberNode)
	if !isMember {
		return t.readAll(node.Arguments...)
	}
	base := t.follow(callee.Node)
	name, fixed := callee.Property.(*ast.StringNode)
	t.readAll(node.Arguments...)
	switch {
	case base.plain():
		return trace{}
	case base.item && fixed:
		if len(base.path) == 0 {
			base = base.below(name.Value)
		}
		t.read(base)
		return trace{}
	case fixed && base.shape != nil:
		if method, ok := base.shape.MethodByName(name.Value); ok && method.Type.NumOut() > 0 {
			return t.of(method.Type.Out(0))
		}
	}
	t.lost = true
	return trace{}
}

func (t *tracer) builtin(node *ast.BuiltinNode) trace {
	if len(node.Arguments) == 0 {
		return trace{}
	}
	if len(node.Arguments) == 1 && node.Name != "first" && node.Name != "last" {
		return t.ofOne(node)
	}
	base := t.follow(node.Arguments[0])
	element := t.element(base)
	found := t.asked(node, element)
	switch node.Name {
	case "filter":
		if node.Map != nil {
			return t.listOf(found)
		}
		return t.list(base)
	case "map":
		return t.listOf(found)
	}
	t.read(found)
	switch node.Name {
	case "sortBy", "take":
		return t.list(base)
	case "find", "findLast", "first", "last", "get":
		return element
	case "groupBy":
		return groupsOf(base)
	case "all", "any", "none", "one", "count", "findIndex", "findLastIndex", "sum":
		return trace{}
	}
	t.read(base)
	return trace{}
}

// asked returns where what is asked of each element of a list leads; of a filter with a map, the map.
func (t *tracer) asked(node *ast.BuiltinNode, element trace) trace {
	t.elements = append(t.elements, element)
	var found trace
	for _, argument := range node.Arguments[1:] {
		found = t.either(found, t.follow(argument))
	}
	if node.Map != nil {
		found = t.itemOrNothing(t.follow(node.Map))
	}
	t.elements = t.elements[:len(t.elements)-1]
	return found
}

// ofOne follows what has a list as its only argument.
func (t *tracer) ofOne(node *ast.BuiltinNode) trace {
	base := t.follow(node.Arguments[0])
	switch {
	case base.holds && node.Name == "len":
		return trace{}
	case base.holds && (node.Name == "reverse" || node.Name == "uniq"):
		return base
	}
	t.read(base)
	return trace{}
}

func (t *tracer) listOf(element trace) trace {
	switch {
	case element.plain():
		return trace{}
	case element.item:
		return trace{holds: true, shape: reflect.SliceOf(t.item)}
	case element.shape != nil:
		return trace{holds: true, shape: reflect.SliceOf(element.shape)}
	}
	return element
}

func groupsOf(list trace) trace {
	if list.holds && list.shape != nil {
		list.shape = reflect.MapOf(reflect.TypeFor[any](), list.shape)
	}
	return list
}
