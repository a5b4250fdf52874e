package acquisition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is one YAML document of a configuration file. The zero value is not usable.
type Document struct {
	path   string
	number int // from 1
	text   []byte
	root   *yaml.Node
}

// ParseDocuments splits the text of a file, whose path is used in messages, leaving out empty documents.
func ParseDocuments(path string, text []byte) ([]Document, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var documents []Document
	for number := 1; ; number++ {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		document := Document{path: path, number: number, text: text}
		if err != nil {
			return nil, document.errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
		if node.Kind != yaml.DocumentNode || len(node.Content) == 0 || node.Content[0].Tag == "!!null" {
			continue
		}
		document.root = node.Content[0]
		if document.root.Kind != yaml.MappingNode {
			return nil, document.errorf("line %d: a data source is a mapping of keys", document.root.Line)
		}
		documents = append(documents, document)
	}
}

// Decode reads the document into target, a pointer to a struct that embeds Common inline. Keys that target
// does not know, repeated keys and values of the wrong type are errors that name file, document, line and
// key.
func (d Document) Decode(target any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	for range d.number - 1 { // strictness needs a decoder of text, and lines count from the top of the file
		var skipped yaml.Node
		if err := decoder.Decode(&skipped); err != nil {
			return d.errorf("%w", err)
		}
	}
	decoder.KnownFields(true)
	if err := decoder.Decode(target); err != nil {
		return d.explain(err)
	}
	return nil
}

// Has reports whether the document has the key at its top level.
func (d Document) Has(key string) bool {
	_, ok := d.scalar(key)
	return ok
}

// String names the document in messages.
func (d Document) String() string { return fmt.Sprintf("%s: document %d", d.path, d.number) }

func (d Document) scalar(key string) (value string, ok bool) {
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value == key {
			return d.root.Content[i+1].Value, true
		}
	}
	return "", false
}

func (d Document) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{d}, args...)...)
}

var (
	unknownKey  = regexp.MustCompile(`^line (\d+): field (\S+) not found in type \S+$`)
	repeatedKey = regexp.MustCompile(`^line (\d+): mapping key "(.*)" already defined at (line \d+)$`)
	wrongType   = regexp.MustCompile(`^line (\d+): (cannot unmarshal .*)$`)
)

// explain words the problems that the library found without the names of Go types, and with the key.
func (d Document) explain(err error) error {
	var list *yaml.TypeError
	if !errors.As(err, &list) {
		return d.errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	problems := make([]string, len(list.Errors))
	for i, problem := range list.Errors {
		problems[i] = d.explainOne(problem)
	}
	return d.errorf("%s", strings.Join(problems, "; "))
}

func (d Document) explainOne(problem string) string {
	if m := unknownKey.FindStringSubmatch(problem); m != nil {
		return fmt.Sprintf("line %s: unknown key %q", m[1], m[2])
	}
	if m := repeatedKey.FindStringSubmatch(problem); m != nil {
		return fmt.Sprintf("line %s: key %q repeats %s", m[1], m[2], m[3])
	}
	if m := wrongType.FindStringSubmatch(problem); m != nil {
		line, err := strconv.Atoi(m[1])
		if err == nil {
			return fmt.Sprintf("line %d: key %q: %s", line, keyAt(d.root, line), m[2])
		}
	}
	return problem
}

// keyAt returns the dotted path of the last key that begins at or before a line.
func keyAt(mapping *yaml.Node, line int) string {
	var name string
	var value *yaml.Node
	for i := 0; i+1 < len(mapping.Content) && mapping.Content[i].Line <= line; i += 2 {
		name, value = mapping.Content[i].Value, mapping.Content[i+1]
	}
	if value == nil || value.Kind != yaml.MappingNode {
		return name
	}
	if nested := keyAt(value, line); nested != "" {
		return name + "." + nested
	}
	return name
}
