package hubtest

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/dump"
	"shieldwall/internal/logprocessor/event"
)

// Assert is one assertion of an assert file.
type Assert struct {
	File string // its base name
	Line int    // from 1
	Text string
}

// Failure is an assertion that does not hold.
type Failure struct {
	Assert

	Actual string // what its left side is, "" when the assertion has none
	Err    error  // it could not be evaluated at all
}

// Judge evaluates assertions over the results of a run. It is safe for concurrent use.
type Judge struct {
	library *expression.Library
}

// Compares reports whether the assertion is a comparison of the kind left == right.
func (a Assert) Compares() bool {
	_, _, ok := comparison(a.Text)
	return ok
}

// NewJudge returns a Judge with the helper functions of library.
func NewJudge(library *expression.Library) *Judge { return &Judge{library} }

// surroundings are the names that an assertion knows beside the helper functions.
type surroundings[R any] struct {
	Results  R                   `expr:"results"`
	Basename func(string) string `expr:"basename"`
}

func around[R any](results R) surroundings[R] {
	return surroundings[R]{Results: results, Basename: filepath.Base}
}

// Parsers returns the assertions that do not hold over what parsers did.
func (j *Judge) Parsers(asserts []Assert, results dump.ParserResults) []Failure {
	return judge(j, asserts, around(results))
}

// Overflows returns the assertions that do not hold over overflows, as Sort puts them.
func (j *Judge) Overflows(asserts []Assert, results []event.Event) []Failure {
	return judge(j, asserts, around(results))
}

// Parser evaluates any expression over what parsers did.
func (j *Judge) Parser(expression string, results dump.ParserResults) (any, error) {
	return value(j, expression, around(results))
}

func judge[R any](j *Judge, asserts []Assert, env surroundings[R]) []Failure {
	var failures []Failure
	for _, assert := range asserts {
		holds, err := evaluate(j, assert.Text, env)
		if err != nil {
			failures = append(failures, Failure{Assert: assert, Err: err})
		} else if !holds {
			failures = append(failures, Failure{Assert: assert, Actual: actual(j, assert.Text, env)})
		}
	}
	return failures
}

func evaluate[R any](j *Judge, text string, env surroundings[R]) (bool, error) {
	program, err := j.library.CompileBool(portable(text), env)
	if err != nil {
		return false, err
	}
	return program.Eval(env)
}

func value[R any](j *Judge, text string, env surroundings[R]) (any, error) {
	program, err := j.library.CompileAny(text, env)
	if err != nil {
		return nil, err
	}
	return program.Eval(env)
}

// actual returns what the left side of a comparison is, as it would be written in an assertion.
func actual[R any](j *Judge, text string, env surroundings[R]) string {
	left, ok := leftSide(portable(text))
	if !ok {
		return ""
	}
	result, err := value(j, left, env)
	if err != nil {
		return err.Error()
	}
	if text, ok := result.(string); ok {
		return quote(text)
	}
	return fmt.Sprint(result)
}

// portable makes an assertion on the path of a log hold wherever the log lies: it compares the name alone.
func portable(text string) string {
	left, right, ok := comparison(text)
	if !ok || !strings.Contains(text, "datasource_path") || strings.Contains(text, "basename(") {
		return text
	}
	return "basename(" + strings.TrimSpace(left) + ") ==" + right
}

// leftSide returns what a comparison compares, if the whole of the text is one.
func leftSide(text string) (string, bool) {
	depth := 0
	for i := range outside(text) {
		switch text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '=':
			if depth == 0 && strings.HasPrefix(text[i:], "==") {
				return text[:i], true
			}
		}
	}
	return "", false
}

// comparison splits text at its first "==" that is not in a quoted text.
func comparison(text string) (left, right string, ok bool) {
	for i := range outside(text) {
		if strings.HasPrefix(text[i:], "==") {
			return text[:i], text[i+len("=="):], true
		}
	}
	return "", "", false
}

// outside iterates over the positions in text that are not in a quoted text.
func outside(text string) iter.Seq[int] {
	return func(yield func(int) bool) {
		var quoted byte
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case quoted != 0 && c == '\\' && quoted != '`':
				i++
			case quoted != 0:
				if c == quoted {
					quoted = 0
				}
			case c == '"' || c == '\'' || c == '`':
				quoted = c
			case !yield(i):
				return
			}
		}
	}
}

// ReadAsserts reads an assert file. A missing file has none.
func ReadAsserts(path string) ([]Assert, error) {
	text, err := os.ReadFile(path) //nolint:gosec // of the caller's hub
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading assertions: %w", err)
	}
	return parseAsserts(filepath.Base(path), string(text)), nil
}

// parseAsserts returns an assertion a line; blank lines mean nothing.
func parseAsserts(file, text string) []Assert {
	var asserts []Assert
	line := 0
	for text := range strings.SplitSeq(text, "\n") {
		line++
		if text = strings.TrimSpace(text); text != "" {
			asserts = append(asserts, Assert{File: file, Line: line, Text: text})
		}
	}
	return asserts
}
