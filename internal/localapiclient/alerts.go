package localapiclient

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"shieldwall/internal/wire"
)

// AlertQuery selects alerts; fields that are zero select all.
type AlertQuery struct {
	Scope, Value     string // of the source
	Scenario         string // of the alert or of one of its decisions
	Kind             string
	IP, Range        string // a decision contains it, or is inside it when Inside is set
	Inside           bool
	Since, Until     time.Duration // started at most, at least this long ago
	Origin           string        // of one of the decisions
	DecisionType     string        // of one of the decisions
	ActiveOnly       bool          // has a decision that is active now
	ExcludeSimulated bool
	IncludeCAPI      bool // with the alerts of the Central API and of lists; not heeded by DeleteAlerts
	Limit            int  // 0: no limit; not heeded by DeleteAlerts
}

func (q AlertQuery) params() params {
	p := params{}
	p.text("scope", q.Scope)
	p.text("value", q.Value)
	p.text("scenario", q.Scenario)
	p.text("kind", q.Kind)
	p.text("ip", q.IP)
	p.text("range", q.Range)
	p.flag(q.Inside, "contains", "false")
	p.duration("since", q.Since)
	p.duration("until", q.Until)
	p.text("origin", q.Origin)
	p.text("decision_type", q.DecisionType)
	p.flag(q.ActiveOnly, "has_active_decision", "true")
	p.flag(q.ExcludeSimulated, "simulated", "false")
	return p
}

// PushAlerts stores alerts and returns the IDs of those that were stored, in order. Alerts that the Local
// API drops (allowlists) have none, so there may be fewer IDs than alerts.
func (c *Client) PushAlerts(ctx context.Context, alerts []wire.Alert) ([]string, error) {
	var ids []string
	err := c.asMachine(ctx, request{
		method: http.MethodPost, path: []string{"alerts"}, body: alerts,
		decode: into(&ids), maxSize: maxList, once: slices.ContainsFunc(alerts, isNameless),
	})
	return ids, err
}

// isNameless reports whether the Local API would store an alert again that it has already.
func isNameless(alert wire.Alert) bool { return alert.UUID == "" }

// PushEncoded is PushAlerts for alerts that are JSON already, one each. They have UUIDs.
func (c *Client) PushEncoded(ctx context.Context, alerts [][]byte) ([]string, error) {
	list := append([]byte{'['}, bytes.Join(alerts, []byte{','})...)
	var ids []string
	err := c.asMachine(ctx, request{
		method: http.MethodPost, path: []string{"alerts"}, body: encoded(append(list, ']')),
		decode: into(&ids), maxSize: maxList,
	})
	return ids, err
}

// Alerts returns the alerts that match, newest first, with all their decisions.
func (c *Client) Alerts(ctx context.Context, query AlertQuery) ([]wire.Alert, error) {
	p := query.params()
	p.text("include_capi", strconv.FormatBool(query.IncludeCAPI))
	p.text("limit", strconv.Itoa(query.Limit))
	var alerts []wire.Alert
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"alerts"}, query: url.Values(p), maxSize: maxList,
		decode: func(answer io.Reader) (err error) {
			alerts, err = wire.ReadAlerts(answer)
			return err
		},
	})
	return alerts, err
}

// Alert returns one alert, NotFound without one.
func (c *Client) Alert(ctx context.Context, id int64) (wire.Alert, error) {
	var alert wire.Alert
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"alerts", strconv.FormatInt(id, 10)},
		decode: into(&alert), maxSize: maxList,
	})
	return alert, err
}

// DeleteAlerts removes the alerts that match, with their decisions, and returns how many. Forbidden from
// an address that the Local API does not trust.
func (c *Client) DeleteAlerts(ctx context.Context, query AlertQuery) (int, error) {
	p := query.params()
	p.text("limit", "0")
	return c.remove(ctx, p, "alerts")
}

// DeleteAlert removes one alert and returns how many went.
func (c *Client) DeleteAlert(ctx context.Context, id int64) (int, error) {
	return c.remove(ctx, nil, "alerts", strconv.FormatInt(id, 10))
}
