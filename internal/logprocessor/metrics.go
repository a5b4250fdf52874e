package logprocessor

import (
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/event"
)

// Metrics counts lines, under the published names. A nil *Metrics counts nothing.
type Metrics struct {
	hits, hitsOK, hitsKO *prometheus.CounterVec
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	return &Metrics{
		hits:   counter("cs_parser_hits_total", "Lines read.", "source", "type"),
		hitsOK: counter("cs_parser_hits_ok_total", "Lines parsed.", "source", "type", "acquis_type"),
		hitsKO: counter("cs_parser_hits_ko_total", "Lines that no parser understood.", "source", "type", "acquis_type"),
	}
}

func (m *Metrics) parsed(evt *event.Event, ok bool) {
	if m == nil {
		return
	}
	line := &evt.Line
	m.hits.WithLabelValues(line.Src, line.Module).Inc()
	outcome := m.hitsKO
	if ok {
		outcome = m.hitsOK
	}
	outcome.WithLabelValues(line.Src, line.Module, line.Labels["type"]).Inc()
}
