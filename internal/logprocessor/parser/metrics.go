package parser

import (
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/event"
)

// Metrics counts what nodes do, under the published names. A nil *Metrics counts nothing.
type Metrics struct {
	vectors [outcomes]*prometheus.CounterVec
}

// outcome is something that is counted of a node.
type outcome uint8

const (
	entered outcome = iota
	handled
	missed
	compared // with a whitelist
	covered
	outcomes = 5
)

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	node := []string{"source", "type", "name", "stage", "acquis_type"}
	whitelist := []string{"source", "type", "name", "reason", "stage", "acquis_type"}
	counter := func(name, help string, labels []string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	return &Metrics{[outcomes]*prometheus.CounterVec{
		entered:  counter("cs_node_hits_total", "Events that entered a parser node.", node),
		handled:  counter("cs_node_hits_ok_total", "Events that a parser node handled.", node),
		missed:   counter("cs_node_hits_ko_total", "Events that a parser node could not handle.", node),
		compared: counter("cs_node_wl_hits_total", "Events compared with a whitelist.", whitelist),
		covered:  counter("cs_node_wl_hits_ok_total", "Events that a whitelist covered.", whitelist),
	}}
}

// counter returns where an outcome of a node is counted for lines of an origin.
func (m *Metrics) counter(o outcome, n *node, origin event.Origin) prometheus.Counter {
	if o == compared || o == covered {
		return m.vectors[o].WithLabelValues(origin.Src, origin.Module, n.name, n.whitelist.reason, n.stage, origin.Type)
	}
	return m.vectors[o].WithLabelValues(origin.Src, origin.Module, n.name, n.stage, origin.Type)
}

// maxSheets bounds for how many origins a runner remembers its counters.
const maxSheets = 256

// counts is what a runner has counted since it last told the metrics, so that an event costs no look-ups of
// labels and no memory that other workers write to.
type counts struct {
	metrics *Metrics // nil: nothing is counted
	nodes   []*node  // by their number
	sheets  map[event.Origin]*sheet
	current *sheet
	origin  event.Origin
}

// sheet holds the counts for one origin, by the number of the node.
type sheet struct {
	origin   event.Origin
	tallies  [][outcomes]uint32
	counters [][outcomes]prometheus.Counter // nil: not asked for yet
	dirty    bool
}

// from says which line the following counts are about.
func (c *counts) from(evt *event.Event) {
	if c.metrics == nil {
		return
	}
	origin := evt.Line.Origin()
	if origin.Type == "" {
		origin.Type = "unknown"
	}
	if c.current == nil || c.origin != origin {
		c.origin, c.current = origin, c.sheet(origin)
	}
}

func (c *counts) sheet(origin event.Origin) *sheet {
	if s := c.sheets[origin]; s != nil {
		return s
	}
	if len(c.sheets) >= maxSheets || c.sheets == nil {
		c.flush()
		c.sheets = map[event.Origin]*sheet{}
	}
	s := &sheet{
		origin:  origin,
		tallies: make([][outcomes]uint32, len(c.nodes)), counters: make([][outcomes]prometheus.Counter, len(c.nodes)),
	}
	c.sheets[origin] = s
	return s
}

func (c *counts) add(o outcome, n *node) {
	if c.current != nil && n.number >= 0 {
		c.current.tallies[n.number][o]++
		c.current.dirty = true
	}
}

func (c *counts) flush() {
	for _, s := range c.sheets {
		if s.dirty {
			s.flush(c)
		}
	}
}

func (s *sheet) flush(c *counts) {
	s.dirty = false
	for number := range s.tallies {
		tally := &s.tallies[number]
		for o, count := range tally {
			if count == 0 {
				continue
			}
			if s.counters[number][o] == nil {
				s.counters[number][o] = c.metrics.counter(outcome(o), c.nodes[number], s.origin)
			}
			s.counters[number][o].Add(float64(count))
			tally[o] = 0
		}
	}
}
