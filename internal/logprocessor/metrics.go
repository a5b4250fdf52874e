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

// lineCounts is what a worker has counted of the lines of one origin since it last told the metrics.
type lineCounts struct {
	metrics       *Metrics // nil: nothing is counted
	origin        event.Origin
	parsed, total int
}

func (c *lineCounts) add(line *event.Line, parsed bool) {
	if origin := line.Origin(); origin != c.origin {
		c.flush()
		c.origin = origin
	}
	c.total++
	if parsed {
		c.parsed++
	}
}

func (c *lineCounts) flush() {
	if c.metrics == nil || c.total == 0 {
		return
	}
	c.metrics.hits.WithLabelValues(c.origin.Src, c.origin.Module).Add(float64(c.total))
	c.outcome(c.metrics.hitsOK, c.parsed)
	c.outcome(c.metrics.hitsKO, c.total-c.parsed)
	c.parsed, c.total = 0, 0
}

func (c *lineCounts) outcome(vector *prometheus.CounterVec, count int) {
	if count > 0 {
		vector.WithLabelValues(c.origin.Src, c.origin.Module, c.origin.Type).Add(float64(count))
	}
}
