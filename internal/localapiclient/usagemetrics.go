package localapiclient

import (
	"context"
	"net/http"

	"shieldwall/internal/wire"
)

// PushBouncerUsage tells the Local API what a bouncer did. NotFound from a Local API that is too old to
// know usage metrics.
func (c *Client) PushBouncerUsage(ctx context.Context, usage wire.UsageMetrics) error {
	return c.asBouncer(ctx, request{method: http.MethodPost, path: []string{"usage-metrics"}, body: usage})
}
