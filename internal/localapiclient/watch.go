package localapiclient

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"shieldwall/internal/domain/fault"
)

// probeTimeout is how long an endpoint may take to say that it is well.
const probeTimeout = 3 * time.Second

// Watch asks endpoints how they are until ctx ends: those that are preferred to the one in use, to go back to
// them, and that one while requests wait for it, which are sent elsewhere if it does not answer. With one URL
// there is nothing to watch, and it returns at once.
func (c *Client) Watch(ctx context.Context) {
	if len(c.endpoints) == 1 {
		return
	}
	ticker := time.NewTicker(c.cfg.ProbeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.probeAll(ctx)
		}
	}
}

func (c *Client) probeAll(ctx context.Context) {
	var group sync.WaitGroup
	for _, e := range c.interesting() {
		group.Go(func() { c.examine(ctx, e) })
	}
	group.Wait()
}

// interesting returns the endpoints to look at now.
func (c *Client) interesting() []*endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*endpoint
	now := c.cfg.Now()
	for _, e := range c.endpoints[:c.choice.active+1] {
		h := c.choice.known[e.index]
		if h.asked && now.Before(h.until) || e.index == c.choice.active && !e.waits.any() {
			continue
		}
		found = append(found, e)
	}
	return found
}

// examine asks an endpoint how it is, twice before it counts as silent.
func (c *Client) examine(ctx context.Context, e *endpoint) {
	err := c.probe(ctx, e)
	if isTimeout(err) && ctx.Err() == nil {
		err = c.probe(ctx, e)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.answered(ctx, e)
	default:
		c.failed(ctx, e, err)
		e.waits.end(errUnwell)
	}
}

// probe returns nil when an endpoint is well: it answers anything that is not an error of its own.
func (c *Client) probe(ctx context.Context, e *endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base.JoinPath("health").String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	res, err := e.http.Do(req)
	if err != nil {
		return fault.Mark(fault.Unavailable, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusInternalServerError {
		return refusal(res)
	}
	return nil
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
