package scenario

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// watch is a condition that has been rewritten so that a pour costs no look at all events of a bucket: what it
// asks of each event is asked once, when the event comes, and counted.
type watch struct {
	condition *expression.Bool   // over watchEnv
	quick     predicate          // the same; nil: there is none
	questions []*expression.Bool // over event.Env
}

// watchEnv is what a rewritten condition can name.
type watchEnv struct {
	Evt     *event.Event    `expr:"evt"`
	Watched *bucket.Watched `expr:"watched"`
}

// newWatch returns nil for a condition that has to see the whole queue.
func newWatch(condition string, library *expression.Library) (*watch, error) {
	rewritten, questions, ok := rewrite(condition)
	if !ok {
		return nil, nil //nolint:nilnil // nothing is wrong with it
	}
	w := &watch{quick: quickly(rewritten)}
	var err error
	if w.condition, err = library.CompileBool(rewritten.String(), watchEnv{}); err != nil {
		return nil, err
	}
	for _, question := range questions {
		compiled, err := library.CompileBool(question, event.Env{})
		if err != nil {
			return nil, err
		}
		w.questions = append(w.questions, compiled)
	}
	return w, nil
}

// holds evaluates the condition.
func (w *watch) holds(s *Scenario, state *bucket.State, latest bucket.Latest) bool {
	if w.quick != nil {
		if holds, ok := w.quick(state.Watched); ok {
			return holds
		}
	}
	return s.holds(w.condition, &watchEnv{Evt: latest.Event(), Watched: state.Watched})
}

// ask answers the questions about an event.
func (w *watch) ask(s *Scenario) func(env *event.Env) uint8 {
	return func(env *event.Env) uint8 {
		var answers uint8
		for i, question := range w.questions {
			yes, err := question.Eval(env)
			if err != nil {
				s.log.Warn("condition cannot be evaluated", "error", err)
			}
			if yes {
				answers |= 1 << i
			}
		}
		return answers
	}
}

// rewrite replaces what a condition does with the queue by calls of watched, and returns the questions that it
// asks of each event. It reports false when anything is left that needs the queue itself.
func rewrite(condition string) (rewritten ast.Node, questions []string, ok bool) {
	tree, err := parser.Parse(condition)
	if err != nil {
		return nil, nil, false
	}
	r := &rewriter{}
	for {
		declaration, is := tree.Node.(*ast.VariableDeclaratorNode)
		if !is || !r.inline(declaration) {
			break
		}
		tree.Node = declaration.Expr
	}
	ast.Walk(&tree.Node, r)
	if len(r.questions) > bucket.MaxQuestions || r.asksForBucket(tree.Node) {
		return nil, nil, false
	}
	return tree.Node, r.questions, true
}

type rewriter struct {
	questions []string
	lists     []list // let variables that stand for a part of the queue
}

// list is the events to which the answer to a question is yes.
type list struct {
	name     string
	question int
}

// everything stands for the whole queue where a question is meant.
const everything = -1

// inline takes the declaration of a list, whose uses are to be replaced.
func (r *rewriter) inline(declaration *ast.VariableDeclaratorNode) bool {
	question, ok := r.filtered(declaration.Value)
	if ok {
		r.lists = append(r.lists, list{declaration.Name, question})
	}
	return ok
}

// filtered returns the question of filter(queue.Queue, {question}), or of a variable that stands for it.
func (r *rewriter) filtered(node ast.Node) (question int, ok bool) {
	switch node := node.(type) {
	case *ast.IdentifierNode:
		if i := slices.IndexFunc(r.lists, func(l list) bool { return l.name == node.Value }); i >= 0 {
			return r.lists[i].question, true
		}
	case *ast.MemberNode:
		return everything, isQueue(node)
	case *ast.BuiltinNode:
		if node.Name == "filter" {
			return r.asked(node)
		}
	}
	return 0, false
}

// asked returns the number of the question that a predicate asks of each event of the queue.
func (r *rewriter) asked(node *ast.BuiltinNode) (question int, ok bool) {
	if len(node.Arguments) != 2 || !isQueue(node.Arguments[0]) {
		return 0, false
	}
	predicate, ok := node.Arguments[1].(*ast.PredicateNode)
	if !ok || !isSimple(predicate.Node) {
		return 0, false
	}
	asked := predicate.Node
	ast.Walk(&asked, elementsToEvents{})
	text := asked.String()
	if known := slices.Index(r.questions, text); known >= 0 {
		return known, true
	}
	r.questions = append(r.questions, text)
	return len(r.questions) - 1, true
}

// Visit satisfies ast.Visitor. Children come first.
func (r *rewriter) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		r.builtin(node, n)
	case *ast.SliceNode:
		if from, negative := constant(n.From); negative && n.To == nil {
			r.replace(node, n.Node, "Last", -from)
		}
	case *ast.MemberNode:
		if index, whole := n.Property.(*ast.IntegerNode); whole && isQueue(n.Node) {
			*node = call("At", index.Value)
		} else if index, negative := constant(n.Property); negative && isQueue(n.Node) {
			*node = call("At", index)
		}
	}
}

// replace puts a call in the place of what is done with a list.
func (r *rewriter) replace(node *ast.Node, of ast.Node, method string, arguments ...int) {
	question, ok := r.filtered(of)
	switch {
	case !ok:
	case question != everything:
		*node = call(method, append([]int{question}, arguments...)...)
	case method == "Last":
		*node = call("Newest", arguments...)
	default:
		*node = call("Len")
	}
}

