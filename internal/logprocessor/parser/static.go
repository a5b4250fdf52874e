package parser

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"shieldwall/internal/expression"
	"shieldwall/internal/logprocessor/enrich"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// static puts one value somewhere in an event.
type static struct {
	what string // for logs: the destination as written

	value      string             // used when expression is nil
	expression *expression.Any    // nil: literal value
	text       *expression.String // the same, when it can only yield a text

	method    enrich.Method // nil: to or store decides
	keepEmpty bool          // run the method for "" too
	to        event.Field   // when store is nil
	store     func(evt *event.Event, value string) error
	relabels  bool // changes a label, by which metrics tell lines apart
}

// errUnusable means that an expression gave a value that no text can stand for.
var errUnusable = errors.New("result is neither text nor a number")

func (c *nodeCompiler) statics(specs []staticSpec) ([]static, error) {
	var compiled []static
	for i := range specs {
		s, ok, err := c.static(&specs[i])
		if err != nil {
			return nil, yamlfile.Entry(i, err)
		}
		if ok {
			compiled = append(compiled, s)
		}
	}
	return compiled, nil
}

// static compiles spec; ok is false when it has no effect.
func (c *nodeCompiler) static(spec *staticSpec) (s static, ok bool, err error) {
	s = static{value: spec.Value}
	if spec.Value == "" && spec.Expression != "" {
		if s.expression, err = c.deps.Expressions.CompileAny(spec.Expression, event.Env{}); err != nil {
			return static{}, false, yamlfile.In("expression", err)
		}
		s.text = s.expression.AsString()
	}
	switch {
	case spec.Method != "":
		return c.method(s, spec.Method)
	case spec.Parsed != "":
		s.what, s.to = "parsed."+spec.Parsed, event.ParsedField(spec.Parsed)
	case spec.Meta != "":
		s.what, s.to = "meta."+spec.Meta, event.MetaField(spec.Meta)
	case spec.Enriched != "":
		s.what, s.to = "enriched."+spec.Enriched, event.EnrichedField(spec.Enriched)
	case spec.Target != "":
		s.what, s.store = spec.Target, storeTarget(strings.TrimPrefix(spec.Target, "evt."))
		s.relabels = strings.HasPrefix(strings.TrimPrefix(spec.Target, "evt."), "Line.")
	default:
		c.deps.Log.Warn("static has no destination and no effect", "file", c.path)
		return static{}, false, nil
	}
	return s, true, nil
}

func (c *nodeCompiler) method(s static, name string) (static, bool, error) {
	method, known := c.deps.Methods[name]
	if !known {
		c.deps.Log.Warn("enrichment method is not available, the static has no effect", "method", name, "file", c.path)
		return static{}, false, nil
	}
	s.what, s.method, s.keepEmpty = "method "+name, method, name == "ParseDate"
	return s, true, nil
}

func storeField(field event.Field) func(*event.Event, string) error {
	return func(evt *event.Event, value string) error { field.Set(evt, value); return nil }
}

// storeLabel leaves the labels of the source alone: all its lines share them, on many workers.
func storeLabel(path string) func(*event.Event, string) error {
	key, _, _ := strings.Cut(path, ".")
	return func(evt *event.Event, value string) error {
		labels := map[string]string{key: value}
		for other, text := range evt.Line.Labels {
			if other != key {
				labels[other] = text
			}
		}
		evt.Line.Labels = labels
		return nil
	}
}

// apply runs statics in order. An error means that the event must be dropped.
func (n *node) apply(statics []static, r *Runner) error {
	for i := range statics {
		s := &statics[i]
		value, usable, err := s.evaluate(n, &r.env)
		if err != nil {
			return fmt.Errorf("parser %s: %s: %w", n.name, s.what, err)
		}
		if !usable || value == "" && !s.keepEmpty {
			continue
		}
		n.place(s, r, value)
	}
	return nil
}

