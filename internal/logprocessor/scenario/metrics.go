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

// counters are those of one scenario, which exist from the first time on. A nil *counters counts nothing.
type counters struct {
	metrics  *Metrics
	scenario string

	live                                            prometheus.Gauge
	instantiated, overflowed, underflowed, canceled prometheus.Counter
	poured                                          prometheus.Counter // for lines of the origin
	origin                                          event.Origin
}

// count adds one to a counter.
func (c *counters) count(counter *prometheus.Counter, vector *prometheus.CounterVec) {
	if *counter == nil {
		*counter = vector.WithLabelValues(c.scenario)
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
	if m == nil {
		return nil
	}
	c := m.counters[scenario]
	if c == nil {
		c = &counters{metrics: m, scenario: scenario}
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

func (c *counters) pour(from event.Origin, result *bucket.Result) {
	if c == nil {
		return
	}
	if result.Outcome != bucket.Ignored && result.Outcome != bucket.Canceled {
		if c.poured == nil || from != c.origin {
			c.origin, c.poured = from, c.metrics.pouredIn.WithLabelValues(from.Src, from.Module, c.scenario)
		}
		c.poured.Inc()
	}
	if result.Created {
		c.count(&c.instantiated, c.metrics.instantiated)
		c.gauge().Inc()
	}
}

func (c *counters) end(outcome bucket.Outcome) {
	if c == nil {
		return
	}
	switch outcome {
	case bucket.Overflow:
		c.count(&c.overflowed, c.metrics.overflowed)
	case bucket.Underflow:
		c.count(&c.underflowed, c.metrics.underflowed)
	case bucket.Canceled:
		c.count(&c.canceled, c.metrics.canceled)
	case bucket.Kept, bucket.Ignored:
		return
	}
	c.gauge().Dec()
}

func (c *counters) gauge() prometheus.Gauge {
	if c.live == nil {
		c.live = c.metrics.live.WithLabelValues(c.scenario)
	}
	return c.live
}
