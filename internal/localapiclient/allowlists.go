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
