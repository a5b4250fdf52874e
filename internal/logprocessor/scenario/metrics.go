package scenario

import (
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/bucket"
)

// Metrics counts what buckets do, under the published names. A nil *Metrics counts nothing.
type Metrics struct {
	live                              *prometheus.GaugeVec
	instantiated, pouredIn            *prometheus.CounterVec
	overflowed, underflowed, canceled *prometheus.CounterVec
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
	}
}

// restart counts the live buckets that an engine begins with, by the identity of their scenarios.
func (m *Metrics) restart(buckets map[string]int, byIdentity map[string]*Scenario) {
	if m == nil {
		return
	}
	m.live.Reset()
	for identity, count := range buckets {
		m.live.WithLabelValues(byIdentity[identity].Name).Add(float64(count))
	}
}

func (m *Metrics) poured(pour *Pour, result bucket.Result) {
	if m == nil {
		return
	}
	if result.Outcome != bucket.Ignored && result.Outcome != bucket.Canceled {
		line := &pour.Input.Event.Line
		m.pouredIn.WithLabelValues(line.Src, line.Module, pour.Scenario.Name).Inc()
	}
	if result.Created {
		m.instantiated.WithLabelValues(pour.Scenario.Name).Inc()
		m.live.WithLabelValues(pour.Scenario.Name).Inc()
	}
}

func (m *Metrics) ended(scenario string, outcome bucket.Outcome) {
	if m == nil {
		return
	}
	switch outcome {
	case bucket.Overflow:
		m.overflowed.WithLabelValues(scenario).Inc()
	case bucket.Underflow:
		m.underflowed.WithLabelValues(scenario).Inc()
	case bucket.Canceled:
		m.canceled.WithLabelValues(scenario).Inc()
	case bucket.Kept, bucket.Ignored:
		return
	}
	m.live.WithLabelValues(scenario).Dec()
}
