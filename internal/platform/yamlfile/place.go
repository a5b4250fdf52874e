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

// Error names the step before the error.
func (e *placeError) Error() string {
	if e.key == "" {
		return fmt.Sprintf("entry %d: %v", e.index+1, e.err)
	}
	return fmt.Sprintf("%s: %v", e.key, e.err)
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
var mistyped = regexp.MustCompile("^line ([0-9]+): (cannot unmarshal !![a-z]+(?: `([^`]*)`)?.*)$")

// withKey adds the key to what the library says about one problem.
func withKey(text []byte, problem string) string {
	parts := mistyped.FindStringSubmatch(problem)
	if parts == nil {
		return problem
	}
	line, err := strconv.Atoi(parts[1])
	if err != nil {
		return problem
	}
	for node := range documents(text) {
		if key, found := keyOf(content(node), line, parts[3]); found {
			return fmt.Sprintf("line %d: %s: %s", line, key, parts[2])
		}
	}
	return problem
}

// keyOf returns the key of the value that is in a line and begins like a text.
func keyOf(node *yaml.Node, line int, text string) (string, bool) {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && child.Line == line && begins(child, text) {
			return node.Content[i-1].Value, true
		}
		if key, found := keyOf(child, line, text); found {
			return key, true
		}
	}
	return "", false
}

// begins compares a value with the library's quotation of it, which is cut after some bytes; of lists and
// mappings it quotes nothing.
func begins(value *yaml.Node, quoted string) bool {
	if value.Kind != yaml.ScalarNode {
		return quoted == ""
	}
	return strings.HasPrefix(value.Value, strings.TrimSuffix(quoted, "..."))
}
