package parser

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor/event"
	"shieldwall/internal/platform/yamlfile"
)

// stashStep remembers a value of an event for later ones.
type stashStep struct {
	name       string
	key, value *expression.Any
	into       *stash.Stash
}

// memory says where a node, apart from its children, depends on earlier events: a stash is all that they
// leave behind.
type memory struct {
	inFilter, inside bool
}

// UsesStash reports whether an expression may read a stash or write to one.
func UsesStash(expression string) bool {
	return strings.Contains(expression, "FromStash") || strings.Contains(expression, "InStash")
}

func (n *nodeSpec) memory() memory {
	return memory{inFilter: UsesStash(n.Filter), inside: len(n.Stash) > 0 || slices.ContainsFunc(n.expressions(), UsesStash)}
}

// Remembers reports whether what the parsers make of an event depends on earlier ones, through a stash.
func (s *Set) Remembers() bool {
	return s.contains(func(n *node) bool { return n.remembers.inFilter || n.remembers.inside })
}

func (c *nodeCompiler) compileStash(n *node, spec *nodeSpec) error {
	for i := range spec.Stash {
		step, err := c.stashStep(&spec.Stash[i])
		if err != nil {
			return yamlfile.Entry(i, err)
		}
		n.stash = append(n.stash, step)
	}
	return nil
}

func (c *nodeCompiler) stashStep(spec *stashSpec) (stashStep, error) {
	ttl, err := spec.validate()
	if err != nil {
		return stashStep{}, err
	}
	if err := c.deps.Stash.Declare(stash.Spec{Name: spec.Name, Size: spec.Size, TTL: ttl, Strategy: spec.Strategy}); err != nil {
		return stashStep{}, err
	}
	step := stashStep{name: spec.Name, into: c.deps.Stash}
	if step.key, err = c.deps.Expressions.CompileAny(spec.Key, event.Env{}); err != nil {
		return stashStep{}, yamlfile.In("key", err)
	}
	if step.value, err = c.deps.Expressions.CompileAny(spec.Value, event.Env{}); err != nil {
		return stashStep{}, yamlfile.In("value", err)
	}
	return step, nil
}

// validate returns the lifetime.
func (s *stashSpec) validate() (time.Duration, error) {
	for _, field := range [][2]string{{"name", s.Name}, {"key", s.Key}, {"value", s.Value}, {"ttl", s.TTL}} {
		if field[1] == "" {
			return 0, yamlfile.In(field[0], errors.New("is required"))
		}
	}
	if s.Size < 0 {
		return 0, yamlfile.In("size", errors.New("must not be negative"))
	}
	ttl, err := time.ParseDuration(s.TTL)
	if err == nil && ttl <= 0 {
		err = errors.New("must be positive")
	}
	return ttl, yamlfile.In("ttl", err)
}

func (n *node) runStash(env *event.Env) {
	for i := range n.stash {
		step := &n.stash[i]
		key, keyErr := text(step.key, env)
		value, valueErr := text(step.value, env)
		if err := errors.Join(keyErr, valueErr); err != nil {
			n.log.Warn("nothing stashed", "stash", step.name, "error", err)
			continue
		}
		step.into.Set(step.name, key, value)
	}
}

func text(expr *expression.Any, env *event.Env) (string, error) {
	result, err := expr.Eval(env)
	if err != nil {
		return "", err
	}
	if result, ok := result.(string); ok {
		return result, nil
	}
	return "", fmt.Errorf("%T is not text", result)
}
