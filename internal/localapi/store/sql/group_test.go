package sql

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// recorder runs rounds when it is let, and remembers them.
type recorder struct {
	let    chan struct{}
	begun  chan []int
	refuse func(calls []int) error

	mu     sync.Mutex // guards rounds
	rounds [][]int
}

func newRecorder(limit int, refuse func(calls []int) error) (*recorder, *group[int]) {
	r := &recorder{let: make(chan struct{}), begun: make(chan []int, 100), refuse: refuse}
	return r, &group[int]{run: r.run, separate: func(err error) bool { return !errors.Is(err, errDown) }, limit: limit}
}

var (
	errDown    = errors.New("down")
	errInvalid = errors.New("invalid")
)

func (r *recorder) run(ctx context.Context, calls []int) error {
	r.begun <- calls
	select {
	case <-r.let:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rounds = append(r.rounds, slices.Clone(calls))
	return r.refuse(calls)
}

func never([]int) error { return nil }

// callAll makes the first call, and the others while it runs. It returns their errors.
func callAll(t *testing.T, r *recorder, g *group[int], count int) []error {
	t.Helper()
	errs := make([]error, count)
	var calling errgroup.Group
	call := func(i int) { calling.Go(func() error { errs[i] = g.do(t.Context(), i); return nil }) }
	call(0)
	<-r.begun
	for i := 1; i < count; i++ {
		call(i)
	}
	for g.count() < count-1 {
		continue // they are on their way
	}
	close(r.let)
	if err := calling.Wait(); err != nil {
		t.Fatal(err)
	}
	g.wait()
	return errs
}

func TestGroupSharesRounds(t *testing.T) {
	t.Parallel()
	r, g := newRecorder(4, never)
	for i, err := range callAll(t, r, g, 10) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	var sizes []int
	for _, round := range r.rounds {
		sizes = append(sizes, len(round))
	}
	if !slices.Equal(sizes, []int{1, 4, 4, 1}) {
		t.Errorf("rounds of %v", sizes)
	}
}

func TestGroupFailsByOnesOwnFaultOnly(t *testing.T) {
	t.Parallel()
	r, g := newRecorder(10, func(calls []int) error {
		if slices.Contains(calls, 2) {
			return errInvalid
		}
		return nil
	})
	for i, err := range callAll(t, r, g, 5) {
		if want := i == 2; errors.Is(err, errInvalid) != want {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestGroupDoesNotRepeatWhatCannotSucceed(t *testing.T) {
	t.Parallel()
	r, g := newRecorder(10, func([]int) error { return errDown })
	for i, err := range callAll(t, r, g, 5) {
		if !errors.Is(err, errDown) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if len(r.rounds) != 2 {
		t.Errorf("rounds %v", r.rounds)
	}
}

func TestGroupGivesUpWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	r, g := newRecorder(10, never)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.do(ctx, 1) }()
	<-r.begun
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	g.wait() // the round ends although nobody lets it
	if err := g.do(ctx, 2); !errors.Is(err, context.Canceled) || len(r.rounds) != 0 {
		t.Errorf("got %v, rounds %v", err, r.rounds)
	}
}

func TestGroupGoesOnForThoseWhoStay(t *testing.T) {
	t.Parallel()
	r, g := newRecorder(10, never)
	leaving, leave := context.WithCancel(t.Context())
	left, stayed := make(chan error, 1), make(chan error, 1)
	first := make(chan error, 1)
	go func() { first <- g.do(t.Context(), 0) }()
	<-r.begun
	go func() { left <- g.do(leaving, 1) }()
	go func() { stayed <- g.do(t.Context(), 2) }()
	for g.count() < 2 {
		continue
	}
	r.let <- struct{}{}
	<-r.begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	r.let <- struct{}{}
	if err := errors.Join(<-first, <-stayed); err != nil {
		t.Error(err)
	}
}
