package parser

import (
	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/logprocessor/event"
)

// Metrics counts what nodes do, under the published names. A nil *Metrics counts nothing.
type Metrics struct {
	hits, hitsOK, hitsKO           *prometheus.CounterVec
	whitelistHits, whitelistHitsOK *prometheus.CounterVec
}

// NewMetrics registers the counters.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	node := []string{"source", "type", "name", "stage", "acquis_type"}
	whitelist := []string{"source", "type", "name", "reason", "stage", "acquis_type"}
	counter := func(name, help string, labels []string) *prometheus.CounterVec {
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		registry.MustRegister(vector)
		return vector
	}
	return &Metrics{
		hits:            counter("cs_node_hits_total", "Events that entered a parser node.", node),
		hitsOK:          counter("cs_node_hits_ok_total", "Events that a parser node handled.", node),
		hitsKO:          counter("cs_node_hits_ko_total", "Events that a parser node could not handle.", node),
		whitelistHits:   counter("cs_node_wl_hits_total", "Events compared with a whitelist.", whitelist),
		whitelistHitsOK: counter("cs_node_wl_hits_ok_total", "Events that a whitelist covered.", whitelist),
	}
}

func (m *Metrics) hit(n *node, evt *event.Event) {
	if m != nil {
		m.countNode(m.hits, n, evt)
	}
}

func (m *Metrics) ok(n *node, evt *event.Event) {
	if m != nil {
		m.countNode(m.hitsOK, n, evt)
	}
}

func (m *Metrics) miss(n *node, evt *event.Event) {
	if m != nil {
		m.countNode(m.hitsKO, n, evt)
	}
}

func (m *Metrics) whitelistHit(n *node, evt *event.Event) {
	if m != nil {
		m.countWhitelist(m.whitelistHits, n, evt)
	}
}

func (m *Metrics) whitelistOK(n *node, evt *event.Event) {
	if m != nil {
		m.countWhitelist(m.whitelistHitsOK, n, evt)
	}
}

func (m *Metrics) countNode(vector *prometheus.CounterVec, n *node, evt *event.Event) {
	if n.name != "" {
		vector.WithLabelValues(evt.Line.Src, evt.Line.Module, n.name, n.stage, acquisitionType(evt)).Inc()
	}
}

func (m *Metrics) countWhitelist(vector *prometheus.CounterVec, n *node, evt *event.Event) {
	vector.WithLabelValues(evt.Line.Src, evt.Line.Module, n.name, n.whitelist.reason, n.stage, acquisitionType(evt)).Inc()
}

func acquisitionType(evt *event.Event) string {
	if kind := evt.Line.Labels["type"]; kind != "" {
		return kind
	}
	return "unknown"
}
