package remediation

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collectTimeout bounds how long a scrape waits for the backend.
const collectTimeout = 10 * time.Second

// Requests counts the calls of the Local API.
type Requests struct {
	sent   prometheus.Counter
	failed prometheus.Counter
}

// NewRequests returns counters with their published names, known to registry.
func NewRequests(registry prometheus.Registerer) *Requests {
	r := &Requests{
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lapi_requests_total", Help: "The total number of calls to the Local API.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lapi_requests_failures_total", Help: "The total number of calls to the Local API that failed.",
		}),
	}
	registry.MustRegister(r.sent, r.failed)
	return r
}

// gauges are the published names of what a backend counts, and ours of what comparing has found.
type gauges struct {
	banned, droppedPackets, droppedBytes, processedPackets, processedBytes *prometheus.Desc

	audits []auditGauge
}

// auditGauge is one number of an audit.
type auditGauge struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(Audits) float64
}

func newGauges() gauges {
	byOrigin, byFamily := []string{"origin", "ip_type"}, []string{"ip_type"}
	return gauges{
		banned: prometheus.NewDesc("fw_bouncer_banned_ips",
			"Number of addresses and ranges in force.", byOrigin, nil),
		droppedPackets: prometheus.NewDesc("fw_bouncer_dropped_packets",
			"Number of packets dropped.", byOrigin, nil),
		droppedBytes: prometheus.NewDesc("fw_bouncer_dropped_bytes",
			"Number of bytes dropped.", byOrigin, nil),
		processedPackets: prometheus.NewDesc("fw_bouncer_processed_packets",
			"Number of packets compared with the sets.", byFamily, nil),
		processedBytes: prometheus.NewDesc("fw_bouncer_processed_bytes",
			"Number of bytes compared with the sets.", byFamily, nil),
		audits: auditGauges(),
	}
}

func auditGauges() []auditGauge {
	named := func(name, help string, kind prometheus.ValueType, value func(Audits) float64) auditGauge {
		return auditGauge{prometheus.NewDesc("fw_bouncer_"+name, help, nil, nil), kind, value}
	}
	return []auditGauge{
		named("coverage_percent", "Share of the desired elements that the last verification found in force.",
			prometheus.GaugeValue, func(a Audits) float64 { return a.Last.Coverage() }),
		named("desired_elements", "Elements that have to be in force, at the last verification.",
			prometheus.GaugeValue, func(a Audits) float64 { return float64(a.Last.Wanted) }),
		named("missing_elements", "Desired elements that the last verification found not in force.",
			prometheus.GaugeValue, func(a Audits) float64 { return float64(a.Last.Missing) }),
		named("stale_elements", "Desired elements that the last verification found with another end.",
			prometheus.GaugeValue, func(a Audits) float64 { return float64(a.Last.Stale) }),
		named("foreign_elements", "Elements that the last verification found in force and that nobody desires.",
			prometheus.GaugeValue, func(a Audits) float64 { return float64(a.Last.Foreign) }),
		named("verification_seconds", "How long the last verification took.",
			prometheus.GaugeValue, func(a Audits) float64 { return a.Last.Took.Seconds() }),
		named("last_verification_timestamp_seconds", "When the last verification was, in Unix time.",
			prometheus.GaugeValue, func(a Audits) float64 { return float64(a.Last.At.UnixMilli()) / 1000 }), //nolint:mnd // ms
		named("verifications_total", "Number of verifications.",
			prometheus.CounterValue, func(a Audits) float64 { return float64(a.Verified) }),
		named("restored_elements_total", "Number of missing and stale elements that were repaired.",
			prometheus.CounterValue, func(a Audits) float64 { return float64(a.Restored) }),
		named("removed_elements_total", "Number of foreign elements that were removed.",
			prometheus.CounterValue, func(a Audits) float64 { return float64(a.Removed) }),
		named("rebuilds_total", "How often a table, chain, rule, set or counter was repaired.",
			prometheus.CounterValue, func(a Audits) float64 { return float64(a.Rebuilt) }),
	}
}

// Collector asks a backend for its counters whenever metrics are scraped.
type Collector struct {
	backend  Backend
	enforcer *Enforcer
	gauges   gauges
	log      *slog.Logger
}

// NewCollector returns a Collector to register.
func NewCollector(backend Backend, enforcer *Enforcer, log *slog.Logger) *Collector {
	return &Collector{backend: backend, enforcer: enforcer, gauges: newGauges(), log: log}
}

// Describe sends the descriptions of all gauges.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	to <- c.gauges.banned
	to <- c.gauges.droppedPackets
	to <- c.gauges.droppedBytes
	to <- c.gauges.processedPackets
	to <- c.gauges.processedBytes
	for _, gauge := range c.gauges.audits {
		to <- gauge.desc
	}
}

// Collect sends the gauges as they are now; those of the backend are left out when it does not answer.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, active := range c.enforcer.Active() {
		gauge(c.gauges.banned, float64(active.Count), active.Group, familyLabel(active.IPv6))
	}
	c.collectAudits(to)
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	counters, err := c.backend.Counters(ctx)
	if err != nil {
		c.log.ErrorContext(ctx, "collecting counters", "error", err)
		return
	}
	for _, counter := range counters {
		family := familyLabel(counter.IPv6)
		if counter.Dropped {
			gauge(c.gauges.droppedPackets, float64(counter.Packets), counter.Group, family)
			gauge(c.gauges.droppedBytes, float64(counter.Bytes), counter.Group, family)
			continue
		}
		gauge(c.gauges.processedPackets, float64(counter.Packets), family)
		gauge(c.gauges.processedBytes, float64(counter.Bytes), family)
	}
}

// collectAudits sends what comparisons have found, when there was one.
func (c *Collector) collectAudits(to chan<- prometheus.Metric) {
	audits := c.enforcer.Audits()
	if audits.Verified == 0 {
		return
	}
	for _, gauge := range c.gauges.audits {
		to <- prometheus.MustNewConstMetric(gauge.desc, gauge.kind, gauge.value(audits))
	}
}

func familyLabel(ipv6 bool) string {
	if ipv6 {
		return "ipv6"
	}
	return "ipv4"
}