// evaluate returns the text of a static; usable is false when it has to be left out.
func (s *static) evaluate(n *node, env *event.Env) (text string, usable bool, err error) {
	if s.expression == nil {
		return s.value, true, nil
	}
	if s.text != nil {
		if text, err = s.text.Eval(env); err != nil {
			n.log.Warn("expression of a static cannot be evaluated", "static", s.what, "error", err)
		}
		return text, err == nil, nil
	}
	result, err := s.expression.Eval(env)
	if err != nil {
		n.log.Warn("expression of a static cannot be evaluated", "static", s.what, "error", err)
		return "", false, nil
	}
	switch result := result.(type) {
	case string:
		return result, true, nil
	case int:
		return strconv.Itoa(result), true, nil
	case int32:
		return strconv.FormatInt(int64(result), 10), true, nil
	case int64:
		return strconv.FormatInt(result, 10), true, nil
	case float64:
		return fmt.Sprintf("%f", result), true, nil
	case float32:
		return fmt.Sprintf("%f", result), true, nil
	case nil:
		return "", false, nil
	}
	switch reflect.TypeOf(result).Kind() { //nolint:exhaustive // only containers are let through
	case reflect.Map, reflect.Slice, reflect.Array:
		n.log.Warn("expression of a static gave a list or a map", "static", s.what)
		return "", false, nil
	}
	return "", false, fmt.Errorf("%w but %T", errUnusable, result)
}

func (n *node) place(s *static, r *Runner, value string) {
	switch {
	case s.method != nil:
		if err := s.method(value, r.env.Evt); err != nil {
			n.log.Debug("enrichment found nothing", "static", s.what, "error", err)
		}
		return
	case s.store == nil:
		s.to.Set(r.env.Evt, value)
		return
	}
	if err := s.store(r.env.Evt, value); err != nil {
		n.log.Error("static has no place to go", "static", s.what, "error", err)
	}
	if s.relabels {
		r.counts.from(r.env.Evt)
	}
}

// storeTarget resolves a path of field names below the event. The fields that rules write all the time
// are set directly, all others by name when the value arrives.
func storeTarget(path string) func(*event.Event, string) error {
	head, rest, nested := strings.Cut(path, ".")
	key, _, _ := strings.Cut(rest, ".")
	switch {
	case path == "StrTime":
		return func(evt *event.Event, value string) error { evt.StrTime = value; return nil }
	case path == "StrTimeFormat":
		return func(evt *event.Event, value string) error { evt.StrTimeFormat = value; return nil }
	case path == "MarshaledTime":
		return func(evt *event.Event, value string) error { evt.MarshaledTime = value; return nil }
	case nested && head == "Parsed":
		return storeField(event.ParsedField(key))
	case nested && head == "Meta":
		return storeField(event.MetaField(key))
	case nested && head == "Enriched":
		return storeField(event.EnrichedField(key))
	case nested && head == "Line" && key == "Labels":
		_, label, _ := strings.Cut(rest, ".")
		return storeLabel(label)
	}
	return func(evt *event.Event, value string) error { return storeByName(evt, path, value) }
}

func storeByName(evt *event.Event, path, value string) error {
	evt.Maps()
	current := reflect.ValueOf(evt)
	parts := strings.Split(path, ".")
	for i, part := range parts {
		current = reflect.Indirect(current)
		switch {
		case !current.IsValid():
			return fmt.Errorf("%s is not set", strings.Join(parts[:i], "."))
		case current.Kind() == reflect.Map:
			return storeInMap(current, part, value)
		case current.Kind() != reflect.Struct:
			return fmt.Errorf("%s has no field %s", strings.Join(parts[:i], "."), part)
		}
		if current = current.FieldByName(part); !current.IsValid() {
			return fmt.Errorf("no field %s", part)
		}
	}
	if current = reflect.Indirect(current); !current.IsValid() || current.Kind() != reflect.String || !current.CanSet() {
		return fmt.Errorf("%s is not text", path)
	}
	current.SetString(value)
	return nil
}

func storeInMap(target reflect.Value, key, value string) error {
	text := reflect.ValueOf(value)
	if target.IsNil() || !text.Type().AssignableTo(target.Type().Elem()) {
		return errors.New("the map cannot hold text")
	}
	target.SetMapIndex(reflect.ValueOf(key), text)
	return nil
}
