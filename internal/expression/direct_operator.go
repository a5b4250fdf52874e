package expression

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

func flagForm(flag func(any, *locals) bool, safe bool) form {
	return form{flag: flag, safe: safe}
}

func (d *director) unary(node *ast.UnaryNode) form {
	operand := d.form(node.Node)
	switch node.Operator {
	case "!", "not":
		if flag := operand.asFlag(); flag != nil {
			return flagForm(func(env any, l *locals) bool { return !flag(env, l) }, operand.safe && operand.flag != nil)
		}
	case "-":
		if whole := operand.whole; whole != nil {
			return form{whole: func(env any, l *locals) int { return -whole(env, l) }, safe: operand.safe}
		}
	}
	return form{}
}

func (d *director) binary(node *ast.BinaryNode) form {
	switch node.Operator {
	case "in":
		return d.in(node)
	case "+":
		return d.plus(node)
	case "||", "or":
		return anyOf(d.forms(alternatives(node)))
	}
	left, right := d.form(node.Left), d.form(node.Right)
	switch node.Operator {
	case "&&", "and":
		return both(left, right)
	case "==", "!=":
		return d.equality(node, left, right)
	case "<", "<=", ">", ">=":
		return compared(node.Operator, left, right)
	case "contains", "startsWith", "endsWith":
		return found(node.Operator, left, right)
	case "matches":
		return matched(left, right)
	case "??":
		return orElse(left, right)
	case "-", "*":
		return calculated(node.Operator, left, right)
	}
	return form{}
}

// equality leaves what is a text or a number by its static type, but may be nil, to the machine, which fails there.
func (d *director) equality(node *ast.BinaryNode, left, right form) form {
	kind := node.Left.Type().Kind()
	isTyped := kind == node.Right.Type().Kind() && (kind == reflect.String || kind == reflect.Int)
	if isTyped && (left.value != nil || right.value != nil) {
		return form{}
	}
	f := equal(left, right)
	if node.Operator == "!=" {
		return negated(f)
	}
	return f
}

func negated(f form) form {
	flag := f.flag
	if flag == nil {
		return form{}
	}
	return flagForm(func(env any, l *locals) bool { return !flag(env, l) }, f.safe)
}

// both is false without a look at right when left is.
func both(left, right form) form {
	f := form{ahead: aheadOfBoth(&left, &right)}
	a, b := left.asFlag(), right.asFlag()
	if a == nil || b == nil {
		return f
	}
	f.flag = func(env any, l *locals) bool { return a(env, l) && b(env, l) }
	f.safe = left.isSafeFlag() && right.isSafeFlag()
	return f
}

// anyOf is true without a look at further forms when one is.
func anyOf(forms []form) form {
	f := form{ahead: aheadOfAny(forms), safe: true}
	flags := make([]func(any, *locals) bool, len(forms))
	for i := range forms {
		if flags[i] = forms[i].asFlag(); flags[i] == nil {
			f.safe = false
			return f
		}
		f.safe = f.safe && forms[i].isSafeFlag()
	}
	f.flag = oneIsTrue(flags)
	return f
}

func oneIsTrue(flags []func(any, *locals) bool) func(any, *locals) bool {
	if len(flags) == 2 {
		a, b := flags[0], flags[1]
		return func(env any, l *locals) bool { return a(env, l) || b(env, l) }
	}
	return func(env any, l *locals) bool {
		for _, flag := range flags {
			if flag(env, l) {
				return true
			}
		}
		return false
	}
}

// alternatives returns all of a || b || c.
func alternatives(node ast.Node) []ast.Node {
	if either, ok := node.(*ast.BinaryNode); ok && (either.Operator == "||" || either.Operator == "or") {
		return append(alternatives(either.Left), alternatives(either.Right)...)
	}
	return []ast.Node{node}
}

func (f *form) isSafeFlag() bool { return f.flag != nil && f.safe }

func equal(left, right form) form {
	safe := left.safe && right.safe
	switch {
	case left.text != nil && right.text != nil:
		return equalTexts(left, right)
	case left.flag != nil && right.flag != nil:
		return flagForm(sameOf(left.flag, right.flag), safe)
	case left.whole != nil && right.whole != nil:
		return flagForm(sameOf(left.whole, right.whole), safe)
	case left.asReal() != nil && right.asReal() != nil:
		return flagForm(sameOf(left.asReal(), right.asReal()), safe)
	}
	a, b := left.asValue(), right.asValue()
	if a == nil || b == nil {
		return form{}
	}
	if right.isNil {
		return flagForm(func(env any, l *locals) bool { return isNothing(a(env, l)) }, false)
	}
	return flagForm(func(env any, l *locals) bool { return isEqual(a(env, l), b(env, l)) }, false)
}

