package remediation

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"shieldwall/internal/domain"
	"shieldwall/internal/domain/fault"
	"shieldwall/internal/wire"
)

// AllowlistAPI tells what is allowlisted.
type AllowlistAPI interface {
	// BouncerAllowlists returns all allowlists with their items. An error of any kind but Unavailable may
	// mean that the Local API tells machines only.
	BouncerAllowlists(ctx context.Context) ([]wire.Allowlist, error)
}

// AllowlistFollower keeps an Enforcer informed of what is allowlisted.
type AllowlistFollower struct {
	api      AllowlistAPI
	enforcer *Enforcer
	every    time.Duration
	log      *slog.Logger
	refused  string // the last reason for getting no answer: said already
}

// NewAllowlistFollower returns an AllowlistFollower that asks so often, once Run.
func NewAllowlistFollower(
	api AllowlistAPI, enforcer *Enforcer, every time.Duration, log *slog.Logger,
) *AllowlistFollower {
	return &AllowlistFollower{api: api, enforcer: enforcer, every: every, log: log}
}

// Run follows until ctx ends. While there is no answer, what was allowed last stays so.
func (f *AllowlistFollower) Run(ctx context.Context) {
	for ctx.Err() == nil {
		f.follow(ctx)
		_ = wait(ctx, f.every) // its end is looked at above
	}
}

func (f *AllowlistFollower) follow(ctx context.Context) {
	lists, err := f.api.BouncerAllowlists(ctx)
	if err != nil {
		f.complain(ctx, err)
		return
	}
	f.refused = ""
	if err := f.enforcer.Allow(ctx, f.elements(ctx, lists)); err != nil {
		f.log.ErrorContext(ctx, "enforcing allowlists", "error", err)
	}
}

// complain says why there is no answer, once for each reason. A published Local API tells machines only.
func (f *AllowlistFollower) complain(ctx context.Context, err error) {
	if ctx.Err() != nil || err.Error() == f.refused {
		return
	}
	f.refused = err.Error()
	if kind := fault.KindOf(err); kind == fault.Forbidden || kind == fault.Unauthorized || kind == fault.NotFound {
		f.log.InfoContext(ctx, "the local api does not tell components its allowlists, doing without", "reason", err)
		return
	}
	f.log.WarnContext(ctx, "allowlists cannot be read, the last ones stay in force", "error", err)
}

// elements returns the items of all lists in a fixed order. One that is on several lists passes as long as
// any of them says.
func (f *AllowlistFollower) elements(ctx context.Context, lists []wire.Allowlist) []Element {
	var elements []Element
	for _, list := range lists {
		for _, item := range list.Items {
			value, err := domain.ParseIPRange(item.Value)
			if err != nil {
				f.log.WarnContext(ctx, "item of an allowlist left out", "allowlist", list.Name, "reason", err)
				continue
			}
			elements = append(elements, Element{value, item.Expiration.Time})
		}
	}
	slices.SortFunc(elements, compareElements)
	return slices.CompactFunc(elements, func(a, b Element) bool { return a.IPRange == b.IPRange })
}

// compareElements orders by value, and puts the longest-lived of the same value first.
func compareElements(a, b Element) int {
	for _, addresses := range [][2]netip.Addr{{a.First, b.First}, {a.Last, b.Last}} {
		if order := addresses[0].Compare(addresses[1]); order != 0 {
			return order
		}
	}
	return compareBools(outlives(b.Until, a.Until), outlives(a.Until, b.Until))
}
