package plan

import (
	"log/slog"
	"slices"
	"strings"

	"shieldwall/internal/domain/fault"
	"shieldwall/internal/hub"
)

// Remove plans to remove items, and with collections the items that nothing else needs. A tainted item is refused unless
// that is forced: an error of kind fault.Invalid.
func Remove(holdings *hub.Holdings, items []*hub.Holding, o Options) (Plan, error) {
	r := remover{builder: builder{holdings: holdings, options: o, seen: map[*hub.Holding]bool{}}, going: map[string]bool{}}
	for _, item := range items {
		r.goes(item)
	}
	for _, item := range items {
		if err := r.named(item); err != nil {
			return Plan{}, err
		}
	}
	return r.plan, nil
}

type remover struct {
	builder

	going map[string]bool // names of collections that will not be there
}

// goes marks a collection, and those in it, as long as no other one needs them. What is refused later leaves no plan, or
// nothing that is kept for its sake.
func (r *remover) goes(item *hub.Holding) {
	if item.Kind != hub.Collections || r.going[item.Name] || r.kept(item) {
		return
	}
	r.going[item.Name] = true
	for _, need := range item.Needs {
		part := r.holdings.Find(need)
		if part != nil && need.Kind == hub.Collections && len(r.owners(part)) == 0 {
			r.goes(part)
		}
	}
}

// kept reports whether an item that was named stays all the same.
func (r *remover) kept(item *hub.Holding) bool {
	return item.Local || !r.options.Force && !r.options.All && len(r.owners(item)) > 0
}

// owners returns the installed collections that name the item, and stay.
func (r *remover) owners(item *hub.Holding) []string {
	return slices.DeleteFunc(slices.Clone(item.BelongsTo), func(name string) bool {
		owner := r.holdings.Find(hub.Ref{Kind: hub.Collections, Name: name})
		return owner == nil || !owner.Installed || r.going[name]
	})
}

func (r *remover) named(item *hub.Holding) error {
	switch {
	case item.Local:
		r.plan.notice(slog.LevelWarn, "%s is a local item, please delete manually", item)
		return nil
	case item.Tainted && item.Installed && !r.options.Force:
		return fault.Errorf(fault.Invalid, "%s is tainted, use '--force' to remove", item.Name)
	}
	if owners := r.owners(item); len(owners) > 0 && item.Installed && !r.options.Force {
		r.plan.notice(slog.LevelWarn, "%s belongs to collections: [%s]", item.Name, strings.Join(owners, " "))
		r.plan.notice(slog.LevelWarn, "Run 'sudo cscli %s remove %s --force' if you want to force remove this %s",
			item.Kind, item.Name, item.Kind.Singular())
		return nil
	}
	r.remove(item)
	return nil
}

func (r *remover) remove(item *hub.Holding) {
	if r.seen[item] {
		return
	}
	r.seen[item] = true
	for _, need := range item.Needs {
		part := r.holdings.Find(need)
		if part != nil && !part.Local && len(r.owners(part)) == 0 {
			r.remove(part)
		}
	}
	if item.Installed {
		r.plan.add(Disable, item)
	}
	if item.Downloaded && r.options.Purge {
		r.plan.add(Purge, item)
	}
}
