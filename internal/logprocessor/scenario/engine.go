package scenario

import (
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// Engine pours events into buckets and turns overflows into events. It is not safe for concurrent use: the
// order of its calls is the order that scenarios observe.
type Engine struct {
	byIdentity map[string]*Scenario
	families   map[*Scenario]*bucket.Family
	store      *bucket.Store
	metrics    *Metrics
}

// NewEngine returns an engine on store, which only it may use from now on. Buckets in store that belong to
// scenarios with the same text live on, all others are forgotten.
func NewEngine(set *Set, store *bucket.Store, metrics *Metrics) *Engine {
	e := &Engine{byIdentity: map[string]*Scenario{}, families: map[*Scenario]*bucket.Family{}, store: store, metrics: metrics}
	for _, scenario := range set.scenarios {
		e.byIdentity[scenario.identity] = scenario
	}
	e.metrics.restart(store.Retain(e.shape), e.byIdentity)
	for _, scenario := range set.scenarios {
		e.families[scenario] = store.Family(scenario.identity, &scenario.bucket)
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
// nothing.
func (e *Engine) Foresee(pours []Pour) {
	if !e.store.Crowded() {
		return
	}
	var visits [bucket.MaxForeseen]bucket.Visit
	for len(pours) > 0 {
		count := min(len(pours), len(visits))
		for i := range pours[:count] {
			visits[i] = bucket.Visit{Family: e.families[pours[i].Scenario], Group: pours[i].Group}
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
		results := e.families[pour.Scenario].Pour(pour.Group, pour.Input)
		e.metrics.poured(pour.Scenario.Name, from, results[len(results)-1])
		overflows = append(overflows, e.handle(results)...)
	}
	return overflows
}

// Expire ends the buckets whose time has come and returns the overflows of those that overflow at their
// end. Call it about once a second.
func (e *Engine) Expire(now time.Time) []*event.Event {
	return e.handle(e.store.Expire(now))
}

func (e *Engine) handle(results []bucket.Result) []*event.Event {
	var overflows []*event.Event
	for _, result := range results {
		scenario := e.byIdentity[result.Key.Scenario]
		e.metrics.ended(scenario.Name, result.Outcome)
		if result.Outcome != bucket.Overflow {
			continue
		}
		if evt := e.overflow(scenario, result); evt != nil {
			overflows = append(overflows, evt)
		}
	}
	return overflows
}

// overflow returns nil when the overflow is not to be heard of.
func (e *Engine) overflow(s *Scenario, result bucket.Result) *event.Event {
	evt, err := s.overflowEvent(result.State, result.At)
	if err != nil {
		s.log.Error("overflow without alert", "group", result.Key.Group, "error", err)
		return nil
	}
	if s.overflow != nil {
		s.addContext(evt, result.State.Queue) // the filter can read it
		if !s.passes(evt, result) {
			return nil
		}
	}
	if s.blackhole > 0 && e.store.Silenced(result, s.blackhole) {
		return nil
	}
	if s.overflow == nil {
		s.addContext(evt, result.State.Queue)
	}
	return evt
}

// passes asks the overflow filter. One that cannot be evaluated lets the alert through.
func (s *Scenario) passes(evt *event.Event, result bucket.Result) bool {
	leaky := s.leaky(result.State)
	leaky.Ovflw_ts = result.At
	pass, err := s.overflow.Eval(&overflowEnv{Queue: leaky.Queue, Signal: &evt.Overflow, Leaky: leaky})
	if err != nil {
		s.log.Warn("overflow_filter cannot be evaluated, letting the alert through", "error", err)
		return true
	}
	return pass
}
