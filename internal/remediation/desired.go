package remediation

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unique"

	"shieldwall/internal/domain"
	"shieldwall/internal/platform/duration"
	"shieldwall/internal/wire"
)

// unreadableDuration is how long a decision is enforced whose duration cannot be read: published behaviour.
const unreadableDuration = 4 * time.Hour

// errNotOurs is the reason for leaving out a decision that is meant for other components.
var errNotOurs = errors.New("not enforced here")

// Filter says which decisions a component enforces, and what its backend keeps together.
type Filter struct {
	Types      []string // of decisions, in lower case
	IPv4, IPv6 bool
	Group      func(origin string, ipv6 bool) string // nil: every origin by itself
}

// Desired is what has to be enforced: for every value the decisions about it, and the time when each kind
// of them ends. It is not safe for concurrent use.
type Desired struct {
	filter Filter
	sets   map[Set]*holdings
}

// NewDesired returns an empty state.
func NewDesired(filter Filter) *Desired {
	return &Desired{filter: filter, sets: map[Set]*holdings{}}
}

// kind is what decisions about one value are told apart by. A decision replaces an earlier one of its kind.
type kind struct {
	scope  domain.Scope
	typ    string
	origin string
}

// ruling is a decision that was understood.
type ruling struct {
	set   Set
	value domain.IPRange
	kind  unique.Handle[kind]
}

// OriginLabel names the origin of a decision as counters and sets do: lists by their own name.
func OriginLabel(origin, scenario string) string {
	if origin == "lists" {
		return "lists:" + scenario
	}
	return origin
}

// Add takes note of a decision that is in force from now on; the later end counts when there is one of the
// same kind already. The error says why a decision is left out.
func (d *Desired) Add(decision wire.Decision, now time.Time) (Set, domain.IPRange, error) {
	r, err := d.read(decision)
	if err != nil {
		return Set{}, domain.IPRange{}, err
	}
	remaining, err := duration.Parse(decision.Duration)
	if err != nil {
		remaining = unreadableDuration
	}
	if remaining <= 0 {
		return Set{}, domain.IPRange{}, fmt.Errorf("ended already: %w", errNotOurs)
	}
	held := d.sets[r.set]
	if held == nil {
		held = &holdings{until: map[holding]time.Time{}}
		d.sets[r.set] = held
	}
	held.add(r, now.Add(remaining))
	return r.set, r.value, nil
}

// Remove takes note that a decision is not in force any more, whatever its duration says. The error says
// why a decision is left out.
func (d *Desired) Remove(decision wire.Decision) (Set, domain.IPRange, error) {
	r, err := d.read(decision)
	if err != nil {
		return Set{}, domain.IPRange{}, err
	}
	if held := d.sets[r.set]; held != nil {
		delete(held.until, holding{r.value, r.kind})
	}
	return r.set, r.value, nil
}

func (d *Desired) read(decision wire.Decision) (ruling, error) {
	scope := domain.NormalizeScope(decision.Scope)
	typ := strings.ToLower(decision.Type)
	if !scope.IsAddress() || !slices.Contains(d.filter.Types, typ) {
		return ruling{}, fmt.Errorf("scope %s, type %s: %w", decision.Scope, decision.Type, errNotOurs)
	}
	value, err := domain.ParseIPRange(decision.Value)
	if err != nil {
		return ruling{}, err
	}
	if value.Is4() && !d.filter.IPv4 || !value.Is4() && !d.filter.IPv6 {
		return ruling{}, fmt.Errorf("address family of %s: %w", decision.Value, errNotOurs)
	}
	origin := OriginLabel(decision.Origin, decision.Scenario)
	group := origin
	if d.filter.Group != nil {
		group = d.filter.Group(origin, !value.Is4())
	}
	return ruling{
		set:   Set{Group: group, IPv6: !value.Is4(), Ranges: value.First != value.Last},
		value: value,
		kind:  unique.Make(kind{scope, typ, origin}),
	}, nil
}

// expire forgets what has ended.
func (d *Desired) expire(now time.Time) {
	for _, held := range d.sets {
		maps.DeleteFunc(held.until, func(_ holding, until time.Time) bool { return !until.After(now) })
	}
}

// until returns when value ceases to be enforced as an element of set; the zero time when it is not.
func (d *Desired) until(set Set, value domain.IPRange) time.Time {
	held := d.sets[set]
	if held == nil {
		return time.Time{}
	}
	until, _ := held.longest(value)
	return until
}

// elements yields what set has to hold: each address once, or disjoint ranges.
func (d *Desired) elements(set Set, now time.Time) iter.Seq[Element] {
	held := d.sets[set]
	switch {
	case held == nil:
		return func(func(Element) bool) {}
	case set.Ranges:
		return slices.Values(Disjoint(held.live(now)))
	}
	return held.addresses(now)
}

// holdings are the decisions about the values of one set.
type holdings struct {
	until map[holding]time.Time
	kinds []unique.Handle[kind] // all that occurred; a handful
}

type holding struct {
	value domain.IPRange
	kind  unique.Handle[kind]
}

func (h *holdings) add(r ruling, until time.Time) {
	if !slices.Contains(h.kinds, r.kind) {
		h.kinds = append(h.kinds, r.kind)
	}
	key := holding{r.value, r.kind}
	if until.After(h.until[key]) {
		h.until[key] = until
	}
}

// longest returns the latest end among the decisions about value, and the kind of the first that has it.
func (h *holdings) longest(value domain.IPRange) (time.Time, unique.Handle[kind]) {
	var until time.Time
	var winner unique.Handle[kind]
	for _, kind := range h.kinds {
		if candidate, ok := h.until[holding{value, kind}]; ok && candidate.After(until) {
			until, winner = candidate, kind
		}
	}
	return until, winner
}

func (h *holdings) live(now time.Time) []Element {
	var live []Element
	for key, until := range h.until {
		if until.After(now) {
			live = append(live, Element{key.value, until})
		}
	}
	return live
}

func (h *holdings) addresses(now time.Time) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for key, until := range h.until {
			if !until.After(now) {
				continue
			}
			if _, winner := h.longest(key.value); winner != key.kind {
				continue
			}
			if !yield(Element{key.value, until}) {
				return
			}
		}
	}
}
