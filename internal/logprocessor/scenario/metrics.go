package scenario

import (
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

// Metrics counts what buckets do, under the published names. A nil *Metrics counts nothing. Like the engine
// that counts, it is not safe for concurrent use.
type Metrics struct {
	live                              *prometheus.GaugeVec
	instantiated, pouredIn            *prometheus.CounterVec
	overflowed, underflowed, canceled *prometheus.CounterVec

	counters map[string]*counters // those of the vectors, by the name of the scenario
}

// counters are those of one scenario; nil: nothing was counted yet.
type counters struct {
	live                                            prometheus.Gauge
	instantiated, overflowed, underflowed, canceled prometheus.Counter
	poured                                          prometheus.Counter // for lines of the origin
	origin                                          event.Origin
}

// count adds one to a counter of a scenario, which exists from the first time on.
func count(counter *prometheus.Counter, vector *prometheus.CounterVec, scenario string) {
	if *counter == nil {
		*counter = vector.WithLabelValues(scenario)
	}
	(*counter).Inc()
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	live := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cs_buckets", Help: "Live buckets."}, []string{"name"})
	registry.MustRegister(live)
	return &Metrics{
		live:         live,
		instantiated: counter("cs_bucket_instantiation_total", "Buckets created.", "name"),
		pouredIn:     counter("cs_bucket_poured_total", "Events poured into buckets.", "source", "type", "name"),
		overflowed:   counter("cs_bucket_overflowed_total", "Buckets that overflowed.", "name"),
		underflowed:  counter("cs_bucket_underflowed_total", "Buckets that were idle until their end.", "name"),
		canceled:     counter("cs_bucket_canceled_total", "Buckets that were called off.", "name"),
		counters:     map[string]*counters{},
	}
}

func (m *Metrics) of(scenario string) *counters {
	c := m.counters[scenario]
	if c == nil {
		c = &counters{live: m.live.WithLabelValues(scenario)}
		m.counters[scenario] = c
	}
	return c
}

// restart counts the live buckets that an engine begins with, by the identity of their scenarios.
func (m *Metrics) restart(buckets map[string]int, byIdentity map[string]*Scenario) {
	if m == nil {
		return
	}
	m.live.Reset()
	clear(m.counters)
	for identity, count := range buckets {
		m.live.WithLabelValues(byIdentity[identity].Name).Add(float64(count))
	}
}

func (m *Metrics) poured(scenario string, from event.Origin, result bucket.Result) {
	if m == nil {
		return
	}
	c := m.of(scenario)
	if result.Outcome != bucket.Ignored && result.Outcome != bucket.Canceled {
		if c.poured == nil || from != c.origin {
			c.origin, c.poured = from, m.pouredIn.WithLabelValues(from.Src, from.Module, scenario)
		}
		c.poured.Inc()
	}
	if result.Created {
		count(&c.instantiated, m.instantiated, scenario)
		c.live.Inc()
	}
}

func (m *Metrics) ended(scenario string, outcome bucket.Outcome) {
	if m == nil {
		return
	}
	c := m.of(scenario)
	switch outcome {
	case bucket.Overflow:
		count(&c.overflowed, m.overflowed, scenario)
	case bucket.Underflow:
		count(&c.underflowed, m.underflowed, scenario)
	case bucket.Canceled:
		count(&c.canceled, m.canceled, scenario)
	case bucket.Kept, bucket.Ignored:
		return
	}
	c.live.Dec()
}
