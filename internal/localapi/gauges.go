package localapi

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"shieldwall/internal/domain"
	"shieldwall/internal/localapi/store"
)

// gaugesTimeout bounds what a scrape may ask of the database.
const gaugesTimeout = 5 * time.Second

// gauges are the published numbers about what is stored. They are looked up at each scrape.
type gauges struct {
	server     *Server
	active     *prometheus.Desc
	alerts     *prometheus.Desc
	heartbeats *prometheus.Desc
	size       *prometheus.Desc // not published
}

// registerGauges makes the gauges tell of this server, not of an earlier one.
func (s *Server) registerGauges(registry prometheus.Registerer) error {
	if registry == nil || s.cfg.AggregatedMetrics {
		return nil
	}
	g := &gauges{
		server: s,
		active: prometheus.NewDesc("cs_active_decisions", "Active decisions.", []string{"reason", "origin", "action"}, nil),
		alerts: prometheus.NewDesc("cs_alerts", "Stored alerts.", []string{"reason"}, nil),
		heartbeats: prometheus.NewDesc("cs_machines_last_heartbeat_timestamp",
			"When a machine was alive, in Unix seconds.", []string{"machine"}, nil),
		size: prometheus.NewDesc("cs_lapi_allowlist_items", "Items of all allowlists.", nil, nil),
	}
	err := registry.Register(g)
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		registry.Unregister(already.ExistingCollector)
		err = registry.Register(g)
	}
	return err
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{g.active, g.alerts, g.heartbeats, g.size} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), gaugesTimeout)
	defer cancel()
	for of, count := range g.server.index.Count(g.server.now()) {
		to <- prometheus.MustNewConstMetric(g.active, prometheus.GaugeValue, float64(count), of.Scenario, of.Origin, of.Type)
	}
	to <- prometheus.MustNewConstMetric(g.size, prometheus.GaugeValue, float64(g.server.allowlists.Set().Len()))
	counts, err := g.server.store.CountAlerts(ctx, store.AlertFilter{ExcludeCAPI: true})
	if err != nil { // an error in a metric would take all others with it
		g.server.log.WarnContext(ctx, "alerts not counted for the metrics", "error", err)
	}
	for scenario, count := range counts {
		to <- prometheus.MustNewConstMetric(g.alerts, prometheus.GaugeValue, float64(count), scenario)
	}
	machines, err := g.server.store.Machines(ctx)
	if err != nil {
		g.server.log.WarnContext(ctx, "heartbeats not read for the metrics", "error", err)
	}
	for i := range machines {
		g.collectHeartbeat(to, &machines[i])
	}
}

func (g *gauges) collectHeartbeat(to chan<- prometheus.Metric, machine *domain.Machine) {
	if !machine.LastHeartbeat.IsZero() {
		to <- prometheus.MustNewConstMetric(g.heartbeats, prometheus.GaugeValue, float64(machine.LastHeartbeat.Unix()), machine.ID)
	}
}