func equalTexts(left, right form) form {
	a, b := left.text, right.text
	f := flagForm(sameOf(a, b), left.safe && right.safe)
	if text, ok := right.constant.(string); ok {
		f.flag = func(env any, l *locals) bool { return a(env, l) == text }
		if member := left.member(); member != nil {
			f.flag = func(env any, _ *locals) bool { return member(env) == text }
		}
		if flag := testedInCase("==", left, f.flag, text); flag != nil {
			f.flag = flag
		}
	}
	f.ahead = exactly(factOfEqual(&left, &right))
	return f
}

func sameOf[T comparable](a, b func(any, *locals) T) func(any, *locals) bool {
	return func(env any, l *locals) bool { return a(env, l) == b(env, l) }
}

// isEqual compares what is known at run time only. The machine looks behind pointers, which are unfit here.
func isEqual(a, b any) bool {
	return runtime.Equal(plain(a), plain(b))
}

func plain(value any) any {
	switch value.(type) {
	case nil, string, bool, int, float64, map[string]any, []any, map[string]string, []string:
		return value
	}
	if reflect.TypeOf(value).Kind() == reflect.Pointer {
		unfit()
	}
	return value
}

func compared(operator string, left, right form) form {
	safe := left.safe && right.safe
	switch {
	case left.text != nil && right.text != nil:
		return flagForm(ordered(operator, left.text, right.text), safe)
	case left.whole != nil && right.whole != nil:
		return flagForm(ordered(operator, left.whole, right.whole), safe)
	case left.asReal() != nil && right.asReal() != nil:
		return flagForm(ordered(operator, left.asReal(), right.asReal()), safe)
	}
	return form{}
}

func ordered[T string | int | float64](operator string, a, b func(any, *locals) T) func(any, *locals) bool {
	switch operator {
	case "<":
		return func(env any, l *locals) bool { return a(env, l) < b(env, l) }
	case "<=":
		return func(env any, l *locals) bool { return a(env, l) <= b(env, l) }
	case ">":
		return func(env any, l *locals) bool { return a(env, l) > b(env, l) }
	}
	return func(env any, l *locals) bool { return a(env, l) >= b(env, l) }
}

func calculated(operator string, left, right form) form {
	a, b := left.whole, right.whole
	if a == nil || b == nil {
		return form{}
	}
	f := form{safe: left.safe && right.safe}
	f.whole = func(env any, l *locals) int { return a(env, l) - b(env, l) }
	if operator == "*" {
		f.whole = func(env any, l *locals) int { return a(env, l) * b(env, l) }
	}
	return f
}

// found is contains, startsWith or endsWith: no text is found in nil.
func found(operator string, left, right form) form {
	test := strings.Contains
	switch operator {
	case "startsWith":
		test = strings.HasPrefix
	case "endsWith":
		test = strings.HasSuffix
	}
	f := testedText(left, right, test)
	if f.flag == nil {
		return f
	}
	f.ahead.facts = factOfFound(&left, &right)
	if literal, ok := right.constant.(string); ok {
		if flag := testedInCase(operator, left, f.flag, literal); flag != nil {
			f.flag = flag
		}
	}
	return f
}

func testedText(left, right form, test func(text, part string) bool) form {
	b := right.text
	if b == nil {
		return form{}
	}
	if a := left.text; a != nil {
		if part, ok := right.constant.(string); ok {
			return flagForm(func(env any, l *locals) bool { return test(a(env, l), part) }, left.safe)
		}
		return flagForm(func(env any, l *locals) bool { return test(a(env, l), b(env, l)) }, left.safe && right.safe)
	}
	value := left.value
	if value == nil {
		return form{}
	}
	return flagForm(func(env any, l *locals) bool {
		text, part := value(env, l), b(env, l)
		if text == nil {
			return false
		}
		known, ok := text.(string)
		if !ok {
			unfit()
		}
		return test(known, part)
	}, false)
}