func (r *rewriter) builtin(node *ast.Node, n *ast.BuiltinNode) {
	switch {
	case n.Name == "len" && len(n.Arguments) == 1:
		r.replace(node, n.Arguments[0], "Count")
		return
	case n.Name == "map" && len(n.Arguments) == 2 && n.Arguments[1].String() == ".Time":
		onlyTimes(node, n.Arguments[0])
		return
	}
	if !slices.Contains([]string{"count", "any", "none", "all"}, n.Name) {
		return
	}
	question, ok := r.asked(n)
	if !ok {
		return
	}
	count := call("Count", question)
	switch n.Name {
	case "count":
		*node = count
	case "any":
		*node = &ast.BinaryNode{Operator: ">", Left: count, Right: &ast.IntegerNode{Value: 0}}
	case "none":
		*node = &ast.BinaryNode{Operator: "==", Left: count, Right: &ast.IntegerNode{Value: 0}}
	case "all":
		*node = &ast.BinaryNode{Operator: "==", Left: count, Right: call("Len")}
	}
}

// onlyTimes spares unpacking events of which nothing but the time is asked.
func onlyTimes(node *ast.Node, events ast.Node) {
	for _, method := range []string{"Last", "Newest"} {
		if arguments, ok := isCall(events, method); ok {
			*node = call(method+"Times", arguments...)
		}
	}
}

// isCall recognises what call returns.
func isCall(node ast.Node, method string) (arguments []int, ok bool) {
	called, ok := node.(*ast.CallNode)
	if !ok || called.Callee.String() != "watched."+method {
		return nil, false
	}
	for _, argument := range called.Arguments {
		number, whole := argument.(*ast.IntegerNode)
		if !whole {
			return nil, false
		}
		arguments = append(arguments, number.Value)
	}
	return arguments, true
}

func call(method string, arguments ...int) *ast.CallNode {
	node := &ast.CallNode{Callee: &ast.MemberNode{
		Node: &ast.IdentifierNode{Value: "watched"}, Property: &ast.StringNode{Value: method}, Method: true,
	}}
	for _, argument := range arguments {
		node.Arguments = append(node.Arguments, &ast.IntegerNode{Value: argument})
	}
	return node
}

// constant reads a number below zero, which the parser leaves as a sign and a number.
func constant(node ast.Node) (value int, negative bool) {
	sign, ok := node.(*ast.UnaryNode)
	if !ok || sign.Operator != "-" {
		return 0, false
	}
	number, ok := sign.Node.(*ast.IntegerNode)
	if !ok {
		return 0, false
	}
	return -number.Value, number.Value > 0
}

// isQueue recognises queue.Queue.
func isQueue(node ast.Node) bool {
	member, ok := node.(*ast.MemberNode)
	if !ok || member.Optional {
		return false
	}
	name, named := member.Property.(*ast.StringNode)
	base, is := member.Node.(*ast.IdentifierNode)
	return named && is && name.Value == "Queue" && base.Value == "queue"
}

// isSimple reports whether a predicate asks nothing but what the texts of an element say, which cannot fail and
// does not change.
func isSimple(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.StringNode, *ast.BoolNode:
		return true
	case *ast.ArrayNode:
		return !slices.ContainsFunc(node.Nodes, func(n ast.Node) bool { _, text := n.(*ast.StringNode); return !text })
	case *ast.UnaryNode:
		return (node.Operator == "!" || node.Operator == "not") && isSimple(node.Node)
	case *ast.BinaryNode:
		return isSimpleOperator(node.Operator, node.Right) && isSimple(node.Left) && isSimple(node.Right)
	case *ast.MemberNode:
		return isTextOfElement(node)
	}
	return false
}

func isSimpleOperator(operator string, right ast.Node) bool {
	if operator == "matches" { // another pattern may be none
		_, constant := right.(*ast.StringNode)
		return constant
	}
	return slices.Contains([]string{"==", "!=", "in", "contains", "startsWith", "endsWith", "&&", "and", "||", "or"}, operator)
}

// isTextOfElement recognises #.Meta.x and its like.
func isTextOfElement(node *ast.MemberNode) bool {
	_, named := node.Property.(*ast.StringNode)
	field, ok := node.Node.(*ast.MemberNode)
	if !named || !ok || node.Optional || field.Optional {
		return false
	}
	name, named := field.Property.(*ast.StringNode)
	element, is := field.Node.(*ast.PointerNode)
	return named && is && element.Name == "" && slices.Contains([]string{"Meta", "Parsed", "Enriched"}, name.Value)
}

// elementsToEvents makes a predicate an expression about one event.
type elementsToEvents struct{}

// Visit satisfies ast.Visitor.
func (elementsToEvents) Visit(node *ast.Node) {
	if _, is := (*node).(*ast.PointerNode); is {
		*node = &ast.IdentifierNode{Value: "evt"}
	}
}

// asksForBucket reports whether an expression names the queue, the bucket, or a list that was to be replaced.
func (r *rewriter) asksForBucket(node ast.Node) bool {
	found := false
	ast.Walk(&node, visitor(func(n ast.Node) {
		name, is := n.(*ast.IdentifierNode)
		found = found || is && (name.Value == "queue" || name.Value == "leaky" ||
			slices.ContainsFunc(r.lists, func(l list) bool { return l.name == name.Value }))
	}))
	return found
}

type visitor func(ast.Node)

// Visit satisfies ast.Visitor.
func (v visitor) Visit(node *ast.Node) { v(*node) }
