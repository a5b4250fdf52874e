package remediation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"shieldwall/internal/localapiclient"
	"shieldwall/internal/wire"
)

const (
	// connectRetry is the published pause between attempts to reach a Local API that did not answer at start.
	connectRetry = 10 * time.Second
	// holdOpen is how long the Local API may hold a request until there is something to tell: less than the
	// half minute after which many proxies lose patience.
	holdOpen = 25 * time.Second
	// firstSetback is the pause after the first pull that came to nothing; it doubles with each.
	firstSetback = 200 * time.Millisecond
	// sameRevision is the pause after news that no change has made: bans that ended by themselves.
	sameRevision = 20 * time.Millisecond
	// longestPause bounds what a Local API may ask for.
	longestPause = 5 * time.Minute
)

// position is what the Local API and the component agree to have been told.
type position struct {
	complete bool   // nothing is missing; otherwise the next pull has to ask for everything
	marked   bool   // the Local API says how far its answers go, so the component itself knows where it is
	revision int64  // up to which it was told, when marked
	endpoint string // who told it
}

// pull is what came of asking once.
type pull struct {
	position

	news     bool // it told something
	advanced bool // up to a later revision
	took     time.Duration
	err      error
}

// poll follows the decisions until ctx ends: pushed by a Local API that can hold a request open, every
// PollEvery from any other. The error is that of the first answer.
func (c *Component) poll(ctx context.Context) error {
	c.log.InfoContext(ctx, "Processing new and deleted decisions . . .")
	last, err := c.connect(ctx)
	if err != nil {
		return err
	}
	setbacks := 0
	for {
		if last.isSetback() {
			setbacks++
		} else {
			setbacks = 0
		}
		if err := wait(ctx, c.options.pause(last, setbacks)); err != nil {
			return err
		}
		if last = c.pull(ctx, last.position); last.err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "polling the local api", "error", last.err)
		}
	}
}

// isSetback reports whether to ask again at once would be useless: it did not work, or the Local API does
// not hold requests open although it could.
func (p pull) isSetback() bool {
	return p.err != nil || !p.complete || !p.news && p.took < holdOpen/2
}

// pause returns how long to wait after a pull, the last of so many setbacks in a row.
func (o Options) pause(last pull, setbacks int) time.Duration {
	var asked *localapiclient.Error
	var ask time.Duration
	if errors.As(last.err, &asked) {
		ask = min(asked.RetryAfter, longestPause)
	}
	switch {
	case !last.marked:
		return max(ask, o.PollEvery-last.took)
	case setbacks > 0:
		pause := min(o.PollEvery, firstSetback<<min(setbacks-1, 16))
		return max(ask, pause/2+time.Duration(o.Random()*float64(pause/2)))
	case last.news && !last.advanced:
		return sameRevision
	}
	return 0
}

// connect returns after the first answer of the Local API.
func (c *Component) connect(ctx context.Context) (pull, error) {
	for {
		first := c.pull(ctx, position{})
		var unanswered *unansweredError
		if !errors.As(first.err, &unanswered) {
			if first.err != nil {
				c.log.ErrorContext(ctx, "enforcing decisions", "error", first.err)
			}
			return first, nil
		}
		if !c.options.RetryConnection || ctx.Err() != nil {
			return pull{}, unanswered.err
		}
		//nolint:sloglint // published text
		c.log.ErrorContext(ctx, fmt.Sprintf("failed to connect to LAPI, retrying in %s: %s", connectRetry, unanswered.err))
		if err := wait(ctx, connectRetry); err != nil {
			return pull{}, err
		}
	}
}

// unansweredError is a pull without an answer. It has the text of its cause.
type unansweredError struct{ err error }

func (e *unansweredError) Error() string { return e.err.Error() }

func (e *unansweredError) Unwrap() error { return e.err }

// pull asks once, from a position on, and has the answer enforced.
func (c *Component) pull(ctx context.Context, from position) pull {
	began := time.Now()
	c.requests.sent.Inc()
	query := c.query(from)
	asking, done := c.held.begin(ctx)
	defer done()
	if query.Wait == 0 {
		c.held.settle()
	}
	var batch *Batch
	stream, err := c.api.Stream(asking, query, func(head localapiclient.Stream) wire.StreamVisitor {
		c.held.settle()
		batch = c.batch(from, head)
		return batch
	})
	took := time.Since(began)
	switch {
	case err != nil && asking.Err() != nil && ctx.Err() == nil:
		return pull{position: from, took: took, news: true, advanced: true} // there is something to tell the Local API
	case err != nil:
		c.requests.failed.Inc()
		return pull{position: from.after(err), took: took, err: &unansweredError{err}}
	}
	to, err := c.accept(ctx, from, stream, batch)
	return pull{
		position: to, took: took, err: err, news: !batch.isEmpty(), advanced: to.revision > from.revision,
	}
}

// batch returns what takes an answer that begins. Everything replaces what is desired at once.
func (c *Component) batch(from position, head localapiclient.Stream) *Batch {
	if !from.complete || head.Marked && head.Since == 0 {
		return c.enforcer.Whole()
	}
	return c.enforcer.Delta()
}

func (c *Component) query(from position) localapiclient.StreamQuery {
	query := c.options.Query
	query.Startup = !from.complete
	if from.complete && from.marked {
		standing := c.enforcer.Standing()
		query.Revision, query.Wait, query.Standing = from.revision, holdOpen, &standing
	}
	return query
}

// after returns the position after a pull without an answer. A Local API that marks its answers tells again
// what was lost; another one may believe that its answer arrived.
func (p position) after(err error) position {
	switch {
	case errors.Is(err, localapiclient.ErrNotWhole):
		p.complete = false
	case !p.marked && answerMayBeLost(err):
		p.complete = false
	}
	return p
}

// answerMayBeLost reports whether the Local API may believe that its answer arrived. It does not when it
// refused the request or was never reached.
func answerMayBeLost(err error) bool {
	var refused *localapiclient.Error
	var network *net.OpError
	return !errors.As(err, &refused) && (!errors.As(err, &network) || network.Op != "dial")
}

// accept has an answer enforced and returns the position that it leads to. Everything replaces what is desired
// at once, so that nothing is open in between. That there is nothing at all is believed only of a Local API that
// marks its answers: others answer the same when they cannot read their own database.
func (c *Component) accept(
	ctx context.Context, from position, stream localapiclient.Stream, batch *Batch,
) (position, error) {
	to := position{complete: true, marked: stream.Marked, revision: stream.Revision, endpoint: stream.Endpoint}
	batch.Revision = stream.Revision
	switch {
	case stream.Marked && stream.Since == 0:
		return to, c.enforcer.Settle(ctx, batch)
	case !from.complete:
		believed, err := c.enforcer.Snapshot(ctx, batch)
		to.complete = believed
		return to, err
	}
	if !from.leadsTo(stream) {
		c.log.WarnContext(ctx, "the answer of the local api does not continue the last one, asking for everything",
			"endpoint", stream.Endpoint, "since", stream.Since, "told", from.revision)
		to.complete, batch.Revision = false, 0
	}
	return to, c.enforcer.Changes(ctx, batch)
}

// leadsTo reports whether nothing is missing between a position and an answer. Of one without marks that is
// known only if it comes from where the last one came from.
func (p position) leadsTo(stream localapiclient.Stream) bool {
	if stream.Marked != p.marked {
		return false
	}
	return stream.Marked && stream.Since <= p.revision || !stream.Marked && stream.Endpoint == p.endpoint
}
