package scenario

import (
	"slices"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// Engine pours events into buckets and turns overflows into events. It is not safe for concurrent use: the
// order of its calls is the order that scenarios observe.
type Engine struct {
	byIdentity map[string]*Scenario
	places     []place // of the scenarios, by their number
	store      *bucket.Store
	metrics    *Metrics
	unpacker   event.Unpacker // of buckets that overflow
}

// place is what belongs to one scenario.
type place struct {
	family  *bucket.Family
	counted *counters
}

// NewEngine returns an engine on store, which only it may use from now on. Buckets in store that belong to
// scenarios with the same text live on, all others are forgotten.
func NewEngine(set *Set, store *bucket.Store, metrics *Metrics) *Engine {
	e := &Engine{byIdentity: map[string]*Scenario{}, store: store, metrics: metrics}
	for _, scenario := range set.scenarios {
		e.byIdentity[scenario.identity] = scenario
	}
	e.metrics.restart(store.Retain(e.shape), e.byIdentity)
	for _, scenario := range set.scenarios {
		e.places = append(e.places, place{store.Family(scenario.identity, &scenario.bucket), metrics.of(scenario.Name)})
	}
	return e
}

// shape returns nil for a scenario that is not there any more, or has changed.
func (e *Engine) shape(identity string) *bucket.Config {
	if scenario := e.byIdentity[identity]; scenario != nil {
		return &scenario.bucket
	}
	return nil
}

// Foresee makes pours faster that are about to come, those of a batch say, when there are many buckets. It changes
// nothing but that the pours know where theirs are.
func (e *Engine) Foresee(pours []Pour) {
	if !e.store.Crowded() {
		return
	}
	var visits [bucket.MaxForeseen]bucket.Visit
	for len(pours) > 0 {
		count := min(len(pours), len(visits))
		for i := range pours[:count] {
			visits[i] = bucket.Visit{Family: e.places[pours[i].Scenario.number].family, Group: pours[i].Group, Input: &pours[i].Input}
		}
		e.store.Foresee(visits[:count])
		pours = pours[count:]
	}
}

// Pour performs the pours of an event that comes from there, and returns the overflows they cause, in order.
func (e *Engine) Pour(pours []Pour, from event.Origin) []*event.Event {
	var overflows []*event.Event
	for i := range pours {
		pour := &pours[i]
		if len(pour.Scenario.twins) > 0 {
			pour, overflows = e.host(overflows, pours, pour)
		}
		place := &e.places[pour.Scenario.number]
		results := place.family.Pour(pour.Group, pour.Input)
		place.counted.pour(from, &results[len(results)-1])
		for j := range results {
			overflows = e.handle(overflows, pour.Scenario, &results[j])
		}
	}
	return overflows
}

// host finds the scenario that made the bucket that a pour goes into: it may be a twin, which then treats the event as
// its own. Only one of twins has a bucket of a group.
func (e *Engine) host(overflows []*event.Event, pours []Pour, guest *Pour) (*Pour, []*event.Event) {
	for _, number := range guest.Scenario.twins {
		at := slices.IndexFunc(pours, func(other Pour) bool { return other.Scenario.number == number })
		if at < 0 {
			continue
		}
		ended, there := e.places[number].family.Holds(guest.Group, guest.Input.At)
		for i := range ended {
			overflows = e.handle(overflows, pours[at].Scenario, &ended[i])
		}
		if there {
			return &pours[at], overflows
		}
	}
	return guest, overflows
}

// Expire ends the buckets whose time has come and returns the overflows of those that overflow at their
// end. Call it about once a second.
func (e *Engine) Expire(now time.Time) []*event.Event {
	var overflows []*event.Event
	results := e.store.Expire(now)
	for i := range results {
		overflows = e.handle(overflows, e.byIdentity[results[i].Key.Scenario], &results[i])
	}
	return overflows
}

// handle appends the overflow that a result is, if any.
func (e *Engine) handle(overflows []*event.Event, s *Scenario, result *bucket.Result) []*event.Event {
	e.places[s.number].counted.end(result.Outcome)
	if result.Outcome == bucket.Overflow {
		if evt := e.overflow(s, *result); evt != nil {
			overflows = append(overflows, evt)
		}
	}
	return overflows
}

// overflow returns nil when the overflow is not to be heard of, which is known first unless a filter wants to see it.
func (e *Engine) overflow(s *Scenario, result bucket.Result) *event.Event {
	if s.overflow == nil && s.blackhole > 0 && e.store.Silent(result) {
		return nil
	}
	queue := e.unpacker.Unpack(result.State.Kept)
	evt, err := s.overflowEvent(result.State, queue, result.At)
	if err != nil {
		s.log.Error("overflow without alert", "group", result.Key.Group, "error", err)
		return nil
	}
	if s.overflow != nil {
		s.addContext(evt, queue) // the filter can read it
		if !s.passes(evt, queue, result) {
			return nil
		}
	}
	if s.blackhole > 0 && e.store.Silenced(result, s.blackhole) {
		return nil
	}
	if s.overflow == nil {
		s.addContext(evt, queue)
	}
	return evt
}

// passes asks the overflow filter. One that cannot be evaluated lets the alert through.
func (s *Scenario) passes(evt *event.Event, queue []*event.Event, result bucket.Result) bool {
	for _, one := range queue {
		one.Maps()
	}
	leaky := s.leaky(result.State, queue)
	leaky.Ovflw_ts = result.At
	pass, err := s.overflow.Eval(&overflowEnv{Queue: leaky.Queue, Signal: &evt.Overflow, Leaky: leaky})
	if err != nil {
		s.log.Warn("overflow_filter cannot be evaluated, letting the alert through", "error", err)
		return true
	}
	return pass
}
