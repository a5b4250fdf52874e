package parser

import (
	"errors"
	"fmt"
	"time"

	"shieldwall/internal/expression"
	"shieldwall/internal/expression/stash"
	"shieldwall/internal/logprocessor/event"
)

// stashStep remembers a value of an event for later ones.
type stashStep struct {
	name       string
	key, value *expression.Any
	into       *stash.Stash
}

func (c *nodeCompiler) compileStash(n *node, spec *nodeSpec) error {
	for i := range spec.Stash {
		step, err := c.stashStep(&spec.Stash[i])
		if err != nil {
			return err
		}
		n.stash = append(n.stash, step)
	}
	return nil
}

func (c *nodeCompiler) stashStep(spec *stashSpec) (stashStep, error) {
	if spec.Key == "" || spec.Value == "" {
		return stashStep{}, errors.New("key and value are required")
	}
	ttl, err := time.ParseDuration(spec.TTL)
	if err != nil {
		return stashStep{}, fmt.Errorf("ttl: %w", err)
	}
	if err := c.deps.Stash.Declare(stash.Spec{Name: spec.Name, Size: spec.Size, TTL: ttl, Strategy: spec.Strategy}); err != nil {
		return stashStep{}, err
	}
	step := stashStep{name: spec.Name, into: c.deps.Stash}
	if step.key, err = c.deps.Expressions.CompileAny(spec.Key, event.Env{}); err != nil {
		return stashStep{}, fmt.Errorf("key: %w", err)
	}
	if step.value, err = c.deps.Expressions.CompileAny(spec.Value, event.Env{}); err != nil {
		return stashStep{}, fmt.Errorf("value: %w", err)
	}
	return step, nil
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
