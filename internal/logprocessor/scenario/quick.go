package scenario

import (
	"cmp"
	"time"

	"github.com/expr-lang/expr/ast"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/bucket"
)

// The forms of this file are pieces of rewritten conditions as Go functions: the ones that nearly all conditions are
// made of. They report false where something goes wrong, which the expression then says in its own words.
type (
	predicate func(w *bucket.Watched) (holds, ok bool)
	number    func(w *bucket.Watched) int
	span      func(w *bucket.Watched) (length time.Duration, ok bool)
)

// quickly returns nil for what has another form: numbers of events, and intervals between them, compared with
// constants.
func quickly(node ast.Node) predicate {
	binary, ok := node.(*ast.BinaryNode)
	if !ok {
		return nil
	}
	switch binary.Operator {
	case "and", "&&", "or", "||":
		return junction(binary)
	}
	verdict := orders[binary.Operator]
	if verdict == nil {
		return nil
	}
	if left, right := numberOf(binary.Left), numberOf(binary.Right); left != nil && right != nil {
		return func(w *bucket.Watched) (holds, ok bool) { return verdict(cmp.Compare(left(w), right(w))), true }
	}
	if left, right := intervalOf(binary.Left), durationOf(binary.Right); left != nil && right != nil {
		return func(w *bucket.Watched) (holds, ok bool) {
			length, ok := left(w)
			return ok && verdict(cmp.Compare(length, *right)), ok
		}
	}
	return nil
}

// orders say which results of a comparison satisfy an operator.
var orders = map[string]func(order int) bool{
	">=": func(order int) bool { return order >= 0 }, ">": func(order int) bool { return order > 0 },
	"<=": func(order int) bool { return order <= 0 }, "<": func(order int) bool { return order < 0 },
	"==": func(order int) bool { return order == 0 }, "!=": func(order int) bool { return order != 0 },
}

// junction evaluates its right side only if the left one does not decide.
func junction(node *ast.BinaryNode) predicate {
	left, right := quickly(node.Left), quickly(node.Right)
	if left == nil || right == nil {
		return nil
	}
	decided := node.Operator == "or" || node.Operator == "||"
	return func(w *bucket.Watched) (holds, ok bool) {
		if holds, ok = left(w); !ok || holds == decided {
			return holds, ok
		}
		return right(w)
	}
}

func numberOf(node ast.Node) number {
	if constant, ok := node.(*ast.IntegerNode); ok {
		return func(*bucket.Watched) int { return constant.Value }
	}
	if _, ok := isCall(node, "Len"); ok {
		return (*bucket.Watched).Len
	}
	if arguments, ok := isCall(node, "Count"); ok {
		return func(w *bucket.Watched) int { return w.Count(arguments[0]) }
	}
	return nil
}

// intervalOf recognises a helper over the times of the newest events.
func intervalOf(node ast.Node) span {
	called, ok := node.(*ast.CallNode)
	if !ok || len(called.Arguments) != 1 {
		return nil
	}
	interval := expression.Intervals()[called.Callee.String()]
	times := timesOf(called.Arguments[0])
	if interval == nil || times == nil {
		return nil
	}
	return func(w *bucket.Watched) (time.Duration, bool) {
		length, err := interval(times(w))
		return length, err == nil
	}
}

func timesOf(node ast.Node) func(w *bucket.Watched) []time.Time {
	if arguments, ok := isCall(node, "LastTimes"); ok {
		return func(w *bucket.Watched) []time.Time { return w.LastTimes(arguments[0], arguments[1]) }
	}
	if arguments, ok := isCall(node, "NewestTimes"); ok {
		return func(w *bucket.Watched) []time.Time { return w.NewestTimes(arguments[0]) }
	}
	return nil
}

// durationOf recognises duration("10m").
func durationOf(node ast.Node) *time.Duration {
	var name string
	var arguments []ast.Node
	switch node := node.(type) {
	case *ast.BuiltinNode:
		name, arguments = node.Name, node.Arguments
	case *ast.CallNode:
		name, arguments = node.Callee.String(), node.Arguments
	}
	if name != "duration" || len(arguments) != 1 {
		return nil
	}
	text, ok := arguments[0].(*ast.StringNode)
	if !ok {
		return nil
	}
	length, err := time.ParseDuration(text.Value)
	if err != nil {
		return nil
	}
	return &length
}
