package remediation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

const (
	// connectRetry is the published pause between attempts to reach a Local API that did not answer at start.
	connectRetry = 10 * time.Second
	// reconcileShare bounds the cost of reconciling, which for a million elements is not small: the pause
	// after it is at least so many times as long as it took.
	reconcileShare = 20
)

// LocalAPI is what a component needs of the Local API.
type LocalAPI interface {
	// Stream returns what changed since the last call, or everything with query.Startup.
	Stream(ctx context.Context, query localapiclient.StreamQuery) (wire.DecisionsStream, error)
}

// Options say how a Component polls.
type Options struct {
	Query           localapiclient.StreamQuery // Startup is ignored
	PollEvery       time.Duration              // positive
	ReconcileEvery  time.Duration              // positive; longer when it takes long
	RetryConnection bool                       // a first answer that is missing is waited for, not an error
}

// Component polls the Local API and keeps an Enforcer informed.
type Component struct {
	api      LocalAPI
	enforcer *Enforcer
	options  Options
	requests *Requests
	log      *slog.Logger
}

// NewComponent returns a Component that does nothing before Run.
func NewComponent(
	api LocalAPI, enforcer *Enforcer, options Options, requests *Requests, log *slog.Logger,
) *Component {
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

func (c *Component) poll(ctx context.Context) error {
	c.log.InfoContext(ctx, "Processing new and deleted decisions . . .")
	ticker := time.NewTicker(c.options.PollEvery)
	defer ticker.Stop()
	position, err := c.connect(ctx)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if position, err = c.pull(ctx, position); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "polling the local api", "error", err)
		}
	}
}

// position is what the Local API and the component agree to have been told.
type position bool

const (
	nothingTold    position = false // the next pull has to ask for everything
	everythingTold position = true  // the next pull may ask for changes
)

// connect returns after the first answer of the Local API.
func (c *Component) connect(ctx context.Context) (position, error) {
	for {
		stream, err := c.request(ctx, nothingTold)
		if err == nil {
			told, err := c.accept(ctx, nothingTold, stream)
			if err != nil {
				c.log.ErrorContext(ctx, "enforcing decisions", "error", err)
			}
			return told, nil
		}
		if !c.options.RetryConnection || ctx.Err() != nil {
			return nothingTold, err
		}
		//nolint:sloglint // published text
		c.log.ErrorContext(ctx, fmt.Sprintf("failed to connect to LAPI, retrying in %s: %s", connectRetry, err))
		if err := wait(ctx, connectRetry); err != nil {
			return nothingTold, err
		}
	}
}

func (c *Component) pull(ctx context.Context, told position) (position, error) {
	stream, err := c.request(ctx, told)
	if err != nil {
		if answerMayBeLost(err) {
			told = nothingTold
		}
		return told, err
	}
	return c.accept(ctx, told, stream)
}

func (c *Component) request(ctx context.Context, told position) (wire.DecisionsStream, error) {
	query := c.options.Query
	query.Startup = told == nothingTold
	c.requests.sent.Inc()
	stream, err := c.api.Stream(ctx, query)
	if err != nil {
		c.requests.failed.Inc()
	}
	return stream, err
}

func (c *Component) accept(ctx context.Context, told position, stream wire.DecisionsStream) (position, error) {
	if told == everythingTold {
		return told, c.enforcer.Changes(ctx, stream)
	}
	believed, err := c.enforcer.Snapshot(ctx, stream)
	return position(believed), err
}

// answerMayBeLost reports whether the Local API may believe that its answer arrived. It does not when it
// refused the request or was never reached.
func answerMayBeLost(err error) bool {
	var refused *localapiclient.Error
	var network *net.OpError
	return !errors.As(err, &refused) && (!errors.As(err, &network) || network.Op != "dial")
}

func (c *Component) reconcile(ctx context.Context) error {
	pause := c.options.ReconcileEvery
	for {
		if err := wait(ctx, pause); err != nil {
			return err
		}
		begin := time.Now()
		if err := c.enforcer.Reconcile(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "reconciling", "error", err)
		}
		pause = max(c.options.ReconcileEvery, reconcileShare*time.Since(begin))
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
