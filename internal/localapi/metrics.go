package localapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/localapi/auth"
)

const invalidEndpoint = "invalid-endpoint"

// metrics are the published counters of the Local API.
type metrics struct {
	routes    *prometheus.CounterVec
	machines  *prometheus.CounterVec
	bouncers  *prometheus.CounterVec
	found     *prometheus.CounterVec
	notFound  *prometheus.CounterVec
	refusals  *prometheus.CounterVec // not published
	issued    *prometheus.CounterVec // not published
	waiting   prometheus.Gauge       // not published
	durations *prometheus.HistogramVec
}

// newMetrics registers the metrics. Those that an earlier Server has registered go on counting.
// Aggregated, only what is not counted by machine or bouncer is.
func newMetrics(registry prometheus.Registerer, aggregated bool) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		routes:   counter("cs_lapi_route_requests_total", "Requests by route and method.", "route", "method"),
		machines: counter("cs_lapi_machine_requests_total", "Requests by machine.", "machine", "route", "method"),
		bouncers: counter("cs_lapi_bouncer_requests_total", "Requests by bouncer.", "bouncer", "route", "method"),
		found:    counter("cs_lapi_decisions_ok_total", "Live queries that found decisions.", "bouncer"),
		notFound: counter("cs_lapi_decisions_ko_total", "Live queries that found none.", "bouncer"),
		refusals: counter("cs_lapi_refusals_total", "Requests and handshakes that were refused for want of proof.", "side", "reason"),
		issued:   counter("cs_lapi_certificates_issued_total", "Certificates that were issued, by the way to them.", "way"),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cs_lapi_waiting_bouncers", Help: "Requests that are held open until something changes.",
		}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cs_lapi_request_duration_seconds",
			Help:    "Time to answer a request.",
			Buckets: []float64{.005, .01, .025, .05, .075, .1, .2, .3, .4, .5, .75, 1},
		}, []string{"endpoint", "method"}),
	}
	if registry == nil {
		return m, nil
	}
	counters := []**prometheus.CounterVec{&m.routes, &m.refusals, &m.issued}
	if aggregated {
		return m, m.register(registry, counters)
	}
	if err := m.register(registry, append(counters, &m.machines, &m.bouncers, &m.found, &m.notFound)); err != nil {
		return nil, err
	}
	durations, err := register(registry, m.durations)
	m.durations = durations
	return m, err
}

func (m *metrics) register(registry prometheus.Registerer, counters []**prometheus.CounterVec) error {
	for _, vec := range counters {
		registered, err := register(registry, *vec)
		if err != nil {
			return err
		}
		*vec = registered
	}
	waiting, err := register(registry, m.waiting)
	if err != nil {
		return err
	}
	m.waiting = waiting
	return nil
}

// waits counts a request that is held open, until the function that it returns is called.
func (m *metrics) waits() (enough func()) {
	m.waiting.Inc()
	return m.waiting.Dec
}

// register returns collector, or the equal one that is registered already.
func register[C prometheus.Collector](registry prometheus.Registerer, collector C) (C, error) {
	err := registry.Register(collector)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing, nil
		}
	}
	if err != nil {
		return collector, fmt.Errorf("registering metrics: %w", err)
	}
	return collector, nil
}

func (m *metrics) observe(r *http.Request, x *exchange, took time.Duration) {
	if r.URL.Path == healthPath {
		return
	}
	route := x.route
	if route == "" {
		route = invalidEndpoint
	}
	m.routes.WithLabelValues(route, methodLabel(r.Method)).Inc()
	m.durations.WithLabelValues(x.route, methodLabel(r.Method)).Observe(took.Seconds())
}

// methodLabel keeps made-up methods from becoming series of their own.
func methodLabel(method string) string {
	known := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace,
	}
	if slices.Contains(known, method) {
		return method
	}
	return "OTHER"
}

func (m *metrics) machine(id, route, method string) {
	if route == usagePath { // published as counted by route only
		return
	}
	m.machines.WithLabelValues(id, route, method).Inc()
}

func (m *metrics) bouncer(name, route, method string) {
	if route == usagePath {
		return
	}
	m.bouncers.WithLabelValues(name, route, method).Inc()
}

// answered counts a live query by what it found.
func (m *metrics) answered(bouncer string, decisions int) {
	if decisions > 0 {
		m.found.WithLabelValues(bouncer).Inc()
		return
	}
	m.notFound.WithLabelValues(bouncer).Inc()
}

// refused counts who was not let in.
func (m *metrics) refused(side auth.Side, reason auth.Reason) {
	m.refusals.WithLabelValues(string(side), string(reason)).Inc()
}
