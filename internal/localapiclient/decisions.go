package localapiclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// DecisionQuery selects decisions to delete; fields that are zero select all.
type DecisionQuery struct {
	IP, Range string // the decision contains it, or is inside it when Inside is set
	Inside    bool
	Value     string
	Type      string
	Scenario  string
	Origin    string
}

// LiveQuery selects decisions to enforce now; fields that are zero select all.
type LiveQuery struct {
	IP, Range              string // the decision contains it, or is inside it when Inside is set
	Inside                 bool
	Value                  string
	Type                   string
	Scopes                 []string
	Origins                []string
	ScenariosContaining    []string
	ScenariosNotContaining []string
}

// DeleteDecisions ends the active decisions that match and returns how many.
func (c *Client) DeleteDecisions(ctx context.Context, query DecisionQuery) (int, error) {
	p := params{}
	p.text("ip", query.IP)
	p.text("range", query.Range)
	p.flag(query.Inside, "contains", "false")
	p.text("value", query.Value)
	p.text("type", query.Type)
	p.text("scenario", query.Scenario)
	p.text("origin", query.Origin)
	return c.remove(ctx, p, "decisions")
}

// DeleteDecision ends one decision and returns how many ended.
func (c *Client) DeleteDecision(ctx context.Context, id int64) (int, error) {
	return c.remove(ctx, nil, "decisions", strconv.FormatInt(id, 10))
}

// Decisions returns the active decisions that match, in no order, to a bouncer. Forbidden for a key that
// the Local API does not know.
func (c *Client) Decisions(ctx context.Context, query LiveQuery) ([]wire.Decision, error) {
	p := params{}
	p.text("ip", query.IP)
	p.text("range", query.Range)
	p.flag(query.Inside, "contains", "false")
	p.text("value", query.Value)
	p.text("type", query.Type)
	p.list("scopes", query.Scopes)
	p.list("origins", query.Origins)
	p.list("scenarios_containing", query.ScenariosContaining)
	p.list("scenarios_not_containing", query.ScenariosNotContaining)
	var decisions []wire.Decision
	err := c.asBouncer(ctx, request{
		method: http.MethodGet, path: []string{"decisions"}, query: url.Values(p),
		decode: into(&decisions), maxSize: maxList,
	})
	return decisions, err
}

// Enforcement returns on which components an active decision is enforced; NotFound without one. A Local API that is
// not ours knows nothing of the kind: NotFound, too.
func (c *Client) Enforcement(ctx context.Context, id int64) (wire.Enforcement, error) {
	var enforcement wire.Enforcement
	err := c.asMachine(ctx, request{
		method: http.MethodGet, path: []string{"decisions", strconv.FormatInt(id, 10), "enforcement"},
		decode: into(&enforcement), maxSize: maxList,
	})
	return enforcement, err
}

// remove sends a deletion and returns the count that the Local API answers.
func (c *Client) remove(ctx context.Context, p params, path ...string) (int, error) {
	var deleted wire.Deleted
	err := c.asMachine(ctx, request{
		method: http.MethodDelete, path: path, query: url.Values(p),
		decode: into(&deleted), maxSize: maxSmall,
	})
	if err != nil {
		return 0, err
	}
	count, err := strconv.Atoi(deleted.NbDeleted)
	if err != nil {
		return 0, fault.Errorf(fault.Unavailable, "reading the number of deleted items: %w", err)
	}
	return count, nil
}
