package sql

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// group lets calls that come at the same time share what each would do alone: while one round runs, the calls that
// arrive wait, and the next round takes them all. A call alone starts at once; where several callers are busy, a round
// waits a moment for those that were just answered, because a round costs much the same whatever its size.
type group[T any] struct {
	// run does what all calls of a round ask for, or nothing of it.
	run func(ctx context.Context, calls []T) error
	// separate says of an error of run that it may be the fault of one call.
	separate func(error) bool
	// limit is the most calls of a round.
	limit int

	mu      sync.Mutex // guards all below
	waiting []*member[T]
	running bool
	arrived chan struct{}  // has a token after each arrival, while rounds run
	rounds  sync.WaitGroup // the goroutine that runs rounds, while there is one
}

// member is a call that waits or runs.
type member[T any] struct {
	ctx  context.Context //nolint:containedctx // of the call, while it lasts
	call T
	done chan error // receives once
}

// do returns when the round that call was part of has ended. When ctx ends before, it returns at once: what the call
// asked for is done or not, as with any commit whose answer is lost.
func (g *group[T]) do(ctx context.Context, call T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m := &member[T]{ctx: ctx, call: call, done: make(chan error, 1)}
	g.enqueue(m)
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *group[T]) enqueue(m *member[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, m)
	if !g.running {
		g.running, g.arrived = true, make(chan struct{}, 1)
		g.rounds.Go(g.runRounds)
		return
	}
	select {
	case g.arrived <- struct{}{}:
	default:
	}
}

// runRounds ends when nobody waits any more.
func (g *group[T]) runRounds() {
	for {
		round := g.next()
		if len(round) == 0 {
			return
		}
		began := time.Now()
		g.runRound(round)
		if time.Since(began) < worthPatience {
			g.gather(len(round) + g.count())
		}
	}
}

const (
	// patience is how long a round waits for callers that may come again.
	patience = 500 * time.Microsecond
	// worthPatience bounds rounds of which a good part is their fixed cost.
	worthPatience = 10 * patience
)

// gather returns when as many calls wait as there were callers, or they take too long.
func (g *group[T]) gather(callers int) {
	if callers <= 1 {
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for g.count() < callers {
		select {
		case <-g.arrived:
		case <-timer.C:
			return
		}
	}
}

func (g *group[T]) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}

func (g *group[T]) next() []*member[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	round := g.waiting[:min(g.limit, len(g.waiting))]
	g.waiting = g.waiting[len(round):]
	g.running = len(round) > 0
	return round
}

// runRound runs the calls together. When that fails by the fault of one of them, each runs alone.
func (g *group[T]) runRound(round []*member[T]) {
	err := g.attempt(round)
	if err == nil || len(round) == 1 || !g.separate(err) {
		for _, m := range round {
			m.done <- err
		}
		return
	}
	for _, m := range round {
		m.done <- g.attempt([]*member[T]{m})
	}
}

// attempt gives up when no caller waits for the answer any more.
func (g *group[T]) attempt(round []*member[T]) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(round[0].ctx))
	defer cancel()
	var interested atomic.Int64
	interested.Store(int64(len(round)))
	calls := make([]T, len(round))
	for i, m := range round {
		calls[i] = m.call
		stop := context.AfterFunc(m.ctx, func() {
			if interested.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	return g.run(ctx, calls)
}

// wait returns when no round runs. Nobody may call any more.
func (g *group[T]) wait() { g.rounds.Wait() }