// matched compiles a constant expression once. One that is computed from constants is compiled by the machine
// each time, but cannot change.
func matched(left, right form) form {
	pattern, ok := right.constant.(string)
	if !ok {
		return form{}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return form{}
	}
	f := testedText(left, right, func(text, _ string) bool { return re.MatchString(text) })
	if f.flag != nil {
		f.ahead.facts = factOfMatch(&left, pattern)
	}
	return f
}

// orElse is left unless that is nil, which only values can be.
func orElse(left, right form) form {
	if left.isNone() || left.value == nil {
		return left
	}
	a, b := left.value, right.asValue()
	if b == nil {
		return form{}
	}
	return form{value: func(env any, l *locals) any {
		if value := a(env, l); !isNothing(value) {
			return value
		}
		return b(env, l)
	}}
}

func (d *director) conditional(node *ast.ConditionalNode) form {
	cond, yes, no := d.form(node.Cond), d.form(node.Exp1), d.form(node.Exp2)
	test := cond.asFlag()
	if no.constant == false {
		return both(cond, yes)
	}
	if test == nil {
		return form{}
	}
	safe := cond.isSafeFlag() && yes.safe && no.safe
	switch {
	case yes.text != nil && no.text != nil:
		return form{text: chosen(test, yes.text, no.text), safe: safe}
	case yes.flag != nil && no.flag != nil:
		return flagForm(chosen(test, yes.flag, no.flag), safe)
	case yes.whole != nil && no.whole != nil:
		return form{whole: chosen(test, yes.whole, no.whole), safe: safe}
	case yes.real != nil && no.real != nil:
		return form{real: chosen(test, yes.real, no.real), safe: safe}
	}
	a, b := yes.asValue(), no.asValue()
	if a == nil || b == nil {
		return form{}
	}
	return form{value: chosen(test, a, b), safe: safe}
}

func chosen[T any](test func(any, *locals) bool, yes, no func(any, *locals) T) func(any, *locals) T {
	return func(env any, l *locals) T {
		if test(env, l) {
			return yes(env, l)
		}
		return no(env, l)
	}
}

// plus joins texts, all of a + b + c at once, or adds numbers.
func (d *director) plus(node *ast.BinaryNode) form {
	parts := d.forms(summands(node))
	if len(parts) == 2 && parts[0].whole != nil && parts[1].whole != nil {
		a, b := parts[0].whole, parts[1].whole
		return form{whole: func(env any, l *locals) int { return a(env, l) + b(env, l) }, safe: parts[0].safe && parts[1].safe}
	}
	texts := make([]func(any, *locals) string, len(parts))
	safe := true
	for i := range parts {
		if texts[i] = parts[i].asText(); texts[i] == nil {
			return form{}
		}
		safe = safe && parts[i].safe && parts[i].text != nil
	}
	if !slices.ContainsFunc(parts, func(part form) bool { return part.text != nil }) {
		return form{} // nothing says that it is about texts
	}
	return form{text: joined(texts), safe: safe}
}

func summands(node ast.Node) []ast.Node {
	if sum, ok := node.(*ast.BinaryNode); ok && sum.Operator == "+" {
		return append(summands(sum.Left), sum.Right)
	}
	return []ast.Node{node}
}

func joined(texts []func(any, *locals) string) func(any, *locals) string {
	rooms := sync.Pool{New: func() any { return new(strings.Builder) }}
	return func(env any, l *locals) string {
		var few [8]string
		parts, size := few[:0], 0
		for _, text := range texts {
			part := text(env, l)
			parts, size = append(parts, part), size+len(part)
		}
		room := rooms.Get().(*strings.Builder) //nolint:forcetypeassert,errcheck // nothing else is in there
		text := joinIn(room, parts, size)
		rooms.Put(room)
		return text
	}
}

// roomForTexts is the memory that joined texts share, some hundred of them. As with the texts of a line, whoever keeps
// one for long makes a copy.
const roomForTexts = 4 << 10

// joinIn joins parts of that size behind what is in the room already, whose texts stay as they are.
func joinIn(room *strings.Builder, parts []string, size int) string {
	if room.Cap()-room.Len() < size {
		room.Reset()
		room.Grow(max(size, roomForTexts))
	}
	begin := room.Len()
	for _, part := range parts {
		_, _ = room.WriteString(part)
	}
	return room.String()[begin:]
}
