package localapiclient

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// try is an attempt at one endpoint.
type try struct {
	*endpoint

	patience time.Duration // for the answer to begin; 0: any
}

// verdict is what the outcome of an attempt says about the endpoint.
type verdict uint8

const (
	answered  verdict = iota // it is well, whatever it thinks of the request
	doubtful                 // it had an internal error: its own fault, or that of the request
	broken                   // it is ill, and the request may have had its effect
	unreached                // it is ill, and has done nothing
	abandoned                // nobody knows: it was not asked, or the caller did not wait
)

// errInternal is what an endpoint had whose request another one could answer.
var errInternal = errors.New("internal error")

// lostError is a failure of the transport. It has the text of its cause.
type lostError struct {
	err  error
	sent bool // the request, perhaps
}

func (e *lostError) Error() string { return e.err.Error() }

func (e *lostError) Unwrap() error { return e.err }

// judge returns what the outcome of an attempt says.
func judge(ctx context.Context, err error) verdict {
	var (
		refused    *Error
		lost       *lostError
		remembered *rememberedError
	)
	switch {
	case err == nil:
		return answered
	case errors.As(err, &remembered):
		return abandoned
	case errors.As(err, &refused):
		return judgeStatus(refused.Status)
	case errors.Is(ctx.Err(), context.Canceled):
		return abandoned
	case errors.As(err, &lost) && lost.sent:
		return broken
	case lost != nil:
		return unreached
	case ctx.Err() != nil:
		return abandoned
	}
	return answered
}

func judgeStatus(status int) verdict {
	switch {
	case status < http.StatusInternalServerError:
		return answered
	case status == http.StatusInternalServerError:
		return doubtful
	case status == http.StatusServiceUnavailable:
		return unreached
	}
	return broken
}

// goesOn reports whether another endpoint may be tried after this one.
func (v verdict) goesOn(r request) bool {
	return v == unreached || (v == broken || v == doubtful) && !r.once
}

// anywhere makes attempts at one endpoint after the other, each at most once, until one of them has answered.
// The error is that of the last one.
func (c *Client) anywhere(ctx context.Context, r request, attempt func(context.Context, try) error) (err error) {
	tried := make([]bool, len(c.endpoints))
	var doubts []*endpoint
	for {
		t, ok := c.next(tried, r)
		if !ok {
			return err
		}
		err = attempt(ctx, t)
		verdict := judge(ctx, err)
		switch verdict {
		case abandoned:
			return err
		case doubtful:
			doubts = append(doubts, t.endpoint)
		case answered: // what others choke on is not the fault of the request
			c.answered(ctx, t.endpoint)
			c.blame(ctx, doubts)
		default:
			c.failed(ctx, t.endpoint, err)
		}
		if !verdict.goesOn(r) || ctx.Err() != nil {
			return err
		}
	}
}

// next chooses whom to try, and marks it; false when nobody is left.
func (c *Client) next(tried []bool, r request) (try, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	index, ok := c.choice.choose(now, tried)
	if !ok {
		return try{}, false
	}
	tried[index] = true
	t := try{endpoint: c.endpoints[index]}
	if _, more := c.choice.choose(now, tried); more && !r.once {
		t.patience = c.cfg.Patience + r.wait
	}
	return t, true
}

// active returns the endpoint to use as long as it works.
func (c *Client) active() *endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpoints[c.choice.active]
}

// answered notes that an endpoint is well.
func (c *Client) answered(ctx context.Context, e *endpoint) {
	c.mu.Lock()
	before := c.choice.active
	changed := c.choice.succeeded(e.index, c.cfg.Now())
	c.mu.Unlock()
	switch {
	case changed && e.index < before:
		c.log.InfoContext(ctx, "the preferred Local API is well again and used", "url", e.name)
	case changed:
		c.log.InfoContext(ctx, "another Local API answers and is used", "url", e.name)
	}
}

// failed notes that an endpoint is ill.
func (c *Client) failed(ctx context.Context, e *endpoint, err error) {
	var asked *Error
	var ask time.Duration
	if errors.As(err, &asked) {
		ask = asked.RetryAfter
	}
	c.mu.Lock()
	first := c.choice.known[e.index].failures == 0
	changed := c.choice.failed(e.index, c.cfg.Now(), ask, c.cfg.Random())
	next := c.endpoints[c.choice.active]
	c.mu.Unlock()
	if len(c.endpoints) == 1 {
		return // there is nobody else, and the caller says so
	}
	var refusal *CertificateError
	if first && errors.As(err, &refusal) {
		c.log.ErrorContext(ctx, "certificate refused", "url", e.name, "side", refusal.Side,
			"subject", refusal.Subject, "issuer", refusal.Issuer, "reason", refusal.Reason)
	}
	if changed {
		c.log.WarnContext(ctx, "the Local API fails, using another one", "url", e.name, "next", next.name, "error", err)
	}
}

// blame notes that endpoints had errors of their own.
func (c *Client) blame(ctx context.Context, doubts []*endpoint) {
	for _, e := range doubts {
		c.failed(ctx, e, errInternal)
	}
}
