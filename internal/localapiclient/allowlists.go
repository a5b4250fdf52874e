package localapiclient

import (
	"context"
	"net/http"
	"net/url"

	"shieldwall/internal/wire"
)

// CheckAllowlists says whether an address or range is on an allowlist, and why. NotFound from a Local API
// that has no allowlists.
func (c *Client) CheckAllowlists(ctx context.Context, value string) (wire.AllowlistCheck, error) {
	var check wire.AllowlistCheck
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"allowlists", "check", url.PathEscape(value)},
		decode: into(&check), maxSize: maxSmall,
	})
	return check, err
}

// Allowlists returns all allowlists with their items.
func (c *Client) Allowlists(ctx context.Context) ([]wire.Allowlist, error) {
	var lists []wire.Allowlist
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"allowlists"}, query: withContent(),
		decode: into(&lists), maxSize: maxList,
	})
	return lists, err
}

// BouncerAllowlists returns all allowlists with their items to a bouncer. Unauthorized or Forbidden from a
// Local API that tells machines only, NotFound from one that has no allowlists.
func (c *Client) BouncerAllowlists(ctx context.Context) ([]wire.Allowlist, error) {
	var lists []wire.Allowlist
	err := c.asBouncer(ctx, request{
		method: http.MethodGet, path: []string{"allowlists"}, query: withContent(),
		decode: into(&lists), maxSize: maxList,
	})
	return lists, err
}

// Allowlist returns one allowlist with its items. NotFound when there is none of that name.
func (c *Client) Allowlist(ctx context.Context, name string) (wire.Allowlist, error) {
	var list wire.Allowlist
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"allowlists", url.PathEscape(name)}, query: withContent(),
		decode: into(&list), maxSize: maxList,
	})
	return list, err
}

func withContent() url.Values { return url.Values{"with_content": {"true"}} }

// CheckManyAllowlists returns those of the targets, which are addresses and ranges, that are on an
// allowlist, and why. One that is neither is an Invalid error about the whole request.
func (c *Client) CheckManyAllowlists(ctx context.Context, targets []string) ([]wire.BulkAllowlistResult, error) {
	var answer wire.BulkAllowlistResults
	err := c.asMachine(ctx, request{
		method: http.MethodPost, path: []string{"allowlists", "check"}, body: wire.BulkAllowlistCheck{Targets: targets},
		decode: into(&answer), maxSize: maxList,
	})
	return answer.Results, err
}
