// Package lifecycle releases what a program acquired, backwards and under one deadline.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
)

// Stack collects named clean-ups. The zero value is empty. It is not safe for concurrent use: the one who
// starts things owns it.
type Stack struct {
	steps []step
}

type step struct {
	name string
	run  func(context.Context) error
}

// Push registers how to release what was just acquired.
func (s *Stack) Push(name string, run func(context.Context) error) {
	s.steps = append(s.steps, step{name, run})
}

// PushClose registers a clean-up that needs no context.
func (s *Stack) PushClose(name string, closeIt func() error) {
	s.Push(name, func(context.Context) error { return closeIt() })
}

// Release runs all clean-ups, last registered first, and empties the stack. Every one runs, whatever the
// others return; the errors are joined.
func (s *Stack) Release(ctx context.Context) error {
	var errs []error
	for i := len(s.steps) - 1; i >= 0; i-- {
		if err := s.steps[i].run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", s.steps[i].name, err))
		}
	}
	s.steps = nil
	return errors.Join(errs...)
}
