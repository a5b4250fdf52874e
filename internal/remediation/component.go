package remediation

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

// reconcileShare bounds the cost of reconciling, which for a million elements is not small: the pause after it
// is at least so many times as long as it took.
const reconcileShare = 20

// lookAgain is the pause after differences were found, and repaired: what was repaired is proven by another look.
const lookAgain = 2 * time.Second

// LocalAPI is what a component needs of the Local API.
type LocalAPI interface {
	// Stream shows what changed since the last call, or everything with query.Startup, to what open returns.
	Stream(
		ctx context.Context, query localapiclient.StreamQuery, open func(localapiclient.Stream) wire.StreamVisitor,
	) (localapiclient.Stream, error)
}

// Options say how a Component polls.
type Options struct {
	Query           localapiclient.StreamQuery // Startup, Revision and Wait are ignored
	PollEvery       time.Duration              // positive; of a Local API that does not push
	ReconcileEvery  time.Duration              // positive; longer when it takes long
	ReconcileNow    <-chan os.Signal           // asks for reconciling out of turn; nil: nobody does
	RetryConnection bool                       // a first answer that is missing is waited for, not an error
	Random          func() float64             // in [0,1), for jitter; nil: math/rand
}

// Component polls the Local API and keeps an Enforcer informed.
type Component struct {
	api      LocalAPI
	enforcer *Enforcer
	options  Options
	requests *Requests
	log      *slog.Logger
	held     heldRequest
}

// NewComponent returns a Component that does nothing before Run.
func NewComponent(
	api LocalAPI, enforcer *Enforcer, options Options, requests *Requests, log *slog.Logger,
) *Component {
	if options.Random == nil {
		options.Random = rand.Float64
	}
	return &Component{api: api, enforcer: enforcer, options: options, requests: requests, log: log}
}

// Run polls and reconciles until ctx ends, then returns nil. The error is that of the first answer of the
// Local API, unless Options say to wait for it. Whatever the end, everything in force stays in force.
func (c *Component) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return c.poll(ctx) })
	group.Go(func() error { return c.reconcile(ctx) })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (c *Component) reconcile(ctx context.Context) error {
	pause := c.options.ReconcileEvery
	for {
		demanded, err := c.awaitReconciling(ctx, pause)
		if err != nil {
			return err
		}
		begin, before := time.Now(), c.enforcer.Standing()
		if err := c.enforcer.Reconcile(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "reconciling", "error", err)
		} else if demanded {
			c.log.InfoContext(ctx, "verified on demand", c.enforcer.Audits().Last.fields()...)
		}
		after := c.enforcer.Standing()
		if tellsNews(before, after) {
			c.held.interrupt()
		}
		pause = c.options.ReconcileEvery
		if after.Verified < after.Applied {
			pause = min(pause, lookAgain)
		}
		pause = max(pause, reconcileShare*time.Since(begin))
	}
}

// tellsNews reports whether a comparison has found something that is worth telling the Local API at once.
func tellsNews(before, after wire.Standing) bool {
	return before.Applied != after.Applied || before.Verified != after.Verified ||
		before.Missing != after.Missing || before.Stale != after.Stale || before.Foreign != after.Foreign
}

// awaitReconciling returns after pause, or when somebody demands it.
func (c *Component) awaitReconciling(ctx context.Context, pause time.Duration) (demanded bool, err error) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-timer.C:
		return false, nil
	case <-c.options.ReconcileNow:
		return true, nil
	}
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
