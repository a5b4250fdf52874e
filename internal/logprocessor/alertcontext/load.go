package alertcontext

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// File is one source of context: an installed item, or the local file.
type File struct {
	Path  string // named in errors
	Text  []byte // YAML
	Local bool   // the keys are at the top, not below "context"
}

// Deps is what loading needs.
type Deps struct {
	Log         *slog.Logger
	Expressions *expression.Library
	MaxLength   int // bytes of the JSON text of a value
}

// Set is loaded context. It is read-only and safe for concurrent use. A nil *Set knows none.
type Set struct {
	log       *slog.Logger
	maxLength int
	keys      []key // by name
}

// key is one key of an alert's context.
type key struct {
	name        string
	texts       []string // of the expressions
	expressions []expr
}

// expr is a compiled expression.
type expr struct {
	ofAll   *expression.Any    // over env
	ofEvent *expression.Any    // the same over event.Env; nil if it asks for more than the event
	text    *expression.String // the same as ofEvent, when that can only yield a text
}

// env is what an expression can name. Rule and request are those of a web application firewall; of other
// alerts they are empty, never nil.
type env struct {
	Evt   *event.Event   `expr:"evt"`
	Match map[string]any `expr:"match"`
	Req   *http.Request  `expr:"req"`
}

// written is an expression as a file has it.
type written struct {
	text string
	line int
}

// UnmarshalYAML reads a text and where it is.
func (w *written) UnmarshalYAML(node *yaml.Node) error {
	w.line = node.Line
	return node.Decode(&w.text)
}

// Load compiles the files in their order, and joins what they say about the same key. An item without
// context is logged; every other problem is an error that names the file.
func Load(files []File, deps Deps) (*Set, error) {
	l := loader{deps: deps, merged: map[string]*key{}, known: map[[2]string]bool{}}
	for i := range files {
		if err := l.add(&files[i]); err != nil {
			return nil, err
		}
	}
	set := &Set{log: deps.Log, maxLength: deps.MaxLength}
	for _, name := range slices.Sorted(maps.Keys(l.merged)) {
		set.keys = append(set.keys, *l.merged[name])
	}
	return set, nil
}

// Texts returns the expressions of every key, as they were written.
func (s *Set) Texts() map[string][]string {
	texts := map[string][]string{}
	if s == nil {
		return texts
	}
	for i := range s.keys {
		texts[s.keys[i].name] = slices.Clone(s.keys[i].texts)
	}
	return texts
}

// Footprint returns what Meta can ask of an event.
func (s *Set) Footprint() event.Footprint {
	var all event.Footprint
	if s == nil {
		return all
	}
	for i := range s.keys {
		for _, expr := range s.keys[i].expressions {
			all = all.Union(event.FootprintOf(expr.ofAll.Members(reflect.TypeFor[event.Event]())))
		}
	}
	return all
}

// loader joins files.
type loader struct {
	deps   Deps
	merged map[string]*key
	known  map[[2]string]bool // key and text of what is merged
}

func (l *loader) add(file *File) error {
	context, err := file.decode()
	if err != nil {
		return err
	}
	if len(context) == 0 && !file.Local {
		l.deps.Log.Error("a context item has no context", "file", file.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, expr := range context[name] {
			if err := l.compile(name, expr.text); err != nil {
				return fmt.Errorf("%s: line %d: context %s: %w", file.Path, expr.line, name, err)
			}
		}
	}
	return nil
}

// compile leaves out what a file before has said.
func (l *loader) compile(name, text string) error {
	id := [2]string{name, text}
	if l.known[id] {
		return nil
	}
	compiled, err := l.expression(text)
	l.known[id] = true
	if l.merged[name] == nil {
		l.merged[name] = &key{name: name}
	}
	merged := l.merged[name]
	merged.texts, merged.expressions = append(merged.texts, text), append(merged.expressions, compiled)
	return err
}

// expression compiles what nearly all context is about once more, in the way that is fast.
func (l *loader) expression(text string) (expr, error) {
	ofAll, err := l.deps.Expressions.CompileAny(text, env{})
	if err != nil || l.deps.Expressions.IsPlain() {
		return expr{ofAll: ofAll}, err
	}
	ofEvent, err := l.deps.Expressions.CompileAny(text, event.Env{})
	if err != nil {
		return expr{ofAll: ofAll}, nil //nolint:nilerr // it names the rule or the request
	}
	return expr{ofAll, ofEvent, ofEvent.AsString()}, nil
}

func (f *File) decode() (map[string][]written, error) {
	if f.Local {
		var context map[string][]written
		err := yamlfile.DecodeLenient(f.Path, f.Text, &context)
		return context, err
	}
	var item struct {
		Context map[string][]written `yaml:"context"`
	}
	err := yamlfile.DecodeLenient(f.Path, f.Text, &item)
	return item.Context, err
}
