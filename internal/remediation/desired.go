package remediation

import (
	"errors"
	"fmt"
	"iter"
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

// Filter says which decisions a component enforces, and in which way its backend does.
type Filter struct {
	Traits

	Types      []string // of decisions, in lower case
	Origins    []string // of decisions; empty: all
	IPv4, IPv6 bool
}

// Desired is what has to be enforced: for every value the decisions about it, and the time when each kind
// of them ends; and what passes in spite of them. It is not safe for concurrent use.
type Desired struct {
	filter  Filter
	sets    map[Set]*holdings
	journal touched // what was known of values before they were changed; nil: nobody asks
}

// NewDesired returns an empty state.
func NewDesired(filter Filter) *Desired {
	return &Desired{filter: filter, sets: map[Set]*holdings{}}
}

// clone returns a copy that others may change.
func (d *Desired) clone() *Desired {
	copied := NewDesired(d.filter)
	for set, held := range d.sets {
		copied.sets[set] = held.clone()
	}
	return copied
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
	h, err := d.understand(decision, now)
	if err != nil {
		return Set{}, domain.IPRange{}, err
	}
	d.hold(h.ruling, h.until)
	return h.set, h.value, nil
}

// Remove takes note that a decision is not in force any more, whatever its duration says. The error says
// why a decision is left out.
func (d *Desired) Remove(decision wire.Decision) (Set, domain.IPRange, error) {
	r, err := d.read(decision)
	if err != nil {
		return Set{}, domain.IPRange{}, err
	}
	d.release(r)
	return r.set, r.value, nil
}

// understand reads a decision that begins now.
func (d *Desired) understand(decision wire.Decision, now time.Time) (holding, error) {
	r, err := d.read(decision)
	if err != nil {
		return holding{}, err
	}
	remaining, err := duration.Parse(decision.Duration)
	if err != nil {
		remaining = unreadableDuration
	}
	if remaining <= 0 {
		return holding{}, fmt.Errorf("ended already: %w", errNotOurs)
	}
	return holding{r, now.Add(remaining)}, nil
}

// Allow replaces what passes in spite of bans. Of a family that is not enforced nothing is kept.
func (d *Desired) Allow(elements []Element) {
	for _, set := range allowSets() {
		delete(d.sets, set)
	}
	for _, element := range elements {
		if r, err := d.rule(kind{scope: allowedScope}, element.IPRange); err == nil {
			d.hold(r, element.Until)
		}
	}
	for _, set := range allowSets() {
		if d.sets[set] == nil {
			d.sets[set] = newHoldings(set) // known to be empty
		}
	}
}

// allowSets are the sets of what passes.
func allowSets() []Set {
	return []Set{{Allow: true, Ranges: true}, {Allow: true, Ranges: true, IPv6: true}}
}

// adopt takes note of everything that is enforced and that nothing is known about.
func (d *Desired) adopt(enforced Enforced, now time.Time) {
	for set, elements := range enforced.Sets {
		for value, until := range elements {
			if known, ok := d.until(set, value); inForce(until, now) && (!ok || !inForce(known, now)) {
				d.hold(ruling{set, value, unique.Make(kind{scope: adoptedScope})}, until)
			}
		}
	}
}

// The scopes of what no decision is about. Decisions do not have them.
const (
	allowedScope domain.Scope = "allowlist"
	adoptedScope domain.Scope = "adopted"
)

func (d *Desired) hold(r ruling, until time.Time) {
	d.note(r)
	held := d.sets[r.set]
	if held == nil {
		held = newHoldings(r.set)
		d.sets[r.set] = held
	}
	held.add(r, until)
}

func (d *Desired) release(r ruling) {
	d.note(r)
	if held := d.sets[r.set]; held != nil {
		held.remove(r)
	}
}

// note takes down what is known of a value that is about to change.
func (d *Desired) note(r ruling) {
	if d.journal == nil {
		return
	}
	until, known := d.until(r.set, r.value)
	d.journal.add(r.set, r.value, before{until, known})
}

func (d *Desired) read(decision wire.Decision) (ruling, error) {
	scope := domain.NormalizeScope(decision.Scope)
	typ := strings.ToLower(decision.Type)
	if !scope.IsAddress() || !slices.Contains(d.filter.Types, typ) {
		return ruling{}, fmt.Errorf("scope %s, type %s: %w", decision.Scope, decision.Type, errNotOurs)
	}
	if len(d.filter.Origins) > 0 && !slices.Contains(d.filter.Origins, decision.Origin) {
		return ruling{}, fmt.Errorf("origin %s: %w", decision.Origin, errNotOurs)
	}
	value, err := domain.ParseIPRange(decision.Value)
	if err != nil {
		return ruling{}, err
	}
	return d.rule(kind{scope, typ, OriginLabel(decision.Origin, decision.Scenario)}, value)
}

// rule finds the set for a value.
func (d *Desired) rule(about kind, value domain.IPRange) (ruling, error) {
	if value.Is4() && !d.filter.IPv4 || !value.Is4() && !d.filter.IPv6 {
		return ruling{}, fmt.Errorf("address family of %s: %w", Text(value), errNotOurs)
	}
	set := Set{IPv6: !value.Is4(), Ranges: true, Allow: true}
	if about.scope != allowedScope {
		set = Set{Group: about.origin, IPv6: !value.Is4(), Ranges: value.First != value.Last}
		if d.filter.Group != nil {
			set.Group = d.filter.Group(about.origin, set.IPv6)
		}
	}
	return ruling{set: set, value: value, kind: unique.Make(about)}, nil
}

// expire forgets what has ended long enough ago for every backend to have noticed.
func (d *Desired) expire(now time.Time) {
	for _, held := range d.sets {
		held.expire(now.Add(-2 * grace))
	}
}

// until returns when value ceases to be enforced as an element of set; ok is false when it never was.
func (d *Desired) until(set Set, value domain.IPRange) (until time.Time, ok bool) {
	held := d.sets[set]
	if held == nil {
		return time.Time{}, false
	}
	end, _, ok := held.longest(value)
	return end.time(), ok
}

// elements yields what set has to hold: each address once, or disjoint ranges.
func (d *Desired) elements(set Set, now time.Time) iter.Seq[Element] {
	held := d.sets[set]
	switch {
	case held == nil:
		return func(func(Element) bool) {}
	case set.Ranges && d.filter.Prefixes:
		return split(Disjoint(slices.Collect(held.live(now))))
	case set.Ranges:
		return slices.Values(Disjoint(slices.Collect(held.live(now))))
	}
	return held.addresses(now)
}

// split yields elements as prefixes.
func split(elements []Element) iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for _, element := range elements {
			for _, part := range prefixes(element.IPRange) {
				if !yield(Element{part, element.Until}) {
					return
				}
			}
		}
	}
}
