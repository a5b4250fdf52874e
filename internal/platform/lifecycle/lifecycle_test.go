package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"shieldwall/internal/platform/lifecycle"
)

func TestReleaseRunsBackwardsAndJoinsErrors(t *testing.T) {
	t.Parallel()
	var order []string
	broken := errors.New("broken")
	var stack lifecycle.Stack
	stack.PushClose("first", func() error { order = append(order, "first"); return nil })
	stack.PushClose("second", func() error { order = append(order, "second"); return broken })
	stack.Push("third", func(context.Context) error { order = append(order, "third"); return nil })
	err := stack.Release(t.Context())
	if !errors.Is(err, broken) || err.Error() != "stopping second: broken" {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(order, []string{"third", "second", "first"}) {
		t.Errorf("order %v", order)
	}
	if err := stack.Release(t.Context()); err != nil || len(order) != 3 {
		t.Errorf("second release did something: %v, %v", err, order)
	}
}
