package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// In says under which key of a mapping an error is. It wraps the error; nil stays nil.
func In(key string, err error) error {
	if err == nil {
		return nil
	}
	return &placeError{key: key, err: err}
}

// Entry says in which entry of a list, counted from 0, an error is. It wraps the error; nil stays nil.
func Entry(index int, err error) error {
	if err == nil {
		return nil
	}
	return &placeError{index: index, err: err}
}

// Line returns where in a file the place is that In and Entry say about an error: the line of the last of
// them that is written there. Document counts the documents that DecodeAll returns, from 0.
func Line(text []byte, document int, err error) int {
	for node := range documents(text) {
		if isNull(content(node)) {
			continue
		}
		if document == 0 {
			return deepest(content(node), err)
		}
		document--
	}
	return 1
}

// placeError is one step on the way to an error.
type placeError struct {
	key   string // "": an entry of a list
	index int
	err   error
}

// Error names the way to the error, as nodes[1].grok.pattern, before it. Steps with words between them stay apart.
func (e *placeError) Error() string {
	path, cause := e.step(), e.err
	for {
		next, ok := cause.(*placeError) //nolint:errorlint // what is further below has words before it
		if !ok {
			return path + ": " + cause.Error()
		}
		path, cause = join(path, next.step()), next.err
	}
}

func (e *placeError) step() string {
	if e.key == "" {
		return fmt.Sprintf("[%d]", e.index)
	}
	return e.key
}

func join(path, step string) string {
	if path == "" || strings.HasPrefix(step, "[") {
		return path + step
	}
	return path + "." + step
}

// Unwrap returns the error without the step.
func (e *placeError) Unwrap() error { return e.err }

func deepest(node *yaml.Node, err error) int {
	line := node.Line
	var step *placeError
	for errors.As(err, &step) {
		err = step.err
		key, value := step.take(node)
		if value == nil {
			return line
		}
		line, node = key.Line, value
	}
	return line
}

// take returns what the step leads to and where it is written; nil when it is not there.
func (e *placeError) take(node *yaml.Node) (key, value *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case node.Kind == yaml.SequenceNode && e.key == "" && e.index < len(node.Content):
		return node.Content[e.index], node.Content[e.index]
	case node.Kind == yaml.MappingNode && e.key != "":
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == e.key {
				return node.Content[i], node.Content[i+1]
			}
		}
	}
	return nil, nil
}

// documents iterates over what can be parsed.
func documents(text []byte) func(yield func(*yaml.Node) bool) {
	return func(yield func(*yaml.Node) bool) {
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			var node yaml.Node
			if err := decoder.Decode(&node); err != nil || !yield(&node) {
				return
			}
		}
	}
}

// mistyped is what the library says about a value of the wrong type: where it is, but not under which key.
var mistyped = regexp.MustCompile("^line ([0-9]+): (cannot unmarshal (!![a-z]+)(?: `([^`]*)`)? into )(.*)$")

// withKey adds the way to a value to what the library says about it.
func withKey(text []byte, problem string) string {
	parts := mistyped.FindStringSubmatch(problem)
	if parts == nil {
		return problem
	}
	line, err := strconv.Atoi(parts[1])
	if err != nil {
		return problem
	}
	said := parts[2] + wanted(parts[5])
	for node := range documents(text) {
		if path := pathOf(content(node), "", quoted{line, parts[3], parts[4]}); path != "" {
			return fmt.Sprintf("line %d: %s: %s", line, path, said)
		}
	}
	return fmt.Sprintf("line %d: %s", line, said)
}

// wanted says what a value should have been, to somebody who does not know Go.
func wanted(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "map["), strings.HasPrefix(goType, "struct "):
		return "a mapping"
	case goType == "time.Duration":
		return "a duration"
	}
	return goType
}

// quoted is a value as the library tells of it.
type quoted struct {
	line int
	tag  string
	text string // cut after some bytes; "" for a list or a mapping
}

func (q quoted) is(value *yaml.Node) bool {
	return value.Line == q.line && value.ShortTag() == q.tag && strings.HasPrefix(value.Value, strings.TrimSuffix(q.text, "..."))
}

// pathOf returns the way to a value below node, which is at path itself, "" when it is not there.
func pathOf(node *yaml.Node, path string, value quoted) string {
	for i, child := range node.Content {
		var below string
		switch {
		case node.Kind == yaml.SequenceNode:
			below = join(path, fmt.Sprintf("[%d]", i))
		case i%2 == 0:
			continue // a key
		default:
			below = join(path, node.Content[i-1].Value)
		}
		if value.is(child) {
			return below
		}
		if found := pathOf(child, below, value); found != "" {
			return found
		}
	}
	return ""
}
