package expression

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"

	"shieldwall/internal/expression/datafile"
)

// constantFile recognises File("name").
func (d *director) constantFile(node ast.Node) (string, bool) {
	call, ok := node.(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return "", false
	}
	callee, named := call.Callee.(*ast.IdentifierNode)
	name, constant := call.Arguments[0].(*ast.StringNode)
	if !named || !constant || callee.Value != "File" || d.helper("File") == nil {
		return "", false
	}
	return name.Value, true
}

func (d *director) inFile(needle form, file string) form {
	if needle.text == nil {
		return form{}
	}
	return d.asked(datafile.Question{File: file, Relation: datafile.Equals}, needle)
}

// relations are the operators that compare a text with all lines of a file at once.
func relationOf(operator string) (datafile.Relation, bool) {
	switch operator {
	case "contains":
		return datafile.Contains, true
	case "startsWith":
		return datafile.StartsWith, true
	case "endsWith":
		return datafile.EndsWith, true
	case "==":
		return datafile.Equals, true
	case "matches":
		return datafile.Matches, true
	}
	return 0, false
}

// askedOfFile is any(File("name"), {text contains #}), and the like.
func (d *director) askedOfFile(node *ast.BuiltinNode, predicate *ast.PredicateNode) form {
	file, ok := d.constantFile(node.Arguments[0])
	if !ok || node.Name != "any" {
		return form{}
	}
	return d.comparedWithLines(file, predicate.Node)
}

func (d *director) comparedWithLines(file string, node ast.Node) form {
	if of, rest, ok := d.withoutEmptyLines(node); ok {
		of.File = file
		return d.comparedAs(of, rest)
	}
	return d.comparedAs(datafile.Question{File: file}, node)
}

// withoutEmptyLines recognises len(#) > 0 && rest.
func (d *director) withoutEmptyLines(node ast.Node) (of datafile.Question, rest ast.Node, ok bool) {
	all, ok := node.(*ast.BinaryNode)
	if !ok || all.Operator != "&&" && all.Operator != "and" {
		return of, nil, false
	}
	filled, ok := all.Left.(*ast.BinaryNode)
	if !ok || filled.Operator != ">" {
		return of, nil, false
	}
	length, isCall := filled.Left.(*ast.BuiltinNode)
	zero, isWhole := filled.Right.(*ast.IntegerNode)
	if !isCall || !isWhole || zero.Value != 0 || length.Name != "len" || len(length.Arguments) != 1 {
		return of, nil, false
	}
	derive, isLine := d.lineOf(length.Arguments[0])
	return datafile.Question{Filled: true}, all.Right, isLine && derive == nil
}

// comparedAs completes the question that a condition asks of each line.
func (d *director) comparedAs(question datafile.Question, node ast.Node) form {
	if call, ok := node.(*ast.CallNode); ok {
		return d.inRangeOfLine(question, call)
	}
	test, ok := node.(*ast.BinaryNode)
	if !ok {
		return form{}
	}
	if test.Operator == "||" || test.Operator == "or" {
		left, right := d.comparedAs(question, test.Left), d.comparedAs(question, test.Right)
		if !left.safe || !right.safe {
			return form{} // which goes wrong first depends on the line
		}
		return anyOf([]form{left, right})
	}
	relation, known := relationOf(test.Operator)
	line, isLine := d.lineOf(test.Right)
	if !known || !isLine {
		return form{}
	}
	question.Relation, question.Line = relation, line
	return d.askedOfText(question, test.Left)
}

// inRangeOfLine is IpInRange(text, #).
func (d *director) inRangeOfLine(question datafile.Question, node *ast.CallNode) form {
	callee, named := node.Callee.(*ast.IdentifierNode)
	if !named || callee.Value != "IpInRange" || len(node.Arguments) != 2 || d.helper(callee.Value) == nil {
		return form{}
	}
	if line, isLine := d.lineOf(node.Arguments[1]); line != nil || !isLine {
		return form{}
	}
	question.Relation, question.Ranges = datafile.Within, inRanges
	return d.askedOfText(question, node.Arguments[0])
}

// askedOfText asks the question of a text that is the same for all lines.
func (d *director) askedOfText(question datafile.Question, node ast.Node) form {
	d.touched = false
	text := d.askedOf(form{}, &ast.PredicateNode{Node: node})
	if d.touched || text.text == nil {
		return form{}
	}
	return d.asked(question, text)
}

// lineOf recognises what a line is compared as: # itself, or in one case, or what it has at a path.
func (d *director) lineOf(node ast.Node) (derive func(string) string, ok bool) {
	switch node := node.(type) {
	case *ast.PointerNode:
		return nil, node.Name == ""
	case *ast.CallNode:
		callee, named := node.Callee.(*ast.IdentifierNode)
		if !named || d.helper(callee.Value) == nil {
			return nil, false
		}
		if callee.Value == "JsonExtract" {
			return d.extractOf(node.Arguments)
		}
		if len(node.Arguments) != 1 {
			return nil, false
		}
		if of, isLine := d.lineOf(node.Arguments[0]); of != nil || !isLine {
			return nil, false
		}
		switch callee.Value {
		case "Lower":
			return strings.ToLower, true
		case "Upper":
			return strings.ToUpper, true
		}
	}
	return nil, false
}

// extractOf is JsonExtract(#, "path").
func (d *director) extractOf(arguments []ast.Node) (derive func(string) string, ok bool) {
	if len(arguments) != 2 {
		return nil, false
	}
	of, isLine := d.lineOf(arguments[0])
	path, constant := arguments[1].(*ast.StringNode)
	extract, known := d.helpers["JsonExtract"].typed.(func(string, string) string)
	if of != nil || !isLine || !constant || !known {
		return nil, false
	}
	return func(line string) string { return extract(line, path.Value) }, true
}

// aheadOfFile is what can be said ahead of any(File("name"), {condition ? something : false}): the condition has to be
// true of some line.
func (d *director) aheadOfFile(node *ast.BuiltinNode, predicate *ast.PredicateNode) ahead {
	file, ok := d.constantFile(node.Arguments[0])
	either, conditional := predicate.Node.(*ast.ConditionalNode)
	if !ok || !conditional || node.Name != "any" {
		return ahead{}
	}
	if otherwise, constant := either.Exp2.(*ast.BoolNode); !constant || otherwise.Value {
		return ahead{}
	}
	f := d.comparedWithLines(file, either.Cond)
	return ahead{facts: f.ahead.facts, guard: f.flag}
}

// factOfConstantRegexps is about RegexpInFile(text, "name").
func (d *director) factOfConstantRegexps(arguments []form) facts {
	file, ok := arguments[1].constant.(string)
	if !ok {
		return nil
	}
	return d.factOfRegexps(arguments[0].subject, file)
}

// asked answers a question about the lines of a file.
func (d *director) asked(question datafile.Question, about form) form {
	text := about.text
	if behind := about.subject.cased(); behind != nil && !about.isLocal {
		question.Text, text = about.subject.in, behind.text
	}
	report, ok := d.helpers["File"].typed.(func(string) []string)
	if !ok {
		return form{}
	}
	d.calls = true
	matcher := d.data.Matcher(question)
	f := flagForm(func(env any, l *locals) bool {
		is, err := matcher.Match(text(env, l))
		if errors.Is(err, datafile.ErrNotLoaded) {
			report(question.File)
		} else if err != nil {
			unfit()
		}
		return is
	}, about.safe && question.Relation != datafile.Matches)
	if f.safe && question.Relation != datafile.Within {
		f.ahead.facts = d.factOfLines(about.subject, question)
	}
	return f
}
