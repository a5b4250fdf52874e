package output

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count alerts on their way through a spool.
type metrics struct {
	waiting   prometheus.GaugeFunc
	accepted  prometheus.Counter
	refused   prometheus.Counter
	delivered prometheus.Counter
	rejected  prometheus.Counter
	failures  *prometheus.CounterVec
}

func newMetrics(s *Spool, registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "cs_alert_spool_waiting",
			Help: "Alerts that wait for delivery to the Local API.",
		}, func() float64 { return float64(s.Len()) }),
		accepted:  counter("cs_alert_spool_accepted_total", "Alerts taken over, to be delivered."),
		refused:   counter("cs_alert_spool_refused_total", "Alerts lost because the spool was full."),
		delivered: counter("cs_alert_spool_delivered_total", "Alerts taken by the Local API."),
		rejected:  counter("cs_alert_spool_rejected_total", "Alerts set aside because the Local API will not take them."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cs_alert_delivery_failures_total",
			Help: "Pushes of alerts that failed, by reason.",
		}, []string{"reason"}),
	}
	if registry == nil {
		return m, nil
	}
	for _, collector := range m.all() {
		if err := registry.Register(collector); err != nil {
			m.unregister(registry)
			return nil, fmt.Errorf("registering metrics of the spool: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) unregister(registry prometheus.Registerer) {
	if registry == nil {
		return
	}
	for _, collector := range m.all() {
		registry.Unregister(collector)
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.waiting, m.accepted, m.refused, m.delivered, m.rejected, m.failures}
}
