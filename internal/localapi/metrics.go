package localapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const invalidEndpoint = "invalid-endpoint"

// metrics are the published counters of the Local API.
type metrics struct {
	routes    *prometheus.CounterVec
	machines  *prometheus.CounterVec
	bouncers  *prometheus.CounterVec
	found     *prometheus.CounterVec
	notFound  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// newMetrics registers the metrics. Those that an earlier Server has registered go on counting.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		routes:   counter("cs_lapi_route_requests_total", "Requests by route and method.", "route", "method"),
		machines: counter("cs_lapi_machine_requests_total", "Requests by machine.", "machine", "route", "method"),
		bouncers: counter("cs_lapi_bouncer_requests_total", "Requests by bouncer.", "bouncer", "route", "method"),
		found:    counter("cs_lapi_decisions_ok_total", "Live queries that found decisions.", "bouncer"),
		notFound: counter("cs_lapi_decisions_ko_total", "Live queries that found none.", "bouncer"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cs_lapi_request_duration_seconds",
			Help:    "Time to answer a request.",
			Buckets: []float64{.005, .01, .025, .05, .075, .1, .2, .3, .4, .5, .75, 1},
		}, []string{"endpoint", "method"}),
	}
	if registry == nil {
		return m, nil
	}
	return m, m.register(registry)
}

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, vec := range []**prometheus.CounterVec{&m.routes, &m.machines, &m.bouncers, &m.found, &m.notFound} {
		registered, err := register(registry, *vec)
		if err != nil {
			return err
		}
		*vec = registered
	}
	registered, err := register(registry, m.durations)
	if err == nil {
		m.durations = registered
	}
	return err
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
	m.machines.WithLabelValues(id, route, method).Inc()
}

func (m *metrics) bouncer(name, route, method string) {
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
