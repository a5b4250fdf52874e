package logprocessor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/event"
)

// Metrics counts lines, under the published names. A nil *Metrics counts nothing.
type Metrics struct {
	hits, hitsOK, hitsKO *prometheus.CounterVec
	parsing, pouring     *prometheus.HistogramVec
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	histogram := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		vector := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{"type", "source"})
		registry.MustRegister(vector)
		return vector
	}
	return &Metrics{
		parsing: histogram("cs_parsing_time_seconds", "Time to parse a line, one mean a batch.",
			.0005, .001, .0015, .002, .0025, .003, .004, .005, .0075, .01),
		pouring: histogram("cs_bucket_pour_seconds", "Time to pour the events of a line, one mean a batch.",
			.001, .002, .005, .01, .015, .02, .03, .04, .05),
		hits:   counter("cs_parser_hits_total", "Lines read.", "source", "type"),
		hitsOK: counter("cs_parser_hits_ok_total", "Lines parsed.", "source", "type", "acquis_type"),
		hitsKO: counter("cs_parser_hits_ko_total", "Lines that no parser understood.", "source", "type", "acquis_type"),
	}
}

// parsed and poured tell how long the lines of a batch took: looking at the clock for each would take longer than
// most of them do.
func (m *Metrics) parsed(lines []event.Line, took time.Duration) {
	if m != nil {
		observe(m.parsing, lines, took)
	}
}

func (m *Metrics) poured(lines []event.Line, took time.Duration) {
	if m != nil {
		observe(m.pouring, lines, took)
	}
}

func observe(histogram *prometheus.HistogramVec, lines []event.Line, took time.Duration) {
	if len(lines) > 0 {
		histogram.WithLabelValues(lines[0].Module, lines[0].Src).Observe(took.Seconds() / float64(len(lines)))
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
