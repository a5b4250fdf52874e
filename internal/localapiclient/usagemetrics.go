package localapiclient

import (
	"context"
	"net/http"

	"shieldwall/internal/wire"
)

// PushBouncerUsage tells the Local API what a bouncer did. NotFound from a Local API that is too old to
// know usage metrics.
func (c *Client) PushBouncerUsage(ctx context.Context, usage wire.UsageMetrics) error {
	return c.asBouncer(ctx, usageRequest(usage))
}

// PushMachineUsage tells the Local API what a log processor did. NotFound as with PushBouncerUsage.
func (c *Client) PushMachineUsage(ctx context.Context, usage wire.UsageMetrics) error {
	return c.asMachine(ctx, usageRequest(usage))
}

func usageRequest(usage wire.UsageMetrics) request {
	return request{method: http.MethodPost, path: []string{"usage-metrics"}, body: usage, once: true}
}
